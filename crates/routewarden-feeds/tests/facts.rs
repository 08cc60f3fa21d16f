//! Facts from real files, from damaged files, and under limits.
#![expect(clippy::print_stderr, reason = "tests say when real data is missing")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy exempts test functions only")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use routewarden_core::facts::{
    BOGONS_TSV_SHA256, InvalidReason, Relation, RovState, TrustAnchorId, Vrp, VrpTable,
    bogons::BOGONS_TSV,
};
use routewarden_core::{Asn, Origin, Prefix, Timestamp};
use routewarden_feeds::facts::{
    FactsError, HashingReader, JSON_DEPTH_MAX, JSON_TOKEN_OCTETS_MAX, Loaded, Place, fuzz,
    load_as_names, load_file, load_organisations, load_origins, load_relations, load_rpki,
    load_vrps,
};

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// A file of the shared data, when it is there. In CI it must be.
fn shared(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "missing: {}", path.display());
    eprintln!("skipped: {} is missing", path.display());
    None
}

fn date_of<T>(loaded: &Loaded<T>) -> String {
    loaded.facts.source.date.map(|date| date.to_string()).unwrap_or_default()
}

fn skipped_of<T>(loaded: &Loaded<T>) -> Vec<(&'static str, u64)> {
    loaded.facts.source.skipped.clone().into_iter().collect()
}

#[test]
fn real_vrps_of_rpki_client() {
    for (file, count, date) in [
        ("rpkiclient_summary_20250720T093135Z.json.bz2", 723_521, "2025-07-20T09:31:33Z"),
        ("rpkiclient_summary_20250720T100145Z.json.bz2", 723_524, "2025-07-20T10:01:43Z"),
    ] {
        let Some(path) = shared(&format!("data/rpki/{file}")) else { return };
        let loaded = load_file(&path, None, load_vrps).unwrap();
        let table = &loaded.facts.table;
        assert_eq!((table.len(), loaded.facts.source.entries), (count, count as u64));
        assert_eq!((skipped_of(&loaded), date_of(&loaded)), (vec![], date.to_owned()));
        let (route, origin) = (p("1.1.1.0/24"), Origin::As(Asn(13335)));
        assert_eq!(table.state(&route, origin), (RovState::Valid, None));
        let validity = table.validate(&p("1.1.1.0/25"), origin);
        assert_eq!(validity.reason, Some(InvalidReason::MaxLength));
        assert_eq!(table.trust_anchor(&validity.covering[0]), "apnic");
    }
}

#[test]
fn real_aspas_of_rpki_client() {
    let Some(path) = shared("data/rpki/rpkiclient_summary_20250720T093135Z.json.bz2") else {
        return;
    };
    let loaded = load_file(&path, None, load_rpki).unwrap();
    let aspas = loaded.facts.table.aspas.unwrap();
    assert_eq!((aspas.len(), aspas.source.entries, aspas.source.skipped.len()), (100, 100, 0));
    assert_eq!(aspas.source.date.unwrap().to_string(), "2025-07-20T09:31:33Z");
    assert_eq!(aspas.providers(Asn(945)), Some(&[Asn(13213), Asn(150_369)][..]));
    assert_eq!(loaded.facts.table.vrps.len(), 723_521);
}

#[test]
fn real_origins() {
    for (file, prefixes, date) in [
        ("pyasn.ipasn_20080501_v12.dat.gz", 270_849, "2008-05-01T06:44:00Z"),
        ("pyasn.ipasn_20140513.dat.gz", 512_621, "2014-05-13T06:00:00Z"),
        ("pyasn.ipasn6_20151101.dat.gz", 633_831, "2015-11-01T06:00:00Z"),
        // 893,944 rows, one of them empty; 7,826 name a further origin of a prefix.
        ("dfz-v4-prefix-origin.2021.csv.gz", 886_117, ""),
    ] {
        let Some(path) = shared(&format!("data/origins/{file}")) else { return };
        let loaded = load_file(&path, None, load_origins).unwrap();
        assert_eq!(loaded.facts.len(), prefixes, "{file}");
        assert_eq!(date_of(&loaded), date, "{file}");
        assert_eq!(loaded.samples, []);
        match file {
            "dfz-v4-prefix-origin.2021.csv.gz" => {
                assert_eq!(loaded.facts.source.entries, 893_943);
            }
            "pyasn.ipasn_20080501_v12.dat.gz" => {
                assert_eq!(loaded.facts.origins(&p("208.65.152.0/22")), [Asn(36561)]);
            }
            "pyasn.ipasn6_20151101.dat.gz" => {
                let v6 = loaded.facts.covered(&p("::/0")).count();
                assert_eq!(v6, 27_693);
            }
            _ => {}
        }
    }
}

#[test]
fn real_organisations() {
    for (file, asns, organisations, skipped, date) in [
        // 42,178 records of ASNs; 15 are given twice.
        ("20080402", 42_163, 37_602, vec![("duplicate", 15)], "2008-04-02T00:00:00Z"),
        ("20211001", 106_546, 87_682, vec![], "2021-10-01T00:00:00Z"),
    ] {
        let Some(path) = shared(&format!("data/asorg/{file}.as-org2info.jsonl.gz")) else { return };
        let loaded = load_file(&path, None, load_organisations).unwrap();
        let table = &loaded.facts.table;
        assert_eq!((table.asn_count(), table.organisation_count()), (asns, organisations));
        assert_eq!((table.unnamed_count(), skipped_of(&loaded)), (0, skipped));
        assert_eq!(date_of(&loaded), date);
        // Level 3 bought Global Crossing in 2011.
        let bought = file == "20211001";
        assert_eq!(table.same_organisation(Asn(3356), Asn(3549)), Some(bought));
    }
}

#[test]
fn real_relations() {
    let Some(path) = shared("data/asrel/asrel_201806.txt.gz") else { return };
    let loaded = load_file(&path, None, load_relations).unwrap();
    let table = &loaded.facts.table;
    // 161,924 rows of peers; 158 of them say `b|a|0` of a link given as `a|b|0` before.
    assert_eq!((table.transit_link_count(), table.peer_link_count()), (125_450, 161_924 - 158));
    assert_eq!(
        (skipped_of(&loaded), date_of(&loaded)),
        (vec![("duplicate", 158)], "2018-06-01T00:00:00Z".to_owned())
    );
    assert_eq!(table.relation(Asn(63206), Asn(33491)), Some(Relation::Provider));
    assert_eq!(table.relation(Asn(1299), Asn(3257)), Some(Relation::Peer));
    let mut asns: Vec<Asn> = table.iter().flat_map(|link| [link.a, link.b]).collect();
    asns.sort_unstable();
    asns.dedup();
    assert_eq!(asns.len(), 61_411);
}

#[test]
fn real_names() {
    let Some(path) = shared("data/asmeta/pyasn.asnames.json.gz") else { return };
    let loaded = load_file(&path, None, load_as_names).unwrap();
    assert_eq!((loaded.facts.len(), skipped_of(&loaded)), (77_586, vec![]));
    assert_eq!(loaded.facts.name(Asn(50088)), Some("FITL-IE Fort Technologies, GB"));
    assert_eq!(loaded.facts.country(Asn(50088)), Some("GB"));
}

#[test]
fn the_hash_is_of_the_file_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("names.txt");
    std::fs::write(&path, "64496 EXAMPLE-AS\n").unwrap();
    let loaded = load_file(&path, None, load_as_names).unwrap();
    assert_eq!(
        loaded.facts.source.sha256.unwrap().to_string(),
        "ac58a5e3e8ef6f3ab6be23832ab698848dd1f6043996761f0472d5ffaa0b4051"
    );
    let missing = load_file(&dir.path().join("no"), None, load_as_names).unwrap_err();
    assert_eq!(missing.kind(), "facts_open");
    assert_eq!(load_file(dir.path(), None, load_as_names).unwrap_err().kind(), "facts_open");
}

#[test]
fn a_compressed_file_that_is_cut_is_not_used() {
    let Some(path) = shared("data/asorg/20080402.as-org2info.jsonl.gz") else { return };
    let octets = std::fs::read(path).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let cut = dir.path().join("20080402.as-org2info.jsonl.gz");
    std::fs::write(&cut, &octets[..octets.len() / 2]).unwrap();
    let error = load_file(&cut, None, load_organisations).unwrap_err();
    assert_eq!(error.kind(), "facts_read");
    assert!(error.to_string().contains("cannot read on at line"), "{error}");
}

#[test]
fn the_bogon_list_is_the_one_whose_hash_is_cited() {
    let (mut reader, hash) = HashingReader::new(BOGONS_TSV.as_bytes());
    reader.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(hash.sha256(), BOGONS_TSV_SHA256, "bogons.tsv has changed: update its hash");
}

/// One group of VRPs and cases of a vector file: `(prefix, max_len, asn)` and cases.
fn check_rov(vrps: Vec<(&str, u64, u64)>, cases: &[serde_json::Value]) -> usize {
    let vrps = vrps
        .into_iter()
        .map(|(prefix, max_len, asn)| Vrp {
            prefix: p(prefix),
            max_len: u8::try_from(max_len).unwrap(),
            asn: Asn(u32::try_from(asn).unwrap()),
            ta: TrustAnchorId::default(),
        })
        .collect();
    let table = VrpTable::from_vrps(vrps);
    for case in cases {
        let origin = case["origin"]
            .as_u64()
            .map_or(Origin::Set, |asn| Origin::As(Asn(u32::try_from(asn).unwrap())));
        let validity = table.validate(&p(case["prefix"].as_str().unwrap()), origin);
        let state = match validity.state {
            RovState::Valid => "valid",
            RovState::Invalid => "invalid",
            RovState::NotFound => "not-found",
        };
        assert_eq!(case["state"], state, "{case}");
        let (reason, as0_only) = match case["reason"].as_str() {
            None => (None, false),
            Some("origin" | "asn") => (Some(InvalidReason::Asn), false),
            Some("length") => (Some(InvalidReason::MaxLength), false),
            Some("as0-only" | "as0") => (Some(InvalidReason::Asn), true),
            Some(other) => panic!("reason not known: {other}"),
        };
        assert_eq!((validity.reason, validity.as0_only), (reason, as0_only), "{case}");
    }
    cases.len()
}

fn vectors(file: &str) -> Option<serde_json::Value> {
    let file = std::fs::File::open(shared(&format!("vectors/{file}"))?).unwrap();
    Some(serde_json::from_reader(BufReader::new(file)).unwrap())
}

#[test]
fn rfc6811_vectors() {
    let Some(document) = vectors("leaks_otc_rov.json") else { return };
    let rov = &document["rov"];
    let vrps =
        rov["vrps"].as_array().unwrap().iter().map(|vrp| {
            (vrp[0].as_str().unwrap(), vrp[1].as_u64().unwrap(), vrp[2].as_u64().unwrap())
        });
    assert_eq!(check_rov(vrps.collect(), rov["cases"].as_array().unwrap()), 13);
}

#[test]
fn rfc6811_vectors_of_the_manrs_metrics() {
    let Some(document) = vectors("manrs_metrics.json") else { return };
    for group in [&document["rov"], &document["rov"]["as0"]] {
        let vrps = group["vrps"].as_array().unwrap().iter().map(|vrp| {
            let number = |name: &str| vrp[name].as_u64().unwrap();
            (vrp["prefix"].as_str().unwrap(), number("max_length"), number("asn"))
        });
        assert!(check_rov(vrps.collect(), group["cases"].as_array().unwrap()) > 0);
    }
}

fn vrps(text: &str) -> Result<Loaded<VrpTable>, FactsError> {
    load_vrps(Path::new("vrps"), None, &mut text.as_bytes())
}

#[test]
fn every_form_of_vrps_gives_the_same_table() {
    let forms = [
        r#"{"metadata":{"buildtime":"2025-07-20T09:31:33Z"},"roas":[
            {"asn":64496,"prefix":"192.0.2.0/24","maxLength":25,"ta":"ripe","expires":1},
            {"asn":0,"prefix":"2001:db8::/32","maxLength":32,"ta":"ripe"}],"aspas":[[[]]]}"#,
        r#"{"roas":[{"asn":"AS64496","prefix":"192.0.2.0/24","maxLength":25,"ta":"ripe"},
            {"asn":"AS0","prefix":"2001:db8::/32","ta":"ripe"}],
            "metadata":{"generated":1753003893,"generatedTime":"2025-07-20T09:31:33Z"}}"#,
        r#"{"roas":[{"asn":"AS64496","prefix":"192.0.2.0/24","maxLength":25,"ta":"ripe",
            "source":[{"type":"roa","uri":"rsync://x/y.roa","validity":{"notBefore":"z"}}]},
            {"source":[],"ta":"ripe","maxLength":32,"prefix":"2001:db8::/32","asn":0}],
            "metadata":{"generated":1753003893}}"#,
        "ASN,IP Prefix,Max Length,Trust Anchor\nAS64496,192.0.2.0/24,25,ripe\n\
         AS0,2001:db8::/32,32,ripe\n",
        "ASN,IP Prefix,Max Length,Trust Anchor,Expires\r\nAS64496,192.0.2.0/24,25,ripe,1\r\n\
         AS0,2001:db8::/32,,ripe,1\r\n",
        "\u{feff}\"Trust Anchor\",\"Max Length\",\"IP Prefix\",\"ASN\"\n\
         \"ripe\",\"25\",\"192.0.2.0/24\",\"64496\"\n\"ripe\",\"32\",\"2001:db8::/32\",\"0\"\n",
        "AS64496,192.0.2.0/24,25,ripe\n0,2001:db8::/32\n",
    ];
    for form in forms {
        let loaded = vrps(form).unwrap();
        let all: Vec<_> = loaded
            .facts
            .iter()
            .map(|vrp| (vrp.prefix.to_string(), vrp.max_len, vrp.asn.0))
            .collect();
        let expected =
            [("192.0.2.0/24".to_owned(), 25, 64496), ("2001:db8::/32".to_owned(), 32, 0)];
        assert_eq!(all, expected, "{form}");
        assert_eq!(loaded.facts.trust_anchor(&loaded.facts.iter().next().unwrap()), "ripe");
        if form.starts_with('{') {
            assert_eq!(date_of(&loaded), "2025-07-20T09:31:33Z", "{form}");
        }
    }
}

#[test]
fn every_form_of_aspas_gives_the_same_table() {
    let roas = r#""roas":[{"asn":64496,"prefix":"192.0.2.0/24","ta":"ripe"}]"#;
    let forms = [
        r#""aspas":[{"customer_asid":64496,"expires":1,"providers":[64498,64497]},
            {"customer_asid":64499,"providers":[0]}]"#,
        r#""aspas":[{"customer":"AS64496","providers":["AS64497","AS64498"],"source":[{}]},
            {"customer":"AS64499","providers":["AS0"]}]"#,
        r#""provider_authorizations":{"ipv4":[{"customer_asid":64496,"providers":[64497]}],
            "ipv6":[{"customer_asid":64496,"providers":[64498]},
            {"customer_asid":64499,"providers":[0]}]}"#,
    ];
    for form in forms {
        let text = format!("{{{roas},{form}}}");
        let loaded = load_rpki(Path::new("vrps"), None, &mut text.as_bytes()).unwrap();
        let aspas = loaded.facts.table.aspas.unwrap();
        assert_eq!(aspas.providers(Asn(64496)), Some(&[Asn(64497), Asn(64498)][..]), "{form}");
        assert_eq!(aspas.providers(Asn(64499)), Some(&[][..]), "{form}");
        assert_eq!((aspas.source.entries, aspas.source.skipped.len()), (2, 0), "{form}");
    }
    for form in ["", r#","aspas":[]"#, r#","aspas":null"#, r#","provider_authorizations":{}"#] {
        let text = format!("{{{roas}{form}}}");
        let loaded = load_rpki(Path::new("vrps"), None, &mut text.as_bytes()).unwrap();
        assert!(loaded.facts.table.aspas.is_none(), "{form}");
    }
}

#[test]
fn a_bad_aspa_is_left_out_and_counted() {
    let many = vec!["1"; 10_001].join(",");
    let text = format!(
        r#"{{"roas":[{{"asn":64496,"prefix":"192.0.2.0/24"}}],"aspas":[1,null,[],{{}},
        {{"customer_asid":64496}},{{"customer_asid":-1,"providers":[64497]}},
        {{"customer_asid":4294967296,"providers":[64497]}},
        {{"customer_asid":64496,"providers":[64497,"x"]}},
        {{"customer_asid":64496,"providers":{{"ipv4":[1]}}}},
        {{"customer_asid":64496,"providers":[]}},{{"customer_asid":64496,"providers":[{many}]}},
        {{"customer_asid":64497,"providers":[64498]}}]}}"#
    );
    let loaded = load_rpki(Path::new("vrps"), None, &mut text.as_bytes()).unwrap();
    assert_eq!(loaded.samples.len(), 11);
    let aspas = loaded.facts.table.aspas.unwrap();
    assert_eq!(aspas.iter().collect::<Vec<_>>(), [(Asn(64497), &[Asn(64498)][..])]);
    let skipped: Vec<_> = aspas.source.skipped.clone().into_iter().collect();
    assert_eq!(skipped, [("asn", 3), ("fields", 5), ("providers", 3)]);
}

#[test]
fn a_bad_vrp_is_left_out_and_the_next_one_read() {
    let loaded = vrps(
        r#"{"roas":[1,null,"x",[{}],-1,1.5,true,{},
        {"asn":4294967296,"prefix":"192.0.2.0/24","maxLength":24},
        {"asn":18446744073709551616,"prefix":"192.0.2.0/24","maxLength":24},
        {"asn":{"x":[1]},"prefix":"192.0.2.0/24","maxLength":24},
        {"asn":64496,"prefix":"192.0.2.1/24","maxLength":24},
        {"asn":64496,"prefix":["192.0.2.0/24"],"maxLength":24},
        {"asn":64496,"prefix":"192.0.2.0/24","maxLength":23},
        {"asn":64496,"prefix":"192.0.2.0/24","maxLength":33},
        {"asn":64496,"prefix":"192.0.2.0/24","maxLength":-1},
        {"asn":64496,"prefix":"192.0.2.0/24","maxLength":"24"},
        {"asn":64496,"prefix":"192.0.2.0/24","maxLength":24,"ta":7},
        {"asn":64496,"prefix":"192.0.2.0/24","maxLength":24,"ta":7}]}"#,
    )
    .unwrap();
    assert_eq!(loaded.facts.len(), 1);
    let expected = [
        ("asn", 3),
        ("duplicate", 1),
        ("fields", 8),
        ("host_bits", 1),
        ("max_length", 4),
        ("prefix", 1),
    ];
    assert_eq!(skipped_of(&loaded), expected);
    assert_eq!(loaded.samples[0].place, Place::Entry(1));
}

#[test]
fn hostile_json_is_an_error_that_says_where() {
    let entry = r#"{"asn":64496,"prefix":"192.0.2.0/24","maxLength":24}"#;
    let kind = |text: &str| vrps(text).map(|_| ()).unwrap_err().kind();
    assert_eq!(kind(&format!("{{\"roas\":[{entry}")), "facts_json");
    assert_eq!(kind(&format!("{{\"roas\":[{entry}]}} {{}}")), "facts_json");
    assert_eq!(kind("[]"), "facts_json");
    assert_eq!(kind(r#"{"roas":{}}"#), "facts_json");
    assert_eq!(kind(r#"{"roas":[]}"#), "facts_nothing_usable");
    assert_eq!(kind("{}"), "facts_nothing_usable");
    assert_eq!(kind(""), "facts_nothing_usable");
    let deep = "[".repeat(JSON_DEPTH_MAX + 1);
    assert_eq!(kind(&format!("{{\"x\":\n{deep}")), "facts_json_depth");
    let long = "x".repeat(JSON_TOKEN_OCTETS_MAX + 1);
    assert_eq!(kind(&format!("{{\"x\":\"{long}\"}}")), "facts_json_token");
    assert_eq!(
        kind(&format!("{{\"x\":1{}}}", "0".repeat(JSON_TOKEN_OCTETS_MAX))),
        "facts_json_token"
    );
    // Brackets and quotes inside of strings are text.
    let inside = format!(r#"{{"x":"\"{}","roas":[{entry}]}}"#, "[".repeat(100));
    assert_eq!(vrps(&inside).unwrap().facts.len(), 1);
    let error = vrps("{\"roas\":[\n{\"asn\":64496,,}]}").unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("vrps: malformed JSON at line 2, column 14; expected VRPs"), "{text}");
}

/// Gives zeros of JSON white space for ever.
struct Endless;

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        out.fill(b' ');
        Ok(out.len())
    }
}

#[test]
fn an_endless_file_ends_at_the_limit() {
    let names = b"{\"64496\": \"X\"".as_slice().chain(BufReader::with_capacity(1 << 20, Endless));
    let error = load_as_names(Path::new("x"), None, &mut BufReader::new(names)).unwrap_err();
    assert_eq!(error.kind(), "facts_too_large");
    let mut lines = b"64496 X\n".as_slice().chain(BufReader::with_capacity(1 << 20, Endless));
    let error = load_as_names(Path::new("x"), None, &mut lines).unwrap_err();
    assert_eq!(error.kind(), "facts_too_large");
}

#[test]
fn a_read_error_is_no_end_of_file() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    for start in ["", "64496 X\n", "{\"64496\": \"X\"}", "{\"64496\": \"X\","] {
        let start = start.as_bytes().chain(BufReader::new(Broken));
        let mut reader: Box<dyn BufRead> = Box::new(BufReader::with_capacity(4, start));
        let error = load_as_names(Path::new("x"), None, &mut reader).unwrap_err();
        assert_eq!(error.kind(), "facts_read");
    }
}

#[test]
fn the_date_of_the_file_goes_before_the_hint() {
    let hint = Some(Timestamp::from_secs(7));
    let load = |name: &str, text: &str| {
        load_origins(Path::new(name), hint, &mut text.as_bytes()).map(|loaded| date_of(&loaded))
    };
    let line = "192.0.2.0/24\t64496\n";
    let inside = format!("; Original file : rib.20080501.0644.bz2\n{line}");
    assert_eq!(load("a.20100101.dat", &inside).unwrap(), "2008-05-01T06:44:00Z");
    assert_eq!(load("a.20100101.dat", line).unwrap(), "1970-01-01T00:00:07Z");
    let loaded = load_origins(Path::new("a.20100101.dat"), None, &mut line.as_bytes()).unwrap();
    assert_eq!(date_of(&loaded), "2010-01-01T00:00:00Z");
}

/// Small well-formed files: the seeds of the damage below, and of the fuzzer.
const SEEDS: [&str; 21] = [
    r#"{"roas":[{"asn":64496,"prefix":"192.0.2.0/24"}],"aspas":[{"customer_asid":64496,"providers":[64497,"AS64498"]}],"provider_authorizations":{"ipv4":[{"customer_asid":64496,"providers":[0]}],"ipv6":[]}}"#,
    r#"{"metadata":{"buildtime":"2025-07-20T09:31:33Z"},"roas":[{"asn":64496,"prefix":"192.0.2.0/24","maxLength":25,"ta":"ripe","expires":1},{"asn":"AS64497","prefix":"2001:db8::/32","maxLength":48}]}"#,
    "ASN,IP Prefix,Max Length,Trust Anchor\nAS64496,192.0.2.0/24,25,ripe\nAS0,2001:db8::/32,,x\n",
    "; Original file : rib.20080501.0644.bz2\n192.0.2.0/24\t64496\n2001:db8::/32\t{64497,64498}\n",
    "192.0.2.0\t24\t64496_64497\n198.51.100.0\t24\t64498,64499\n",
    "% c\n64496\t192.0.2.0/24\t300\n{64497}\t2001:db8::/32\t5\n",
    "\u{feff}net,len,asn\n192.0.2.0,24,64496\n",
    "{\"type\":\"Organization\",\"organizationId\":\"O1\",\"name\":\"E\",\"country\":\"NL\"}\n{\"type\":\"ASN\",\"asn\":\"64496\",\"organizationId\":\"O1\"}\n",
    "# c\n64496|64497|-1\n64497|64498|0|bgp\n64496|64499|0\n",
    "name=\"x\"\n[[member]]\nid=\"a\"\nasns=[1]\nprefixes=[\"192.0.2.0/24\",{prefix=\"::/9\",origins=[2]}]\n",
    "2|arin|1|3|19830705|20250720|0\narin|US|ipv4|192.0.2.0|256|2|assigned\narin||asn|1|9||reserved\n",
    r#"{"64496": "EXAMPLE-AS Ex\u00e4mple, NL", "64497": "X \ud83d\ude00"}"#,
    "64496 EXAMPLE-AS Example, NL\nAS64497\tX\n",
    r#"{"net":{"data":[{"id":7,"asn":64496,"name":"E","info_prefixes4":20}]},"poc":{"data":[{"net_id":7,"role":"NOC"}]},"netixlan":{"data":[{"net_id":7,"ix_id":1,"name":"X"}]}}"#,
    r#"{"participants":[{"name":"E","ASNs":[64496,"AS64497"],"member_since":"2020-01-02"}]}"#,
    "timestamp,client4,asn4,routedspoof,client6,asn6,routedspoof6\n2020-05-07T14:34:59+00:00,192.0.2.0/24,64496,received,2001:db8::/40,64496,blocked\n",
    r#"{"timestamp":"2020-05-07T14:34:59+00:00","client4":"192.0.2.0/24","asn4":"64496","routedspoof":"received"}"#,
    r#"{"objectClassName":"autnum","startAutnum":64496,"entities":[{"roles":["noc"],"vcardArray":["vcard",[["tel",{},"text","1"]]]}]}"#,
    "Name,ASNs,Since\n\"E, Ltd\",64496;64497,2020-01-02\n",
    r#"{"roas":[{"asn":99999999999999999999999999,"prefix":"999.0.0.0/999","maxLength":1e300}]}"#,
    r#"{"roas":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"#,
];

fn run_all(data: &[u8]) {
    for kind in 0..11 {
        fuzz::facts(kind, data);
    }
}

#[test]
fn damaged_files_never_panic() {
    for seed in SEEDS.map(str::as_bytes) {
        run_all(seed);
        for cut in 0..seed.len() {
            run_all(&seed[..cut]);
            run_all(&seed[cut..]);
        }
        for at in 0..seed.len() {
            let mut damaged = seed.to_vec();
            for damage in [1, 4, 0x10, 0x80, 0xff] {
                damaged[at] = seed[at] ^ damage;
                run_all(&damaged);
            }
            for octet in [b'\n', b'"', b'{', b'[', b'9', 0] {
                damaged[at] = octet;
                run_all(&damaged);
            }
            // A wrong length: part of the file once more in the middle.
            damaged[at] = seed[at];
            damaged.splice(at..at, seed.iter().copied().take(at + 1));
            run_all(&damaged);
        }
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_octets_never_panic(kind: u8, data: Vec<u8>) {
        fuzz::facts(kind, &data);
    }

    #[test]
    fn arbitrary_text_of_the_formats_never_panics(
        kind: u8,
        text in r#"[{}\[\],:"\\ \n\t|/.0-9a-zA-Z_-]{0,200}"#,
    ) {
        fuzz::facts(kind, text.as_bytes());
    }
}

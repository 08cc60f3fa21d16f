//! A constituency from the data of our lab, its drift, and changes of the RPKI.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::{routewarden, shared_data};

const RIB: &str = "testdata/lab/plain/col/rib-20060102.150405.mrt";
const VRPS: &str = "testdata/lab/vrps.json";

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn a_constituency_is_written_with_the_source_of_every_line_and_checks_clean() {
    let folder = tempfile::tempdir().unwrap();
    let names = written(folder.path(), "names.txt", "64498 TRANSIT-ONE, NL\n64499 EDGE \"Q\"\n");
    let orgs = written(
        folder.path(),
        "orgs.jsonl",
        "{\"type\":\"Organization\",\"organizationId\":\"@fam-1\",\"name\":\"Fam\",\"country\":\"NL\"}\n\
         {\"type\":\"ASN\",\"asn\":\"64502\",\"organizationId\":\"@fam-1\"}\n\
         {\"type\":\"ASN\",\"asn\":\"64501\",\"organizationId\":\"@fam-1\"}\n",
    );
    let with = ["--rib", RIB, "--vrps", VRPS, "--as-names", &names, "--orgs", &orgs];
    let init = ["constituency", "init", "-q", "--name", "Lab", "--country", "nl", "--asn", "64499"];
    let args: Vec<&str> = init.iter().chain(&with).copied().collect();
    let text = routewarden(&args).expect(0).stdout;
    insta::assert_snapshot!("constituency_init", text);
    assert_eq!(routewarden(&args).stdout, text, "the same whenever it is asked");

    let file = folder.path().join("lab.toml").to_string_lossy().into_owned();
    let args: Vec<&str> = args.into_iter().chain(["-o", &file]).collect();
    routewarden(&args).expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let again = routewarden(&args).expect(1);
    assert!(again.stderr.contains("cannot create"), "{}", again.stderr);

    let ran = routewarden(["constituency", "check", &file, "--rib", RIB]).expect(0);
    assert_eq!(ran.stdout, "member  kind  prefix  asn  detail\n");
    assert!(ran.stderr.contains("2 members, 3 prefixes, rib-20060102.150405.mrt: 0 differences"));
}

/// A customer inside a member's block is drift, unless it is taken as it stands.
#[test]
fn what_others_originate_inside_is_listed_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let init = |name: &str, more: &[&str]| {
        let file = folder.path().join(name).to_string_lossy().into_owned();
        let args = ["constituency", "init", "-q", "--asn", "AS64504", "--rib", RIB, "-o", &file];
        routewarden(args.iter().chain(more)).expect(0);
        file
    };
    let file = init("strict.toml", &[]);
    let ran = routewarden(["constituency", "check", "-q", &file, "--rib", RIB]).expect(4);
    assert!(ran.stdout.contains("unexpected_origin  192.0.2.224/28  AS64503"), "{}", ran.stdout);
    let file = init("standing.toml", &["--accept-standing"]);
    let line =
        "  { prefix = \"192.0.2.224/28\", origins = [64503] },  # AS64503, seen by 5 of 5 peer";
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(line), "{text}");
    routewarden(["constituency", "check", "-q", &file, "--rib", RIB]).expect(0);
}

#[test]
fn drift_is_named_and_ends_with_4() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(
        folder.path(),
        "lab.toml",
        "[[member]]\nid = \"victim\"\nasns = [64502]\nupstreams = [64501, 64500]\n\
         prefixes = [\"203.0.113.0/25\", \"198.51.100.128/25\"]\n",
    );
    let check = ["constituency", "check", "-q", &file, "--rib", RIB, "--vrps", VRPS];
    insta::assert_snapshot!("constituency_check", routewarden(check).expect(4).stdout);
    let json = routewarden(check.into_iter().chain(["--format", "json"])).expect(4).stdout;
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["members"], 1);
    let drift = document["drift"].as_array().unwrap();
    assert!(drift.iter().any(|d| d["kind"] == "unlisted_prefix" && d["asn"] == 64502), "{json}");
    let sources = document["facts"].as_array().unwrap();
    assert!(sources.iter().any(|fact| fact["kind"] == "constituency" && fact["entries"] == 1));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "bad.toml", "[[member]]\nid = \"a\"\nasns = [0]\n");
    let ran = routewarden(["detect", "-q", "--constituency", &file, RIB]).expect(1);
    let says = "cannot load the constituency: ";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    assert!(ran.stderr.contains("bad.toml: line 3, column 9: invalid value"), "{}", ran.stderr);
    for args in [
        &["constituency", "init"][..],
        &["constituency", "init", "--country", "NL"],
        &["constituency", "init", "--country", "Netherlands", "--orgs", "x"],
        &["constituency", "init", "--asn", "1", "--rib", "x", "--origins", "y"],
        &["rpki", "diff", "x"],
    ] {
        routewarden(args).expect(2);
    }
    let ran = routewarden(["constituency", "init", "--asn", "64502", "--rib", VRPS]).expect(1);
    assert!(!ran.stderr.is_empty());
}

/// A member's ROA goes, a foreign one comes, and a route turns invalid with no BGP update.
#[test]
fn rpki_diff_tells_members_and_standing_routes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, time: &str, roas: &str, providers: &str| {
        let text = format!(
            "{{\"metadata\":{{\"buildtime\":\"{time}\"}},\"roas\":[{roas}],\"aspas\":[\
             {{\"customer_asid\":64502,\"providers\":[{providers}]}}]}}"
        );
        written(folder.path(), name, &text)
    };
    let roa = |prefix: &str, len: u8, asn: u32| {
        format!(
            "{{\"prefix\":\"{prefix}\",\"maxLength\":{len},\"asn\":{asn},\"ta\":\"lab\",\
             \"expires\":1900000000}}"
        )
    };
    let other = roa("2001:db8::/32", 48, 64496);
    let before = format!("{},{other}", roa("203.0.113.0/24", 24, 64502));
    let after = format!("{},{other}", roa("203.0.113.0/24", 24, 64503));
    let old = run("old.json", "2026-11-23T10:00:00Z", &before, "64498");
    let new = run("new.json", "2026-11-23T10:30:00Z", &after, "64498,64503");
    let members = written(
        folder.path(),
        "members.toml",
        "[[member]]\nid = \"victim\"\nname = \"Victim Networks\"\nasns = [64502]\n\
         prefixes = [\"203.0.113.0/24\"]\nupstreams = [64498, 64501]\n",
    );
    let diff = ["rpki", "diff", &old, &new, "--rib", RIB, "--constituency", &members];
    let ran = routewarden(diff).expect(0);
    insta::assert_snapshot!("rpki_diff", ran.stdout);
    assert!(ran.stderr.contains("validated anew in"), "{}", ran.stderr);
    let ran = routewarden(diff.into_iter().chain(["-q", "--format", "json"])).expect(0);
    assert_eq!(ran.stderr, "");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["routes"]["changed"][0]["after"], "invalid");
    assert_eq!(document["added"][0]["ta"], "lab");
    let kinds = |list: &str| -> Vec<String> {
        let list = document[list].as_array().unwrap();
        list.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("roa_findings"), ["foreign_asn", "removed"]);
    assert_eq!(kinds("aspa_findings"), ["foreign_provider"]);
}

#[test]
fn real_runs_half_an_hour_apart() {
    let names = [
        "rpki/rpkiclient_summary_20250720T093135Z.json.bz2",
        "rpki/rpkiclient_summary_20250720T100145Z.json.bz2",
        "origins/dfz-v4-prefix-origin.2021.csv.gz",
    ];
    let [Some(old), Some(new), Some(origins)] = names.map(shared_data) else { return };
    let diff = ["rpki", "diff", &old, &new, "--origins", &origins, "--format", "json"];
    let ran = routewarden(diff).expect(0);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let lists = ["added", "removed"].map(|list| document[list].as_array().unwrap().len());
    assert_eq!((lists, &document["renewed"]), ([9, 6], &Value::from(10_193)));
    assert_eq!(document["touched_prefixes"], 10);
    assert_eq!(document["routes"], serde_json::json!({"touched": 1, "changed": []}));
    assert!(ran.stderr.contains("of 893943 routes 1 validated anew"), "{}", ran.stderr);
}

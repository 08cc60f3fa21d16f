//! What the configuration takes, and how it says no.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn told(text: &str) -> Vec<String> {
    let path = Path::new("/nonexistent/f.toml");
    let findings = match check(path, text.as_bytes()) {
        Ok(checked) => checked.warnings,
        Err(refused) => refused.findings,
    };
    findings.iter().map(|finding| finding.line_for(Path::new("f"))).collect()
}

fn kinds(text: &str) -> Vec<(&'static str, usize, usize)> {
    let findings = match check(Path::new("/nonexistent/f.toml"), text.as_bytes()) {
        Ok(checked) => checked.warnings,
        Err(refused) => refused.findings,
    };
    findings.iter().map(|finding| (finding.kind, finding.line, finding.column)).collect()
}

#[test]
fn everything_wrong_with_the_structure_is_told_at_once_with_its_place() {
    let text = "\
data_dirr = \"x\"
[http]
listen = \"8080\"
[log]
level = \"inf\"
[detect]
quorum = 0
bogons = 1
[[bmp]]
allow = []
views = [\"loc_rib\", \"locrib\"]
[[bgp]]
listen = \"127.0.0.1:179\"
local_asn = 4294967295
router_id = \"::1\"
neighbours = \"none\"
[storage]
[[ris_live]]
url = \"https://ris-live.example/\"
";
    assert_eq!(
        told(text),
        [
            "f:1:1: error: data_dirr: is not known here; did you mean \"data_dir\"?",
            "f:3:10: error: http.listen: \"8080\" is wrong: expected ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080",
            "f:5:9: error: log.level: \"inf\" is not one of error, warn, info, debug, trace; did you mean \"info\"?",
            "f:7:10: error: detect.quorum: 0 is out of range: from 1 to 1000",
            "f:8:10: error: detect.bogons: is a whole number, not true or false",
            "f:9:1: error: bmp[0].listen: is missing (Address and port to listen on)",
            "f:10:9: error: bmp[0].allow: is empty: at least one is needed",
            "f:11:21: error: bmp[0].views[1]: \"locrib\" is not one of adj_rib_in_pre, adj_rib_in_post, adj_rib_out_pre, adj_rib_out_post, loc_rib; did you mean \"loc_rib\"?",
            "f:14:13: error: bgp[0].local_asn: 4294967295 is out of range: from 1 to 4294967294",
            "f:15:13: error: bgp[0].router_id: \"::1\" is wrong: expected an IPv4 address, as 192.0.2.1",
            "f:16:14: error: bgp[0].neighbours: is a text, not a list",
            "f:17:2: error: storage: is not known here; did you mean \"store\"?",
            "f:19:7: error: ris_live[0].url: \"https://ris-live.example/\" is wrong: expected a URL of ws or wss without a password",
        ]
    );
}

#[test]
fn one_table_for_a_list_of_them_is_told_how_to_be_written() {
    let lines = told("[bmp]\nlisten = \"127.0.0.1:1\"\n[[http]]\n");
    assert_eq!(
        lines,
        [
            "f:1:2: error: bmp: is one table, not a list of them: write [[bmp]]",
            "f:3:1: error: http: is a list, not a table",
        ]
    );
}

#[test]
fn what_it_means_is_checked_too() {
    let text = "\
[http]
listen = \"0.0.0.0:8080\"
[[bmp]]
listen = \"127.0.0.1:8080\"
allow = [\"192.0.2.1\"]
[[bmp]]
listen = \"127.0.0.1:0\"
allow = [\"192.0.2.1\"]
[[bgp]]
listen = \"127.0.0.1:179\"
local_asn = 23456
router_id = \"0.0.0.0\"
neighbours = [
  { name = \"a\", address = \"192.0.2.1\", asn = 64497, tcp_md5_file = \"no.md5\" },
  { name = \"A\", address = \"192.0.2.1\", asn = 64497 },
]
[[archive]]
collectors = [\"a\"]
start_table = false
follow = false
every = \"1s\"
[constituency]
file = \"no.toml\"
[rpki]
vrps = \"no.json\"
rtr = [{ name = \"r\", address = \"127.0.0.1:1\" }, { name = \"r\", address = \"127.0.0.1:2\" }]
[[directory]]
path = \"no\"
collector = \"d\"
";
    let lines = told(text);
    let has =
        |part: &str| assert!(lines.iter().any(|line| line.contains(part)), "{part}\n{lines:#?}");
    for part in [
        "f:2:10: warning: http.listen: 0.0.0.0:8080 is reached by others",
        "f:4:10: error: bmp[0].listen: 127.0.0.1:8080 is taken by http.listen",
        "f:6:1: error: bmp[1].name: the name \"bmp\" is taken by bmp[0].name: give another one",
        "f:11:13: error: bgp[0].local_asn: 23456 stands for",
        "f:12:13: error: bgp[0].router_id: 0.0.0.0 is no BGP identifier",
        "f:14:68: error: bgp[0].neighbours[0].tcp_md5_file: cannot read /nonexistent/no.md5: ",
        "f:15:12: error: bgp[0].neighbours[1].name: the name \"A\" is taken",
        "f:15:27: error: bgp[0].neighbours[1].address: the address \"192.0.2.1\" is taken",
        "f:17:1: error: archive[0]: neither start_table nor follow",
        "f:18:15: error: archive[0].collectors[0]: the name \"a\" is taken",
        "f:21:9: error: archive[0].every: 1s is too often",
        "f:23:8: error: constituency.file: cannot read /nonexistent/no.toml: No such file",
        "f:25:8: warning: rpki.vrps: cannot read /nonexistent/no.json",
        "f:26:58: error: rpki.rtr[1].name: the name \"r\" is taken",
        "f:28:8: error: directory[0].path: cannot read the folder /nonexistent/no",
    ] {
        has(part);
    }
    assert_eq!(lines.len(), 15, "{lines:#?}");
}

/// What can be told without the wrong keys is told beside them, and nothing that rests on them.
#[test]
fn structure_and_meaning_are_told_together() {
    let text = "\
[http]
listen = \"0.0.0.0:8080\"
[constituency]
file = \"no.toml\"
fiel = \"no.toml\"
[[ris_live]]
[[ris_live]]
name = \"a b\"
";
    let kinds: Vec<(&str, usize)> = kinds(text).iter().map(|found| (found.0, found.1)).collect();
    let expected = [("open_listener", 2), ("unreadable", 4), ("unknown_key", 5), ("bad_value", 8)];
    assert_eq!(kinds, expected);
}

#[test]
fn defaults_are_those_of_the_constants_and_paths_become_whole() {
    let text = "data_dir = \"data\"\n[[ris_live]]\n[[archive]]\ncollectors = [\"rrc12\"]\n\
                [facts.origins]\nfrom = \"o.gz\"\n";
    let checked = check(Path::new("/nonexistent/f.toml"), text.as_bytes()).unwrap();
    let config = checked.config;
    assert_eq!(config.data_dir, Path::new("/nonexistent/data"));
    assert_eq!(config.http.listen, HTTP_LISTEN_DEFAULT);
    assert!(config.http.listen.ip().is_loopback());
    assert_eq!(config.ris_live[0].url, RIS_LIVE_URL);
    assert_eq!(config.archive[0].every, ARCHIVE_EVERY_DEFAULT);
    assert_eq!(config.cache_dir(&config.archive[0]), Path::new("/nonexistent/data/archive"));
    let origins = config.facts.origins.as_ref().unwrap();
    assert_eq!(origins.from, Place::File("/nonexistent/o.gz".into()));
    assert_eq!(origins.every, FACTS_EVERY_DEFAULT);
    let again = toml::to_string(&config).unwrap();
    let again = check(Path::new("/elsewhere/f.toml"), again.as_bytes()).unwrap().config;
    assert_eq!(format!("{config:?}"), format!("{again:?}"), "what is shown can be read");
}

#[test]
fn flags_go_before_the_file() {
    let mut config = check(Path::new("f"), b"[log]\nlevel = \"warn\"\n").unwrap().config;
    config.apply(Overrides::default());
    assert_eq!(config.log.level, LogLevel::Warn);
    config.apply(Overrides { log_level: Some(LogLevel::Debug), log_format: Some(LogFormat::Json) });
    assert_eq!((config.log.level, config.log.format), (LogLevel::Debug, LogFormat::Json));
}

#[test]
fn a_secret_that_everybody_may_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("s.md5");
    std::fs::write(&secret, "x").unwrap();
    let text = "[[bgp]]\nlisten = \"127.0.0.1:0\"\nlocal_asn = 64496\nrouter_id = \"192.0.2.1\"\n\
                neighbours = [{ name = \"a\", address = \"192.0.2.2\", asn = 64497, \
                tcp_md5_file = \"s.md5\" }]\n";
    let warnings = |mode| {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        check(&folder.path().join("f.toml"), text.as_bytes()).unwrap().warnings
    };
    assert_eq!(warnings(0o640), []);
    let found = warnings(0o644);
    assert_eq!((found.len(), found[0].kind, found[0].line), (1, "unprotected_secret", 5));
    std::fs::remove_file(&secret).unwrap();
    std::fs::create_dir(&secret).unwrap();
    let error = check(&folder.path().join("f.toml"), text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("it is no plain file"), "{error}");
}

#[test]
fn without_users_nobody_else_may_reach_it() {
    let off = "[access]\nmode = \"off\"\n";
    assert_eq!(kinds(off), [("no_source", 1, 1)]);
    for (http, place) in [
        ("[http]\nlisten = \"0.0.0.0:8080\"\n", (4, 8)),
        ("[http]\nlisten = \"[2001:db8::1]:8080\"\n", (4, 8)),
        ("[http]\npublic_url = \"https://a.example\"\n", (4, 8)),
    ] {
        let found = kinds(&format!("{http}{off}"));
        assert!(found.contains(&("open_to_all", place.0, place.1)), "{http}: {found:?}");
    }
    let users = |http: &str| {
        let found = kinds(&format!("[http]\nlisten = \"192.0.2.1:8080\"\n{http}"));
        found.iter().any(|(kind, ..)| *kind == "open_listener")
    };
    assert!(users("") && users("public_url = \"http://a.example\"\n"));
    assert!(!users("public_url = \"https://a.example\"\n"));
}

#[test]
fn limits_hold() {
    let long = vec![b'#'; usize::try_from(FILE_OCTETS_MAX).unwrap() + 1];
    let most = &long[1..];
    let path = Path::new("f");
    assert_eq!(check(path, &long).unwrap_err().findings[0].kind, "too_long");
    assert!(check(path, most).is_ok());
    let error = check(path, b"# ok\n\n# \xff\n").unwrap_err();
    assert_eq!((error.findings[0].kind, error.findings[0].line), ("not_utf8", 3));
    let station = "[[bmp]]\nlisten = \"127.0.0.1:0\"\nallow = [\"192.0.2.1\"]\n";
    let stations = |count: usize| {
        (0..count).fold(String::new(), |mut text, number| {
            writeln!(text, "{station}name = \"b{number}\"").unwrap();
            text
        })
    };
    assert_eq!(kinds(&stations(SOURCES_MAX)), []);
    assert_eq!(kinds(&stations(SOURCES_MAX + 1)), [("out_of_range", 1, 1)]);
    let unknown: Vec<String> = (0..=FINDINGS_MAX).map(|n| format!("k{n} = 1")).collect();
    let unknown = unknown.join("\n");
    let error = check(path, unknown.as_bytes()).unwrap_err();
    assert_eq!((error.findings.len(), error.untold), (FINDINGS_MAX, 1));
    assert!(error.to_string().ends_with("and 1 more"));
    let name = |octets: usize| format!("[[ris_live]]\nname = \"{}\"\n", "n".repeat(octets));
    assert_eq!(kinds(&name(NAME_OCTETS_MAX)), []);
    assert_eq!(kinds(&name(NAME_OCTETS_MAX + 1)), [("bad_value", 2, 8)]);
}

/// Any one octet of the example lost or changed: an answer with a place in the file, never a panic.
#[test]
fn a_damaged_file_gets_an_answer() {
    let example = example::uncommented().into_bytes();
    let lines = example.split(|&octet| octet == b'\n').count();
    for at in (0..example.len()).step_by(61) {
        for damage in [None, Some(b'"'), Some(b'['), Some(b'\n'), Some(b'\0'), Some(0xc3)] {
            let mut damaged = example.clone();
            damaged.splice(at..=at, damage);
            if let Err(refused) = check(Path::new("/nonexistent/f"), &damaged) {
                assert!(!refused.findings.is_empty());
                for finding in refused.findings {
                    assert!((1..=lines + 1).contains(&finding.line) && finding.column > 0);
                }
            }
        }
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let text = format!("a = {}", "[".repeat(100_000));
    assert!(check(Path::new("f"), text.as_bytes()).is_err());
}

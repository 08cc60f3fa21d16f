//! The command line: help, formats, exit codes, the schema of an incident.

use std::io::Write;

use crate::program::{repository, routewarden};
use crate::schema::Schema;

const LAB: &str = "testdata/lab/plain/col/updates.mrt";

#[test]
fn help_of_every_verb() {
    for verb in [
        "",
        "detect",
        "explain",
        "mrt",
        "relations",
        "validate",
        "constituency",
        "rpki",
        "scenario",
        "config",
    ] {
        let ran = routewarden([verb, "--help"].iter().filter(|arg| !arg.is_empty())).expect(0);
        insta::assert_snapshot!(format!("help_{verb}"), ran.stdout);
    }
}

#[test]
fn formats_of_detect() {
    for format in ["table", "md", "csv", "jsonl"] {
        let ran = routewarden(["detect", "-q", "--no-bogons", "--format", format, LAB]).expect(0);
        insta::assert_snapshot!(format!("detect_{format}"), ran.stdout);
    }
    let ran = routewarden(["detect", "-q", "--no-bogons", "--format", "json", LAB]).expect(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["incidents"].as_array().unwrap().len(), 2);
    assert_eq!(document["counters"]["announcements"], 85);
}

#[test]
fn the_summary_says_what_went_in() {
    let ran = routewarden(["detect", "--no-bogons", LAB]).expect(0);
    insta::assert_snapshot!("detect_summary", ran.stderr);
}

#[test]
fn incidents_follow_the_schema() {
    let path = repository().join("docs/reference/incident.schema.json");
    let schema = Schema::parse(&std::fs::read_to_string(path).unwrap());
    let mut checked = 0;
    let scenarios = std::fs::read_dir(repository().join("scenarios")).unwrap();
    let scenarios = scenarios.map(|entry| entry.unwrap().path());
    for folder in scenarios.filter(|path| path.join("scenario.toml").exists()) {
        let folder = folder.to_string_lossy().into_owned();
        let ran = routewarden(["scenario", "run", "--format", "jsonl", &folder]).expect(0);
        for line in ran.stdout.lines() {
            let incident: serde_json::Value = serde_json::from_str(line).unwrap();
            let errors = schema.errors(&incident);
            assert!(errors.is_empty(), "{folder}: {errors:?}");
            checked += 1;
        }
    }
    assert!(checked >= 6);
    let wrong = serde_json::json!({ "id": 1, "kind": "attack", "extra": true });
    let errors = schema.errors(&wrong);
    for part in ["$.id: no string", "$.kind: not one of", "$: lacks severity", "$: extra"] {
        assert!(errors.iter().any(|error| error.starts_with(part)), "{part}: {errors:?}");
    }
}

#[test]
fn explain_finds_an_incident_by_the_beginning_of_its_id() {
    let found = routewarden(["detect", "-q", "--no-bogons", "--format", "jsonl", LAB]).expect(0);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(found.stdout.as_bytes()).unwrap();
    let path = file.path().to_string_lossy().into_owned();
    let incident = found.incidents().pop().unwrap();
    let ran = routewarden(["explain", incident.id.get(..14).unwrap(), "--in", &path]).expect(0);
    insta::assert_snapshot!("explain", ran.stdout);
    let ambiguous = routewarden(["explain", "RW-", "--in", &path]).expect(1);
    assert!(ambiguous.stderr.contains("several incidents"), "{}", ambiguous.stderr);
    let unknown = routewarden(["explain", "RW-2", "--in", LAB]).expect(1);
    assert!(unknown.stderr.contains("updates.mrt"), "{}", unknown.stderr);
}

#[test]
fn exit_codes() {
    routewarden(["detect"]).expect(2);
    routewarden(["detect", "--from", "yesterday", LAB]).expect(2);
    routewarden(["detect", "archive:rrc12"]).expect(2);
    routewarden(["detect", "--quorum", "0", LAB]).expect(2);
    routewarden(["detect", "--from", "2026-11-24", "--until", "2026-11-23", LAB]).expect(2);
    routewarden(["detect", "no-such-file.mrt"]).expect(1);
    routewarden(["detect", "Cargo.toml"]).expect(1);
    routewarden(["detect", "--keep-going", "--no-bogons", "Cargo.toml", LAB]).expect(3);
    let fail_on = |class| ["detect", "-q", "--no-bogons", "--fail-on", class, LAB];
    routewarden(fail_on("low")).expect(4);
    routewarden(fail_on("critical")).expect(0);
    routewarden(["mrt", "--count", "no-such-file.mrt"]).expect(1);
    routewarden(["mrt", "--count", "--keep-going", "no-such-file.mrt", LAB]).expect(3);
    routewarden(["validate", "203.0.113.0/24", "64502", "--vrps", "Cargo.toml"]).expect(1);
}

#[test]
fn validate_says_why() {
    let cases = [
        ("203.0.113.0/24", "64502", "valid"),
        ("203.0.113.0/25", "64502", "invalid: longer than the AS's VRPs allow"),
        ("203.0.113.0/24", "AS64503", "invalid: no covering VRP has this AS"),
        ("198.51.100.0/24", "64502", "not found: no VRP covers the prefix"),
    ];
    for (prefix, asn, words) in cases {
        let ran = routewarden(["validate", prefix, asn, "--vrps", "testdata/lab/vrps.json"]);
        let stdout = ran.expect(0).stdout;
        assert!(stdout.lines().next().unwrap().ends_with(words), "{stdout}");
    }
}

#[test]
fn mrt_prints_and_counts() {
    for format in ["table", "jsonl", "bgpdump"] {
        let ran = routewarden(["mrt", "-q", "--format", format, LAB]).expect(0);
        assert_eq!(ran.stdout.lines().count(), 97);
        let head: Vec<&str> = ran.stdout.lines().take(3).collect();
        insta::assert_snapshot!(format!("mrt_{format}"), head.join("\n"));
    }
    let ran = routewarden(["mrt", "-q", "--count", "--format", "json", LAB]).expect(0);
    insta::assert_snapshot!("mrt_count", ran.stdout);
}

#[test]
fn completions_and_man_page_are_made() {
    let ran = routewarden(["completions", "bash"]).expect(0);
    assert!(ran.stdout.contains("--fail-on"));
    let ran = routewarden(["man"]).expect(0);
    assert!(ran.stdout.contains(".TH routewarden") && ran.stdout.contains("\\-\\-fail\\-on"));
}

#[test]
fn standard_input_is_read() {
    let program = env!("CARGO_BIN_EXE_routewarden");
    let input = std::fs::File::open(repository().join(LAB)).unwrap();
    let output = std::process::Command::new(program)
        .args(["detect", "-q", "--no-bogons", "--format", "jsonl", "-"])
        .stdin(input)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout.split(|&octet| octet == b'\n').count(), 3);
}

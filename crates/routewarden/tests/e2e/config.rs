//! The configuration from the command line.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::program::{repository, routewarden};

const WRONG: &str = "[http]\nlisten = \"0.0.0.0:8080\"\nlisten_on = 1\n\n[[bmp]]\nallow = []\n";

fn written(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("routewarden.toml");
    fs::write(&path, text).unwrap();
    let path = path.to_string_lossy().into_owned();
    (folder, path)
}

#[test]
fn check_tells_everything_with_its_place() {
    let (_folder, path) = written(WRONG);
    let ran = routewarden(["config", "check", "--config", &path]).expect(2);
    insta::assert_snapshot!("config_check", ran.stdout.replace(&path, "FILE"));
    assert_eq!(ran.stderr, "");
    let ran = routewarden(["config", "check", "--config", &path, "--format", "json"]).expect(2);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&document["ok"], &document["file"]), (&false.into(), &path.as_str().into()));
    let finding = &document["findings"][0];
    let place = (&finding["line"], &finding["column"]);
    assert_eq!(place, (&3.into(), &1.into()));
    assert_eq!(
        (&finding["kind"], &finding["key"]),
        (&"unknown_key".into(), &"http.listen_on".into())
    );
}

#[test]
fn a_configuration_that_is_right_ends_with_0() {
    let example = repository().join("config/routewarden.toml").to_string_lossy().into_owned();
    let ran = routewarden(["config", "check", "--config", &example]).expect(0);
    assert!(ran.stdout.contains("warning: no source is configured"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("right, 0 errors, 1 warnings\n"), "{}", ran.stdout);
    let ran = routewarden(["config", "check", "--config", "no-such-file"]).expect(2);
    assert!(ran.stderr.contains("cannot read the configuration no-such-file"), "{}", ran.stderr);
    assert!(ran.stderr.contains("No such file"), "{}", ran.stderr);
}

#[test]
fn the_example_is_the_file_of_the_repository() {
    let ran = routewarden(["config", "example"]).expect(0);
    let file = fs::read_to_string(repository().join("config/routewarden.toml")).unwrap();
    assert!(ran.stdout == file, "the example is not that of the repository");
}

#[test]
fn the_schema_names_every_section() {
    let ran = routewarden(["config", "schema"]).expect(0);
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for section in ["http", "bmp", "bgp", "ris_live", "archive", "directory", "rpki", "facts"] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
    assert!(!ran.stdout.contains("null"), "TOML has no null");
}

#[test]
fn what_is_shown_has_the_defaults_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("edge1.md5");
    fs::write(&secret, "swordfish").unwrap();
    let path = folder.path().join("routewarden.toml");
    let text = "[[bgp]]\nlisten = \"127.0.0.1:0\"\nlocal_asn = 64496\nrouter_id = \"192.0.2.10\"\n\
                neighbours = [{ name = \"edge1\", address = \"192.0.2.1\", asn = 64497, \
                tcp_md5_file = \"edge1.md5\" }]\n[log]\nlevel = \"warn\"\n";
    fs::write(&path, text).unwrap();
    let path = path.to_string_lossy().into_owned();
    let show = ["config", "show", "--config", &path];
    let ran = routewarden(show).expect(0);
    let stdout = ran.stdout.replace(&*folder.path().to_string_lossy(), "FOLDER");
    insta::assert_snapshot!("config_show", stdout);
    assert!(!stdout.contains("swordfish"));
    let (_again, file) = written(&ran.stdout);
    assert_eq!(routewarden(["config", "show", "--config", &file]).expect(0).stdout, ran.stdout);

    let ran = routewarden(show.into_iter().chain(["--log-level", "debug"])).expect(0);
    assert!(ran.stdout.contains("level = \"debug\""), "{}", ran.stdout);
    let (_folder, path) = written(WRONG);
    let ran = routewarden(["config", "show", "--config", &path]).expect(2);
    assert!(ran.stderr.contains(":3:1: error: http.listen_on"), "{}", ran.stderr);
}

/// Flags go before the environment, and that before the file.
#[test]
fn the_environment_names_file_and_level() {
    let (_folder, path) = written("[log]\nlevel = \"warn\"\n");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_routewarden"));
        command.args(["config", "show"]).args(args).env("ROUTEWARDEN_CONFIG", &path);
        let output = command.env("ROUTEWARDEN_LOG_LEVEL", "error").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&[]).contains("level = \"error\""), "{}", run(&[]));
    assert!(run(&["--log-level", "trace"]).contains("level = \"trace\""));
}

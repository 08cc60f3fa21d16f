//! The Debian package and the systemd unit, built with the program under test. Nothing is
//! installed on the machine.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::program::repository;

/// What a tool printed; `None`, said plainly, when it is not there.
fn tool<S: AsRef<OsStr>>(name: &str, args: impl IntoIterator<Item = S>) -> Option<Output> {
    let ran = Command::new(name).args(args).current_dir(repository()).output();
    let Ok(output) = ran else {
        eprintln!("skipped: {name} is not there");
        return None;
    };
    Some(output)
}

fn stdout(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The package, built anew into the folder; `None` where packages cannot be built.
fn build(folder: &Path) -> Option<PathBuf> {
    tool("dpkg-deb", ["--version"])?;
    tool("strip", ["--version"])?;
    let binary = env!("CARGO_BIN_EXE_routewarden");
    let script = repository().join("packaging/debian/build");
    let built = Command::new(script)
        .args(["--binary", binary, "--compression", "none", "--output"])
        .arg(folder)
        .output()
        .unwrap();
    let path = stdout(built);
    Some(PathBuf::from(path.trim_end()))
}

#[test]
fn the_package_has_what_it_should_and_its_program_takes_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let Some(package) = build(folder.path()) else { return };
    let field = |name: &str| {
        stdout(tool("dpkg-deb", [OsStr::new("-f"), package.as_os_str(), name.as_ref()]).unwrap())
    };
    assert_eq!(field("Package"), "routewarden\n");
    assert_eq!(field("Version"), concat!(env!("CARGO_PKG_VERSION"), "-1\n"));
    assert!(field("Depends").starts_with("libc6 (>= 2."), "{}", field("Depends"));

    let listing = stdout(tool("dpkg-deb", [OsStr::new("-c"), package.as_os_str()]).unwrap());
    for file in [
        "-rwxr-xr-x root/root ./usr/bin/routewarden",
        "-rw-r--r-- root/root ./etc/routewarden/routewarden.toml",
        "-rw-r--r-- root/root ./usr/lib/systemd/system/routewarden.service",
        "-rw-r--r-- root/root ./usr/share/man/man1/routewarden.1.gz",
        "-rw-r--r-- root/root ./usr/share/man/man1/routewarden-config.1.gz",
        "-rw-r--r-- root/root ./usr/share/bash-completion/completions/routewarden",
        "-rw-r--r-- root/root ./usr/share/doc/routewarden/copyright",
    ] {
        let (mode, path) = file.split_once(" ./").unwrap();
        let is_it = |line: &&str| line.starts_with(mode) && line.ends_with(&format!(" ./{path}"));
        assert!(listing.lines().any(|line| is_it(&line)), "{file}\n{listing}");
    }
    for line in listing.lines() {
        assert!(line.contains(" root/root "), "{line}");
        let mode = line.split(' ').next().unwrap();
        assert_eq!(mode.as_bytes()[8], b'-', "everybody may write: {line}");
    }

    let root = folder.path().join("root");
    let unpack = [OsStr::new("-R"), package.as_os_str(), root.as_os_str()];
    stdout(tool("dpkg-deb", unpack).unwrap());
    let conffiles = fs::read_to_string(root.join("DEBIAN/conffiles")).unwrap();
    assert_eq!(conffiles, "/etc/routewarden/routewarden.toml\n");
    let installed = Command::new(root.join("usr/bin/routewarden"))
        .args(["config", "check", "--config"])
        .arg(root.join("etc/routewarden/routewarden.toml"))
        .output()
        .unwrap();
    assert!(stdout(installed).ends_with("right, 0 errors, 1 warnings\n"));
    let copyright = fs::read_to_string(root.join("usr/share/doc/routewarden/copyright")).unwrap();
    assert!(copyright.contains("\n Permission is hereby granted") && !copyright.contains('@'));
    let sums = Command::new("md5sum")
        .args(["--check", "--quiet", "DEBIAN/md5sums"])
        .current_dir(&root)
        .output()
        .unwrap();
    assert_eq!(stdout(sums), "");
    maintainer_scripts(&root);
}

/// The scripts with commands that only write down that they were called.
fn maintainer_scripts(root: &Path) {
    let bin = root.join("stubs");
    fs::create_dir(&bin).unwrap();
    let log = root.join("called");
    for command in ["getent", "adduser", "systemctl"] {
        let code = i32::from(command == "getent");
        let text = format!("#!/bin/sh\necho {command} \"$@\" >>{}\nexit {code}\n", log.display());
        let path = bin.join(command);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = |script: &str, args: &[&str]| {
        drop(fs::remove_file(&log));
        let ran = Command::new("/bin/sh")
            .arg(root.join("DEBIAN").join(script))
            .args(args)
            .env("PATH", &bin)
            .output()
            .unwrap();
        (stdout(ran), fs::read_to_string(&log).unwrap_or_default())
    };
    let (said, called) = run("postinst", &["configure"]);
    assert!(said.contains("systemctl enable --now routewarden"), "{said}");
    assert!(called.contains("adduser --system --group"), "{called}");
    assert!(!called.contains("restart"), "nothing is started unasked: {called}");
    let (said, called) = run("postinst", &["configure", "0.0.9-1"]);
    assert_eq!(said, "");
    assert_eq!(called.contains("try-restart"), Path::new("/run/systemd/system").is_dir());
    for (script, args) in
        [("prerm", "remove"), ("prerm", "upgrade"), ("postrm", "remove"), ("postrm", "purge")]
    {
        run(script, &[args]);
    }
}

#[test]
fn the_same_program_gives_the_same_package() {
    let folder = tempfile::tempdir().unwrap();
    let Some(package) = build(folder.path()) else { return };
    let first = fs::read(&package).unwrap();
    fs::remove_file(&package).unwrap();
    let again = fs::read(build(folder.path()).unwrap()).unwrap();
    assert!(first == again, "the package differs from build to build");
}

#[test]
fn the_unit_is_right_and_sandboxed() {
    let unit = "packaging/systemd/routewarden.service";
    let security = ["security", "--offline=true", "--threshold=15", "--no-pager", unit];
    let Some(output) = tool("systemd-analyze", security) else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "exposed more than 1.5: {said}");
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(repository().join(unit)).unwrap();
    // The program is not installed where the unit expects it, and there are no pages to look up.
    let text = text.replace("/usr/bin/routewarden", env!("CARGO_BIN_EXE_routewarden"));
    let lines = text.lines().filter(|line| !line.starts_with("Documentation="));
    let path = folder.path().join("routewarden.service");
    fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let verify = [OsStr::new("verify"), path.as_os_str()];
    let output = tool("systemd-analyze", verify).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("routewarden")).collect();
    assert!(ours.is_empty(), "{said}");
}

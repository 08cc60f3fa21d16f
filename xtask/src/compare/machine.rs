//! Where and with what a run was made.

use std::path::Path;
use std::process::Command;

use super::statistics::line;
use super::tools::Tools;

/// What `command` prints, trimmed; empty when it cannot be run.
pub(crate) fn said(command: &[&str], folder: &Path) -> String {
    let Some((program, arguments)) = command.split_first() else { return String::new() };
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    output.map_or(String::new(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn content(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// Value of a `key : value` line of a file below `/proc`.
fn proc_value(path: &str, key: &str) -> String {
    let content = content(path);
    let line = content.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_once(':').map_or("", |(_, value)| value.trim()).to_owned()
}

/// Processor, cores, memory, kernel, governor and load.
pub(crate) fn machine(root: &Path, cores: usize) -> String {
    let governor = content("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    let rows = [
        ("begun", said(&["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"], root)),
        ("processor", proc_value("/proc/cpuinfo", "model name")),
        ("cores", cores.to_string()),
        ("cache", proc_value("/proc/cpuinfo", "cache size")),
        ("memory", proc_value("/proc/meminfo", "MemTotal")),
        ("kernel", said(&["uname", "-srm"], root)),
        ("governor", if governor.is_empty() { "not told".to_owned() } else { governor }),
        ("load", content("/proc/loadavg")),
    ];
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        line(&mut text, &format!("{name}: {value}"));
        text
    })
}

/// Our commit and the compiler.
pub(crate) fn own_versions(root: &Path) -> String {
    let changed = said(&["git", "status", "--porcelain", "--untracked-files=no"], root);
    let state = if changed.is_empty() { "" } else { ", with uncommitted changes" };
    let commit = said(&["git", "rev-parse", "HEAD"], root);
    let mut text = format!("routewarden: {commit}{state}\n");
    line(&mut text, &format!("rustc: {}", said(&["rustc", "-V"], root)));
    text
}

/// The compiler, our commit and every peer.
pub(super) fn versions(tools: &Tools) -> String {
    let mut text = own_versions(&tools.root);
    for found in &tools.found {
        let version = found.version.as_deref().unwrap_or("missing");
        let note =
            if found.version.as_ref() == Some(&found.version_pinned) || found.version.is_none() {
                String::new()
            } else {
                format!(" (the comparison was written for {})", found.version_pinned)
            };
        line(&mut text, &format!("{}: {version}{note}", found.name));
    }
    text
}

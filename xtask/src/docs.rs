//! Documentation made from the program: blocks inside hand-written pages, and the description of the
//! API.
//!
//! A block begins with `<!-- generated: WHAT -->` and ends with `<!-- end of generated -->`.
//! `WHAT` is `rules` (table of the evidence rules), `cli` (all help texts), `configuration` (all keys
//! of the configuration), `access` (who may use which route), or `run COMMAND` (the command and what it prints, run by `sh` in the root
//! of the repository).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::CommandFactory as _;

use crate::program::Program;

const BEGIN: &str = "<!-- generated: ";
const BEGIN_END: &str = " -->";
const END: &str = "<!-- end of generated -->";

/// Columns of a help text.
const HELP_COLUMNS: usize = 100;

/// A page, and what it must say.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) is: String,
    pub(crate) should_be: String,
}

/// All pages that have blocks: `README.md` and those below `docs/`, in order of their paths; then the
/// description of the API.
pub(crate) fn pages(root: &Path, program: &Program) -> anyhow::Result<Vec<Page>> {
    let mut paths = vec![root.join("README.md")];
    markdown_below(&root.join("docs"), &mut paths)?;
    paths.sort_unstable();
    let mut pages = Vec::new();
    for path in paths {
        let is = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let should_be = replaced(&is, |what| block(what, program))
            .with_context(|| path.display().to_string())?;
        pages.push(Page { path, is, should_be });
    }
    let path = root.join("docs/reference/openapi.json");
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    pages.push(Page { path, is, should_be: routewarden::http::api::openapi() });
    Ok(pages)
}

fn markdown_below(directory: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    for entry in entries {
        let path = entry.with_context(|| directory.display().to_string())?.path();
        if path.is_dir() {
            markdown_below(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    Ok(())
}

/// The page with every block made anew.
fn replaced(
    page: &str,
    mut block: impl FnMut(&str) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let mut out = String::with_capacity(page.len());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let what = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(BEGIN_END));
        let Some(what) = what else { continue };
        if !lines.any(|line| line == END) {
            bail!("the block {what:?} has no end");
        }
        let text = block(what).with_context(|| format!("the block {what:?}"))?;
        write!(out, "\n{}\n\n{END}\n", text.trim_end())?;
    }
    Ok(out)
}

fn block(what: &str, program: &Program) -> anyhow::Result<String> {
    match what.split_once(' ') {
        Some(("run", command)) => {
            let output = program.run(command)?;
            Ok(format!("```console\n$ {command}\n{}\n```", output.trim_end()))
        }
        None if what == "rules" => Ok(rules()),
        None if what == "cli" => cli(),
        None if what == "configuration" => Ok(routewarden::config::reference()),
        None if what == "access" => Ok(routewarden::http::access::matrix()),
        _ => bail!("is not known"),
    }
}

/// Name and weight of every rule, by what they weigh.
fn rules() -> String {
    let mut table = String::from("| weighs | rule | weight |\n|---|---|---:|\n");
    for (what, rules) in routewarden_detect::rule_weights() {
        for (name, weight) in rules {
            // Writing to a String does not fail.
            let _written = writeln!(table, "| {what} | [`{name}`](#{name}) | {weight:+} |").is_ok();
        }
    }
    table
}

/// The help text of the program and of every verb.
fn cli() -> anyhow::Result<String> {
    let mut command = routewarden::cli::Cli::command().term_width(HELP_COLUMNS);
    command = hide_environment(command);
    command.build();
    let mut text = String::new();
    help(&mut command, "routewarden", &mut text)?;
    Ok(text)
}

/// Without the values that variables have on this machine.
fn hide_environment(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(hide_environment)
}

fn help(command: &mut clap::Command, name: &str, out: &mut String) -> anyhow::Result<()> {
    writeln!(out, "## {name}\n\n```text")?;
    for line in command.render_long_help().to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "```\n")?;
    for verb in command.get_subcommands_mut().filter(|verb| verb.get_name() != "help") {
        let name = format!("{name} {}", verb.get_name());
        help(verb, &name, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_made_anew_and_the_rest_is_left() {
        let page = format!(
            "before\n{BEGIN}x y{BEGIN_END}\nold\nolder\n{END}\nafter\n{BEGIN}z -->\n{END}\n"
        );
        let new = replaced(&page, |what| Ok(format!("made of {what}\n"))).unwrap();
        let expected = format!(
            "before\n{BEGIN}x y -->\n\nmade of x y\n\n{END}\nafter\n{BEGIN}z -->\n\nmade of z\n\n{END}\n"
        );
        assert_eq!(new, expected);
        assert_eq!(replaced(&new, |what| Ok(format!("made of {what}\n"))).unwrap(), new);
    }

    #[test]
    fn a_block_without_end_or_of_unknown_kind_is_an_error() {
        let page = format!("{BEGIN}rules -->\nold\n");
        assert!(replaced(&page, |_| Ok(String::new())).is_err());
        let page = format!("{BEGIN}rulez -->\n{END}\n");
        let error = replaced(&page, |what| bail!("no {what}")).unwrap_err();
        assert_eq!(format!("{error:#}"), "the block \"rulez\": no rulez");
    }

    /// Those blocks that need no run of the program; `cargo xtask check-docs` checks them all.
    #[test]
    fn the_reference_is_as_the_code_says() {
        for (name, what, text) in [
            ("rules.md", "rules", rules()),
            ("cli.md", "cli", cli().unwrap()),
            ("configuration.md", "configuration", routewarden::config::reference()),
            ("access.md", "access", routewarden::http::access::matrix()),
        ] {
            let path = crate::root().join("docs/reference").join(name);
            let page = std::fs::read_to_string(path).unwrap();
            let new = replaced(&page, |found| {
                assert_eq!(found, what);
                Ok(text.clone())
            });
            assert!(page == new.unwrap(), "{name} is stale: cargo xtask docs");
        }
    }

    #[test]
    fn every_rule_has_its_section() {
        let page = crate::root().join("docs/reference/rules.md");
        let page = std::fs::read_to_string(page).unwrap();
        let all = routewarden_detect::rule_weights().into_iter().flat_map(|(_, rules)| rules);
        for (rule, _) in all {
            assert!(page.contains(&format!("### {rule}\n")), "{rule}");
        }
    }

    #[test]
    fn every_kind_has_its_page() {
        let folder = crate::root().join("docs/reference/kinds");
        let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
        for kind in routewarden_detect::IncidentKind::ALL {
            let name = kind.name();
            let page = std::fs::read_to_string(folder.join(format!("{name}.md"))).unwrap();
            assert!(page.starts_with(&format!("# {name}\n")), "{name}");
            assert!(index.contains(&format!("[`{name}`]({name}.md)")), "{name}");
        }
    }
}

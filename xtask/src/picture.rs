//! The picture of the README: what the program prints, as a terminal shows it.

use std::fmt::Write as _;

use anyhow::Context as _;

use crate::program::Program;

/// Where it lies, from the root.
pub(crate) const PATH: &str = "docs/images/demo.svg";
const COMMAND: &str = "routewarden scenario run scenarios/2008-02-24-youtube";

const FONT_PX: f64 = 10.2;
/// Advance of a character of a monospaced font, in ems.
const ADVANCE: f64 = 0.602;
const LINE_PX: f64 = 14.0;
const MARGIN_PX: f64 = 16.0;
const BAR_PX: f64 = 26.0;

const PLAIN: &str = "#d5dae1";
const DIM: &str = "#8b95a3";
const HEAD: &str = "#7fb2ff";
const FOR: &str = "#7ed491";
const AGAINST: &str = "#f0a45d";

/// The picture.
pub(crate) fn svg(program: &Program) -> anyhow::Result<String> {
    let output = program.run(COMMAND)?;
    let lines: Vec<String> =
        std::iter::once(format!("$ {COMMAND}")).chain(output.lines().map(str::to_owned)).collect();
    let columns = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let columns = f64::from(u32::try_from(columns).context("too wide")?);
    let rows = f64::from(u32::try_from(lines.len()).context("too long")?);
    let width = (columns * FONT_PX * ADVANCE + 2.0 * MARGIN_PX).ceil();
    let height = (rows * LINE_PX + 2.0 * MARGIN_PX + BAR_PX).ceil();
    let mut svg = String::new();
    write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Output of {COMMAND}\">\n\
         <!-- made by: cargo xtask picture -->\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#14181f\" \
         stroke=\"#3a4350\"/>\n",
        width - 1.0,
        height - 1.0
    )?;
    for (at, colour) in [(18, "#e0685f"), (36, "#e0b04c"), (54, "#65b565")] {
        writeln!(svg, "<circle cx=\"{at}\" cy=\"15\" r=\"5\" fill=\"{colour}\"/>")?;
    }
    writeln!(
        svg,
        "<g font-family=\"DejaVu Sans Mono,Menlo,Consolas,Liberation Mono,monospace\" \
         font-size=\"{FONT_PX}\" fill=\"{PLAIN}\" xml:space=\"preserve\">"
    )?;
    let mut y = BAR_PX + MARGIN_PX;
    for line in &lines {
        if !line.is_empty() {
            write!(svg, "<text x=\"{MARGIN_PX}\" y=\"{y:.0}\" xml:space=\"preserve\">")?;
            spans(line, &mut svg)?;
            writeln!(svg, "</text>")?;
        }
        y += LINE_PX;
    }
    svg.push_str("</g>\n</svg>\n");
    Ok(svg)
}

/// One line in its colours.
fn spans(line: &str, svg: &mut String) -> anyhow::Result<()> {
    let weight = line.trim_start().split(' ').next().unwrap_or_default();
    let (lead, rest) = if line.starts_with("$ ") || line.starts_with("RW-") {
        (FOR, line.find("  ").unwrap_or(line.len()))
    } else if line.starts_with("id ") || line.starts_with("---") {
        (DIM, line.len())
    } else if !line.starts_with(' ') && (line.get(8..10) == Some("  ") || !line.contains('.')) {
        // A label of ten columns, or a heading.
        (HEAD, if line.get(8..10) == Some("  ") { 10 } else { line.len() })
    } else if weight.starts_with('+') {
        (FOR, 6)
    } else if weight.starts_with('-') && weight.len() > 1 {
        (AGAINST, 6)
    } else {
        (PLAIN, 0)
    };
    let (begin, rest) = line.split_at_checked(rest).unwrap_or((line, ""));
    span(begin, lead, svg)?;
    // The name of the rule ends a line of evidence.
    let rule = rest.rfind('[').filter(|_| rest.ends_with(']')).unwrap_or(rest.len());
    let (text, rule) = rest.split_at_checked(rule).unwrap_or((rest, ""));
    span(text, PLAIN, svg)?;
    span(rule, DIM, svg)
}

fn span(text: &str, colour: &str, svg: &mut String) -> anyhow::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if colour == PLAIN {
        write!(svg, "{text}")?;
    } else {
        write!(svg, "<tspan fill=\"{colour}\">{text}</tspan>")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coloured(line: &str) -> String {
        let mut svg = String::new();
        spans(line, &mut svg).unwrap();
        svg
    }

    #[test]
    fn lines_keep_their_text_and_get_their_colours() {
        assert_eq!(coloured("  plain, 1 < 2 & 3"), "  plain, 1 &lt; 2 &amp; 3");
        assert_eq!(
            coloured("   +35  text [rule]"),
            format!(
                "<tspan fill=\"{FOR}\">   +35</tspan>  text <tspan fill=\"{DIM}\">[rule]</tspan>"
            )
        );
        assert_eq!(
            coloured("What      AS1 (A) did."),
            format!("<tspan fill=\"{HEAD}\">What      </tspan>AS1 (A) did.")
        );
        assert_eq!(
            coloured("Evidence for"),
            format!("<tspan fill=\"{HEAD}\">Evidence for</tspan>")
        );
    }
}

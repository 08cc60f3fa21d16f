//! Time and memory as the work grows, as a picture of four panels.

use super::experiments::{BY_FILES, BY_PEERS};
use super::measure::Table;
use super::statistics::{Samples, Spread, digits, line};

const PANEL_WIDTH: f64 = 400.0;
const PANEL_HEIGHT: f64 = 250.0;
/// Room around a panel's axes for their labels.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;
/// What a figure takes to either side of its point.
const LABEL_ROOM: f64 = 24.0;
/// Marks on an axis, about.
const TICKS: f64 = 5.0;

/// One curve with its axes.
struct Panel<'a> {
    title: &'a str,
    x_label: &'a str,
    y_label: &'a str,
    /// Size of the work and what it cost.
    points: Vec<(f64, Spread)>,
}

/// Panels for files and peers beside each other, time above memory. `None` without figures.
pub(super) fn growth(samples: &Samples) -> Option<String> {
    if samples.inputs(Table::Growth).is_empty() {
        return None;
    }
    let points = |input: &str, figure: &dyn Fn(&super::measure::Sample) -> f64| {
        let sizes = samples.tools(Table::Growth, input).into_iter();
        let point = |size: &str| {
            let spread = samples.spread((Table::Growth, input, size), |s| Some(figure(s)))?;
            Some((size.parse().ok()?, spread))
        };
        sizes.filter_map(point).collect()
    };
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let resident = |sample: &super::measure::Sample| sample.resident_octets as f64 / 1e6;
    let mut svg = String::new();
    let (width, height) = (2.0 * PANEL_WIDTH, 2.0 * PANEL_HEIGHT);
    line(
        &mut svg,
        &format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Time and memory of detect as files and peers \
         grow\" font-family=\"DejaVu Sans,Helvetica,Arial,sans-serif\" font-size=\"12\" \
         fill=\"#222\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>"
        ),
    );
    for (column, (input, what)) in [(0.0, (BY_FILES, "update files")), (1.0, (BY_PEERS, "peers"))] {
        let time = Panel {
            title: &format!("CPU time by {what}"),
            x_label: input,
            y_label: "CPU seconds",
            points: points(input, &|sample| sample.cpu_secs()),
        };
        let memory = Panel {
            title: &format!("Memory by {what}"),
            x_label: input,
            y_label: "resident MB",
            points: points(input, &resident),
        };
        time.draw((column * PANEL_WIDTH, 0.0), &mut svg);
        memory.draw((column * PANEL_WIDTH, PANEL_HEIGHT), &mut svg);
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

impl Panel<'_> {
    fn draw(&self, (left, top): (f64, f64), svg: &mut String) {
        let x_most = self.points.iter().map(|(x, _)| *x).fold(1.0, f64::max);
        let y_most = self.points.iter().map(|(_, y)| y.most).fold(f64::MIN_POSITIVE, f64::max);
        let (x_step, y_step) = (step(x_most), step(y_most));
        let (x_end, y_end) = (end(x_most, x_step), end(y_most, y_step));
        let (x0, y0) = (left + LEFT, top + PANEL_HEIGHT - BOTTOM);
        let (x1, y1) = (left + PANEL_WIDTH - RIGHT, top + TOP);
        let x_at = |x: f64| x0 + x / x_end * (x1 - x0);
        let y_at = |y: f64| y0 - y / y_end * (y0 - y1);
        let middle = f64::midpoint(x0, x1);
        line(
            svg,
            &format!(
                "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"bold\">{}</text>\n\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text transform=\"translate({:.1} {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
                top + 20.0,
                self.title,
                y0 + 36.0,
                self.x_label,
                left + 16.0,
                f64::midpoint(y0, y1),
                self.y_label
            ),
        );
        for y in ticks(y_end, y_step) {
            let at = y_at(y);
            line(
                svg,
                &format!(
                    "<line x1=\"{x0:.1}\" y1=\"{at:.1}\" x2=\"{x1:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                    x0 - 6.0,
                    at + 4.0,
                    mark(y)
                ),
            );
        }
        for x in ticks(x_end, x_step) {
            let at = x_at(x);
            line(
                svg,
                &format!(
                    "<line x1=\"{at:.1}\" y1=\"{y0:.1}\" x2=\"{at:.1}\" y2=\"{:.1}\" stroke=\"#222\"/>\n\
                 <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    y0 + 4.0,
                    y0 + 18.0,
                    mark(x)
                ),
            );
        }
        line(
            svg,
            &format!(
                "<path d=\"M{x0:.1} {y1:.1}V{y0:.1}H{x1:.1}\" fill=\"none\" stroke=\"#222\"/>"
            ),
        );
        self.curve(&x_at, &y_at, svg);
    }

    /// Medians joined by lines, each with its spread and its figure.
    fn curve(&self, x_at: &dyn Fn(f64) -> f64, y_at: &dyn Fn(f64) -> f64, svg: &mut String) {
        let mut path = String::new();
        for (index, (x, y)) in self.points.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            line(&mut path, &format!("{command}{:.1} {:.1}", x_at(*x), y_at(y.median)));
        }
        line(
            svg,
            &format!("<path d=\"{path}\" fill=\"none\" stroke=\"#1f5fb4\" stroke-width=\"2\"/>"),
        );
        for (x, y) in &self.points {
            let (at, middle) = (x_at(*x), y_at(y.median));
            // Beside the axis there is room below the curve only.
            let is_first = at - x_at(0.0) < LABEL_ROOM;
            let (label, anchor) =
                if is_first { ((6.0, 14.0), "start") } else { ((0.0, -9.0), "middle") };
            line(
                svg,
                &format!(
                    "<line x1=\"{at:.1}\" y1=\"{:.1}\" x2=\"{at:.1}\" y2=\"{:.1}\" stroke=\"#1f5fb4\"/>\n\
                 <circle cx=\"{at:.1}\" cy=\"{middle:.1}\" r=\"3.5\" fill=\"#1f5fb4\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#1f5fb4\">{}</text>",
                    y_at(y.least),
                    y_at(y.most),
                    at + label.0,
                    middle + label.1,
                    digits(y.median)
                ),
            );
        }
    }
}

/// A round distance of marks: 1, 2 or 5 times a power of ten.
fn step(most: f64) -> f64 {
    let rough = most / TICKS;
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= rough)
        .unwrap_or(rough)
}

/// The first mark with room above `most` for the figure at the last point.
fn end(most: f64, step: f64) -> f64 {
    (most * 1.08 / step).ceil() * step
}

fn ticks(end: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..=20).map(move |index| f64::from(index) * step).take_while(move |tick| *tick <= end * 1.0001)
}

fn mark(figure: f64) -> String {
    let text = format!("{figure:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_beyond_the_last_point() {
        for (most, expected_step, expected_end) in
            [(45.0, 10.0, 50.0), (22.0, 5.0, 25.0), (0.9, 0.2, 1.0), (168.0, 50.0, 200.0)]
        {
            let step = step(most);
            assert!((step - expected_step).abs() < 1e-9, "{most}: {step}");
            assert!((end(most, step) - expected_end).abs() < 1e-9);
        }
        assert_eq!(ticks(1.0, 0.2).count(), 6);
        assert_eq!([mark(0.2), mark(50.0), mark(0.0)], ["0.2", "50", "0"]);
    }
}

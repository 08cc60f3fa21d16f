//! Medians and spreads of samples.

use std::fmt;

use super::measure::{Sample, Table};

/// Middle, least and largest of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let upper = *figures.get(middle)?;
        let lower = if figures.len().is_multiple_of(2) { *figures.get(middle - 1)? } else { upper };
        let median = f64::midpoint(lower, upper);
        Some(Spread { median, least: *figures.first()?, most: *figures.last()? })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread { median, least, most } = *self;
        write!(f, "{} ({} to {})", digits(median), digits(least), digits(most))
    }
}

/// Three digits that count, with commas between thousands.
pub(super) fn digits(figure: f64) -> String {
    if figure.abs() >= 100.0 {
        let whole = format!("{figure:.0}");
        let mut out = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) && !out.ends_with('-') {
                out.push(',');
            }
            out.push(digit);
        }
        return out;
    }
    let decimals = if figure.abs() >= 10.0 {
        1
    } else if figure.abs() >= 1.0 {
        2
    } else {
        3
    };
    format!("{figure:.decimals$}")
}

/// Adds a line of text.
pub(super) fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

/// All samples, by table, input and tool.
#[derive(Debug)]
pub(super) struct Samples(pub(super) Vec<Sample>);

impl Samples {
    /// Inputs of a table, in the order in which they were measured.
    pub(super) fn inputs(&self, table: Table) -> Vec<&str> {
        let of_table = self.0.iter().filter(|sample| sample.table == table);
        unique(of_table.map(|sample| sample.input.as_str()))
    }

    /// Tools of an input of a table, in the order in which they were measured.
    pub(super) fn tools(&self, table: Table, input: &str) -> Vec<&str> {
        let of_input =
            self.0.iter().filter(|sample| (sample.table, &*sample.input) == (table, input));
        unique(of_input.map(|sample| sample.tool.as_str()))
    }

    /// Spread of a figure over the rounds; samples without it do not count.
    pub(super) fn spread(
        &self,
        (table, input, tool): (Table, &str, &str),
        figure: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<Spread> {
        let is_one = |sample: &&Sample| {
            (sample.table, &*sample.input, &*sample.tool) == (table, input, tool)
        };
        Spread::of(self.0.iter().filter(is_one).filter_map(figure))
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        let median = |figures: &[f64]| Spread::of(figures.iter().copied()).map(|s| s.median);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[5.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn three_digits_count() {
        for (figure, text) in [
            (0.12345, "0.123"),
            (1.2345, "1.23"),
            (12.345, "12.3"),
            (123.45, "123"),
            (4_868_098.0, "4,868,098"),
            (-1_234.0, "-1,234"),
        ] {
            assert_eq!(digits(figure), text);
        }
    }
}

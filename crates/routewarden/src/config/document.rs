//! A TOML text with the place of every key and value.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::finding::{Finding, Weight};

/// The way to a value: names of tables and numbers of elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Element(usize),
}

impl Key {
    pub(super) fn of(name: &str) -> Self {
        Key::default().name(name)
    }

    pub(super) fn name(&self, name: &str) -> Self {
        self.with(Step::Name(name.to_owned()))
    }

    pub(super) fn element(&self, number: usize) -> Self {
        self.with(Step::Element(number))
    }

    fn with(&self, step: Step) -> Self {
        Key(self.0.iter().cloned().chain([step]).collect())
    }
}

impl Key {
    /// Takes the key out of a table. `None` when the key stands for an element of a list, which
    /// cannot go without those behind it changing their numbers.
    pub(super) fn remove_from(&self, table: &mut toml::Table) -> Option<()> {
        let (Step::Name(last), above) = self.0.split_last()? else { return None };
        let (first, above) = match above.split_first() {
            None => {
                table.remove(last);
                return Some(());
            }
            Some((Step::Name(first), above)) => (first, above),
            Some((Step::Element(_), _)) => return None,
        };
        let found = above.iter().try_fold(table.get_mut(first)?, |value, step| match step {
            Step::Name(name) => value.get_mut(name),
            Step::Element(number) => value.get_mut(*number),
        });
        found?.as_table_mut()?.remove(last);
        Some(())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if at == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Element(number) => write!(f, "[{number}]")?,
            }
        }
        Ok(())
    }
}

/// The text, parsed.
pub(super) struct Document<'a> {
    text: &'a str,
    pub(super) root: Spanned<DeTable<'a>>,
}

impl<'a> Document<'a> {
    /// Parses it; all errors of syntax at once.
    pub(super) fn parse(text: &'a str) -> Result<Self, Vec<Finding>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Document { text, root };
        if errors.is_empty() {
            return Ok(document);
        }
        let told = errors.iter().map(|error| {
            let span = error.span().unwrap_or_default();
            let message = error.message().replace('\n', "; ");
            document.finding(&span, Weight::Error, ("syntax", &Key::default(), message))
        });
        Err(told.collect())
    }

    /// An error at a place of the text.
    pub(super) fn error(
        &self,
        span: &Range<usize>,
        kind: &'static str,
        key: &Key,
        message: String,
    ) -> Finding {
        self.finding(span, Weight::Error, (kind, key, message))
    }

    /// A finding at the value of a key, or at the nearest table that is written.
    pub(super) fn at(
        &self,
        key: &Key,
        weight: Weight,
        kind: &'static str,
        message: String,
    ) -> Finding {
        self.finding(&self.span(key), weight, (kind, key, message))
    }

    fn finding(
        &self,
        span: &Range<usize>,
        weight: Weight,
        (kind, key, message): (&'static str, &Key, String),
    ) -> Finding {
        let (line, column) = self.line_and_column(span.start);
        Finding { line, column, weight, kind, key: key.to_string(), message }
    }

    /// Place of the value of a key, or of the nearest table above it that is written.
    fn span(&self, key: &Key) -> Range<usize> {
        let mut span = 0..0;
        let mut table = Some(self.root.get_ref());
        let mut value: Option<&Spanned<DeValue<'_>>> = None;
        for step in &key.0 {
            let next = match step {
                Step::Name(name) => {
                    let Some((written, found)) = table.and_then(|table| entry(table, name)) else {
                        return span;
                    };
                    span = place(written, found);
                    Some(found)
                }
                Step::Element(number) => {
                    let list = value.and_then(|value| value.get_ref().as_array());
                    let Some(found) = list.and_then(|list| list.get(*number)) else { return span };
                    span = found.span();
                    Some(found)
                }
            };
            value = next;
            table = value.and_then(|value| value.get_ref().as_table());
        }
        span
    }

    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(begin..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// A key of a table with its value.
fn entry<'a, 'i>(
    table: &'a DeTable<'i>,
    name: &str,
) -> Option<(&'a Spanned<toml::de::DeString<'i>>, &'a Spanned<DeValue<'i>>)> {
    table.iter().find(|(key, _)| key.get_ref().as_ref() == name)
}

/// Where an entry is told of: tables at their name, everything else at the value.
pub(super) fn place(
    key: &Spanned<toml::de::DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
) -> Range<usize> {
    if value.get_ref().is_table() { key.span() } else { value.span() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_at_their_values() {
        let text = "data_dir = \"é\"\n[http]\n  listen = \"x\"\n[[bmp]]\nallow = [\"a\",\n  \"b\"]\n[[bmp]]\nname='q'\n";
        let document = Document::parse(text).unwrap();
        let bmp = Key::of("bmp");
        for (key, name, place) in [
            (Key::of("data_dir"), "data_dir", (1, 12)),
            (Key::of("http").name("listen"), "http.listen", (3, 12)),
            (bmp.element(0).name("allow").element(1), "bmp[0].allow[1]", (6, 3)),
            (bmp.element(1), "bmp[1]", (7, 1)),
            (bmp.element(1).name("listen"), "bmp[1].listen", (7, 1)),
            (bmp.element(1).name("name"), "bmp[1].name", (8, 6)),
            (Key::of("nothing"), "nothing", (1, 1)),
        ] {
            let found = document.at(&key, Weight::Error, "x", String::new());
            assert_eq!((found.key.as_str(), (found.line, found.column)), (name, place));
        }
    }

    #[test]
    fn errors_of_syntax_are_told_all_at_once() {
        let text = "a = \nb = 1\nb = 2\n[c\nd = \"x\n";
        let findings = Document::parse(text).err().unwrap();
        let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
        assert!(findings.len() >= 3, "{findings:?}");
        assert!(lines.contains(&1) && lines.contains(&3) && lines.contains(&4), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.kind == "syntax"));
    }
}

//! Data files: profiles, programmes, weights. Read from TOML, and what makes a text none.

use serde::de::DeserializeOwned;

use crate::{METRICS_MAX, Profile};

/// Longest text of a data file, in octets.
pub const DOCUMENT_OCTETS_MAX: usize = 256 * 1024;

/// Why a text is no such data file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// No profile of that id is compiled in.
    #[error("no profile {id:?}: known are {}", Profile::built_in_ids().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// The id asked for.
        id: String,
    },
    /// Longer than [`DOCUMENT_OCTETS_MAX`].
    #[error("data of {octets} octets exceed the limit of {}", DOCUMENT_OCTETS_MAX)]
    TooLong {
        /// Octets of the text.
        octets: usize,
    },
    /// Not TOML, a field that does not exist, a missing field, or a value of the wrong type.
    #[error("line {line}: {}", .source.message())]
    Syntax {
        /// Line in the text, from 1.
        line: usize,
        /// The TOML reader's error.
        source: Box<toml::de::Error>,
    },
    /// Of the right shape, but it makes no sense.
    #[error("{at}: {fault}")]
    Invalid {
        /// The entry or field.
        at: String,
        /// What is wrong there.
        #[source]
        fault: DocumentFault,
    },
}

/// What is wrong in a data file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentFault {
    /// A number outside its range.
    #[error("{value} is not between {min} and {max}")]
    Range {
        /// The number.
        value: usize,
        /// The least allowed.
        min: usize,
        /// The most allowed.
        max: usize,
    },
    /// Two of one id.
    #[error("this id is given twice")]
    Twice,
    /// More than [`METRICS_MAX`].
    #[error("more than {}", METRICS_MAX)]
    TooMany,
    /// A list that must not be empty.
    #[error("{field} must not be empty")]
    Empty {
        /// Name of the list.
        field: &'static str,
    },
    /// Weights that do not begin with the highest confidence, or name one twice.
    #[error("weights must be given from the highest confidence down")]
    WeightOrder,
    /// A metric that the profile does not have.
    #[error("no metric is named {metric:?}")]
    UnknownMetric {
        /// The name.
        metric: String,
    },
    /// Shares cannot be added to penalties.
    #[error("{metric} is no penalty: combine = \"least\" is for shares")]
    NoPenalty {
        /// The metric.
        metric: String,
    },
    /// Nothing can be of no data.
    #[error("no_data cannot be asked for")]
    NoDataAsked,
    /// Weights that do not make a whole.
    #[error("weights add up to {percent} per cent, not to 100")]
    Whole {
        /// Their sum.
        percent: u32,
    },
}

impl DocumentError {
    pub(crate) fn invalid(at: &str, fault: DocumentFault) -> Self {
        DocumentError::Invalid { at: at.to_owned(), fault }
    }
}

/// Reads a data file; whether it makes sense is for the caller to check.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    if text.len() > DOCUMENT_OCTETS_MAX {
        return Err(DocumentError::TooLong { octets: text.len() });
    }
    toml::from_str(text).map_err(|source| {
        let line = line_of(text, &source);
        DocumentError::Syntax { line, source: Box::new(source) }
    })
}

/// The line of a fault, from 1.
fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let before = error.span().and_then(|span| text.as_bytes().get(..span.start));
    before.map_or(1, |before| before.split(|&octet| octet == b'\n').count())
}

/// Checks that a number lies in its range.
pub(crate) fn within(at: &str, value: usize, min: usize, max: usize) -> Result<(), DocumentError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(DocumentError::invalid(at, DocumentFault::Range { value, min, max }))
}

/// Checks that ids are given once each.
pub(crate) fn once<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), DocumentError> {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(DocumentError::invalid(id, DocumentFault::Twice));
        }
    }
    Ok(())
}

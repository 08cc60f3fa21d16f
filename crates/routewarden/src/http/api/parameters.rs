//! The parameters of a query: nothing is guessed, and what is wrong is named.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use axum::extract::Query;
use axum::extract::rejection::PathRejection;
use axum::http::{StatusCode, Uri};

use crate::http::Problem;

/// Most octets of a query.
pub const QUERY_OCTETS_MAX: usize = 2_048;

/// A parameter that is not as it should be.
pub(in crate::http) fn bad(name: &str, detail: impl Display) -> Problem {
    Problem::of_parameter("bad_parameter", name, detail)
}

/// The parts of a path, or why they are none.
pub(in crate::http) fn path<T>(
    name: &str,
    path: Result<axum::extract::Path<T>, PathRejection>,
) -> Result<T, Problem> {
    path.map(|path| path.0).map_err(|_| bad(name, "expected text in UTF-8"))
}

/// What a query gives. Each parameter is taken once; [`Parameters::finish`] refuses what is left.
pub(in crate::http) struct Parameters {
    given: BTreeMap<String, String>,
}

impl Parameters {
    pub(in crate::http) fn of(uri: &Uri) -> Result<Self, Problem> {
        if uri.query().is_some_and(|query| query.len() > QUERY_OCTETS_MAX) {
            let detail = format!("the query has more than {QUERY_OCTETS_MAX} octets");
            return Err(Problem::new(StatusCode::URI_TOO_LONG, "query_too_long", detail));
        }
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "query_malformed", "the query cannot be read")
        })?;
        let mut given = BTreeMap::new();
        for (name, value) in pairs {
            if given.contains_key(&name) {
                let detail = "given more than once";
                return Err(Problem::of_parameter("repeated_parameter", &name, detail));
            }
            given.insert(name, value);
        }
        Ok(Parameters { given })
    }

    /// A parameter as `read` reads it.
    pub(in crate::http) fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.given.remove(name) else { return Ok(None) };
        let value = read(&text).ok_or_else(|| bad(name, format_args!("expected {expected}")))?;
        Ok(Some(value))
    }

    /// One of several names.
    pub(in crate::http) fn one_of(
        &mut self,
        name: &str,
        names: &[&'static str],
    ) -> Result<Option<&'static str>, Problem> {
        let known = |text: &str| names.iter().copied().find(|name| *name == text);
        self.take(name, &format!("one of {}", names.join(", ")), known)
    }

    /// A number within bounds, or what it is when it is not given.
    pub(in crate::http) fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Problem> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        let number = self.take(name, &expected, |text| {
            let plain = text.bytes().all(|octet| octet.is_ascii_digit());
            text.parse().ok().filter(|number| plain && range.contains(number))
        });
        Ok(number?.unwrap_or(default))
    }

    /// After which row a page begins: the `next` of the page before, 0 when it is not given.
    pub(in crate::http) fn after(&mut self) -> Result<i64, Problem> {
        let not_negative = |text: &str| text.parse().ok().filter(|seq: &i64| *seq >= 0);
        Ok(self.take("after", "the next of a page", not_negative)?.unwrap_or(0))
    }

    /// Refuses what nobody has taken.
    pub(in crate::http) fn finish(self) -> Result<(), Problem> {
        match self.given.keys().next() {
            Some(name) => {
                let detail = "there is no such parameter here";
                Err(Problem::of_parameter("unknown_parameter", name, detail))
            }
            None => Ok(()),
        }
    }
}

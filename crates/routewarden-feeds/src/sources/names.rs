//! What the names of archive files tell: the collector, the time, table or updates.

use std::path::{Component, Path};

use routewarden_core::Timestamp;

use super::InputKind;

/// Collector's name when a path names none.
pub const COLLECTOR_LOCAL: &str = "local";
/// Shortest run of digits after `-`, `.` or `_` that is a date and ends a collector's name.
const DATE_DIGITS_MIN: usize = 4;
/// What ends a `RouteViews` collector's name beside a date.
const NAME_ENDS: [&str; 8] = [".rib", ".updates", ".bview", ".mrt", ".bz2", ".gz", ".xz", ".zst"];

/// Collector of a file: the last path component (file name first, then its directories upward)
/// that contains `rrcNN` or `route-views...`; else the name of its directory; else `local`.
///
/// `route-views2-20080224.1600.rib.bz2` gives `route-views2`, `rrc12-20210101/updates...` gives
/// `rrc12`, `route-views.jinx.rib.20140530.2200.bz2` gives `route-views.jinx`.
pub fn collector_of(path: &Path) -> String {
    let names = || {
        path.components().rev().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy()),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => None,
        })
    };
    names()
        .find_map(|name| collector_in(&name))
        .or_else(|| names().nth(1).map(std::borrow::Cow::into_owned))
        .unwrap_or_else(|| COLLECTOR_LOCAL.to_owned())
}

fn collector_in(name: &str) -> Option<String> {
    route_views_in(name).or_else(|| rrc_in(name))
}

/// `rrc` and two digits, standing alone.
fn rrc_in(name: &str) -> Option<String> {
    name.match_indices("rrc").find_map(|(at, _)| {
        let alone = !name.get(..at)?.ends_with(|c: char| c.is_ascii_alphanumeric());
        let rest = name.get(at + 3..)?;
        let digits = leading_digits(rest);
        (alone && digits == 2).then(|| name.get(at..at + 5).map(str::to_owned)).flatten()
    })
}

/// `route-views` with what belongs to the name: `2`, `.jinx`, `2.saopaulo`.
fn route_views_in(name: &str) -> Option<String> {
    let rest = name.get(name.find("route-views")?..)?;
    let dated = |(at, _): (usize, &str)| {
        let digits = rest.get(at + 1..).map_or(0, leading_digits);
        (digits >= DATE_DIGITS_MIN).then_some(at)
    };
    let date = rest.match_indices(['-', '.', '_']).find_map(dated);
    let end = NAME_ENDS.iter().filter_map(|end| rest.find(end)).chain(date).min();
    rest.get(..end.unwrap_or(rest.len())).map(str::to_owned)
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The time in a file name, `YYYYMMDD.HHMM`: when the file starts.
pub fn time_of(file_name: &str) -> Option<Timestamp> {
    let runs = || file_name.split(|c: char| !c.is_ascii_digit());
    runs().zip(runs().skip(1)).find_map(|(date, clock)| {
        let (year, month, day) = match date.len() {
            8 => (date.get(..4)?, date.get(4..6)?, date.get(6..)?),
            _ => return None,
        };
        let (hour, minute) = match clock.len() {
            4 | 6 => (clock.get(..2)?, clock.get(2..4)?),
            _ => return None,
        };
        file_name.contains(&format!("{date}.{clock}")).then_some(())?;
        format!("{year}-{month}-{day}T{hour}:{minute}:00Z").parse().ok()
    })
}

/// Table or updates, when the name says so as the archives' names do.
pub fn kind_of(file_name: &str) -> Option<InputKind> {
    let has = |word: &str| {
        file_name.match_indices(word).any(|(at, _)| {
            let bounded = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
            bounded(file_name.get(..at).and_then(|before| before.chars().next_back()))
                && bounded(file_name.get(at + word.len()..).and_then(|rest| rest.chars().next()))
        })
    };
    if has("updates") {
        Some(InputKind::Updates)
    } else {
        (has("rib") || has("bview")).then_some(InputKind::Table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collector_is_named_by_file_then_directories() {
        for (path, collector) in [
            ("mrt/route-views2-20080224.1600.rib.bz2", "route-views2"),
            ("route-views2-20080224/updates.20080224.1550.bz2", "route-views2"),
            ("route-views2-2008.cut-at-4096.mrt", "route-views2"),
            ("mrt/rrc12-20210101/updates.20210101.0740.gz", "rrc12"),
            ("mrt/route-views.jinx.rib.20140530.2200.bz2", "route-views.jinx"),
            ("route-views.jinx.updates.20140530.2345.bz2", "route-views.jinx"),
            ("ris.rrc06.updates.20140530.2215.gz", "rrc06"),
            (
                "route-views2.saopaulo/bgpdata/2021.01/UPDATES/updates.20210101.0000.bz2",
                "route-views2.saopaulo",
            ),
            ("/a/rrc00/2021.01/bview.20210101.0000.gz", "rrc00"),
            ("route-views.sg/rrc01.mrt", "rrc01"),
            ("lab/plain/updates.mrt", "plain"),
            ("updates.mrt", "local"),
            ("./updates.mrt", "local"),
            ("arrc12/updates.mrt", "arrc12"),
            ("rrc123/updates.mrt", "rrc123"),
            ("-", "local"),
        ] {
            assert_eq!(collector_of(Path::new(path)), collector, "{path}");
        }
    }

    #[test]
    fn the_time_is_read_from_the_name() {
        let at = |name| time_of(name).map(|time| time.to_string());
        assert_eq!(at("updates.20080224.1550.bz2").as_deref(), Some("2008-02-24T15:50:00Z"));
        assert_eq!(
            at("route-views2-20080224.1600.rib.bz2").as_deref(),
            Some("2008-02-24T16:00:00Z")
        );
        assert_eq!(
            at("ris.rrc06.updates.20140530.2215.gz").as_deref(),
            Some("2014-05-30T22:15:00Z")
        );
        for none in
            ["youtube-2008-slice.mrt", "updates.20081324.1550", "x.20080224-1550", "updates"]
        {
            assert_eq!(at(none), None, "{none}");
        }
    }

    #[test]
    fn the_kind_is_read_from_the_name() {
        assert_eq!(kind_of("updates.20080224.1550.bz2"), Some(InputKind::Updates));
        assert_eq!(kind_of("bview.20210101.0000.gz"), Some(InputKind::Table));
        assert_eq!(kind_of("route-views2-20080224.1600.rib.bz2"), Some(InputKind::Table));
        assert_eq!(kind_of("mrtparse.openbgpd_rib_table"), Some(InputKind::Table));
        assert_eq!(kind_of("attribution.mrt"), None);
    }
}

//! Where the archives keep what, and how the names drift.

use routewarden_core::Timestamp;

use super::ArchiveError;
use crate::sources::{InputKind, kind_of, time_of};

/// The only `RouteViews` collector whose files lie at the top of the archive.
const ROUTE_VIEWS_AT_TOP: &str = "route-views2";
/// Longest name of a collector.
const COLLECTOR_NAME_OCTETS_MAX: usize = 64;
/// RIS wrote a file every 15 minutes before 2003-07-23, since then every 5.
const RIS_FIVE_MINUTES_SINCE_SECS: i64 = 1_058_918_400;
/// Longest time that one updates file covers: `RouteViews` files start every 15 minutes, and
/// 17 minutes later while the collector writes its table.
const FILE_COVERS_SECS_MAX: i64 = 2 * 3_600;
/// Endings of the archives' files.
const ENDINGS: [&str; 4] = [".bz2", ".gz", ".xz", ".zst"];

/// Who runs a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Project {
    /// `RouteViews`, University of Oregon.
    RouteViews,
    /// RIPE NCC Routing Information Service.
    Ris,
}

/// A collector of one of the archives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    name: String,
    project: Project,
}

impl Collector {
    /// From a name: `rrcNN` is of RIS, anything else of `RouteViews`.
    ///
    /// # Errors
    /// When the name has other characters than lower-case letters, digits, `.`, `-` and `_`, or
    /// could be taken for a path.
    pub fn new(name: &str) -> Result<Self, ArchiveError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
        let is_name = !name.is_empty()
            && name.len() <= COLLECTOR_NAME_OCTETS_MAX
            && name.chars().all(plain)
            && !name.starts_with('.')
            && !name.contains("..");
        if !is_name {
            return Err(ArchiveError::Collector { collector: name.to_owned() });
        }
        let is_ris = name.strip_prefix("rrc").is_some_and(|number| {
            number.len() == 2 && number.bytes().all(|octet| octet.is_ascii_digit())
        });
        let project = if is_ris { Project::Ris } else { Project::RouteViews };
        Ok(Collector { name: name.to_owned(), project })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who runs it.
    pub fn project(&self) -> Project {
        self.project
    }

    /// Directory of a month below the archive's base URL, without slash at the end.
    pub(super) fn remote_directory(&self, kind: InputKind, month: &str) -> String {
        let local = self.local_directory(kind, month);
        match local.strip_prefix(ROUTE_VIEWS_AT_TOP).and_then(|rest| rest.strip_prefix('/')) {
            Some(rest) if self.name == ROUTE_VIEWS_AT_TOP => rest.to_owned(),
            _ => local,
        }
    }

    /// Directory of a month in the cache. It always names the collector, so that the cache can
    /// be read as any other directory.
    pub(super) fn local_directory(&self, kind: InputKind, month: &str) -> String {
        let name = &self.name;
        match (self.project, kind) {
            (Project::RouteViews, InputKind::Updates) => format!("{name}/bgpdata/{month}/UPDATES"),
            (Project::RouteViews, InputKind::Table) => format!("{name}/bgpdata/{month}/RIBS"),
            (Project::Ris, _) => format!("{name}/{month}"),
        }
    }

    /// Seconds between the files of a kind, where no index tells their names.
    pub(super) fn grid_secs(&self, kind: InputKind, at: Timestamp) -> i64 {
        match (self.project, kind) {
            (Project::RouteViews, InputKind::Updates) => 15 * 60,
            (Project::RouteViews, InputKind::Table) => 2 * 3_600,
            (Project::Ris, InputKind::Updates) if at.secs() < RIS_FIVE_MINUTES_SINCE_SECS => {
                15 * 60
            }
            (Project::Ris, InputKind::Updates) => 5 * 60,
            (Project::Ris, InputKind::Table) => 8 * 3_600,
        }
    }

    fn grid_name(&self, kind: InputKind, time: Timestamp) -> String {
        let (date, clock) = date_and_clock(time);
        match (self.project, kind) {
            (Project::RouteViews, InputKind::Updates) => format!("updates.{date}.{clock}.bz2"),
            (Project::RouteViews, InputKind::Table) => format!("rib.{date}.{clock}.bz2"),
            (Project::Ris, InputKind::Updates) => format!("updates.{date}.{clock}.gz"),
            (Project::Ris, InputKind::Table) => format!("bview.{date}.{clock}.gz"),
        }
    }

    /// The files of a month that there should be, if all started on time.
    pub(super) fn grid(&self, kind: InputKind, month: &str) -> Vec<NamedFile> {
        let first = format!("{}-01", month.replace('.', "-")).parse::<Timestamp>();
        let mut files = Vec::new();
        let Ok(mut time) = first else { return files };
        while month_of(time) == month {
            files.push(NamedFile { time, name: self.grid_name(kind, time) });
            time = time.plus_secs(self.grid_secs(kind, time));
        }
        files
    }
}

/// A file in an archive's month.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NamedFile {
    /// Time in its name: when it starts.
    pub(super) time: Timestamp,
    pub(super) name: String,
}

/// `YYYYMMDD` and `HHMM`.
fn date_and_clock(time: Timestamp) -> (String, String) {
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).collect();
    let (date, clock) = (digits.get(..8), digits.get(8..12));
    (date.unwrap_or_default().to_owned(), clock.unwrap_or_default().to_owned())
}

/// `YYYY.MM`.
pub(super) fn month_of(time: Timestamp) -> String {
    let (date, _) = date_and_clock(time);
    let (year, month) = (date.get(..4).unwrap_or_default(), date.get(4..6).unwrap_or_default());
    format!("{year}.{month}")
}

/// Months that hold files which may reach into `from..until`, in order.
pub(super) fn months(from: Timestamp, until: Timestamp) -> Vec<String> {
    let mut months = Vec::new();
    let mut time = from.plus_secs(-FILE_COVERS_SECS_MAX);
    while time < until {
        let month = month_of(time);
        if months.last() != Some(&month) {
            months.push(month);
        }
        time = time.plus_secs(86_400);
    }
    // The last step may jump over the last month's first hours.
    let last = month_of(until.plus_secs(-1));
    if !months.contains(&last) && from < until {
        months.push(last);
    }
    months
}

/// The files of a kind that a directory index (HTML) links to, in order of time.
pub(super) fn files_in_index(html: &str, kind: InputKind) -> Vec<NamedFile> {
    let mut files: Vec<NamedFile> = links(html)
        .filter_map(|link| link.trim_end_matches('/').rsplit('/').next())
        .filter(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)))
        .filter(|name| name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'.'))
        .filter(|name| kind_of(name) == Some(kind))
        .filter_map(|name| Some(NamedFile { time: time_of(name)?, name: name.to_owned() }))
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Values of all `href` attributes.
fn links(html: &str) -> impl Iterator<Item = &str> {
    let starts = html.match_indices('=').filter_map(|(at, _)| {
        let name = html.get(..at)?.trim_end();
        let is_href = name.get(name.len().checked_sub(4)?..)?.eq_ignore_ascii_case("href");
        is_href.then(|| html.get(at + 1..).map(str::trim_start)).flatten()
    });
    starts.filter_map(|value| match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next(),
        _ => value.split([' ', '>', '\n', '\r', '\t']).next(),
    })
}

/// Of files in order of time, those that may hold records of `from..until`. A file covers the
/// time up to the next one's start.
pub(super) fn covering(files: &[NamedFile], from: Timestamp, until: Timestamp) -> Vec<NamedFile> {
    let nexts = files.iter().skip(1).map(|next| Some(next.time)).chain([None]);
    files
        .iter()
        .zip(nexts)
        .filter(|(file, next)| {
            file.time < until
                && file.time.plus_secs(FILE_COVERS_SECS_MAX) > from
                && next.is_none_or(|next| next > from)
        })
        .map(|(file, _)| file.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn directories_follow_each_archive() {
        let remote =
            |name: &str, kind| Collector::new(name).unwrap().remote_directory(kind, "2008.02");
        assert_eq!(remote("route-views2", InputKind::Updates), "bgpdata/2008.02/UPDATES");
        assert_eq!(remote("route-views2", InputKind::Table), "bgpdata/2008.02/RIBS");
        assert_eq!(
            remote("route-views.jinx", InputKind::Table),
            "route-views.jinx/bgpdata/2008.02/RIBS"
        );
        assert_eq!(
            remote("route-views2.saopaulo", InputKind::Updates),
            "route-views2.saopaulo/bgpdata/2008.02/UPDATES"
        );
        assert_eq!(remote("rrc04", InputKind::Table), "rrc04/2008.02");
        let local = Collector::new("route-views2").unwrap();
        assert_eq!(
            local.local_directory(InputKind::Updates, "2008.02"),
            "route-views2/bgpdata/2008.02/UPDATES"
        );
        for bad in ["", "../x", "a/b", ".x", "a..b", "RRC00", &"x".repeat(65)] {
            assert!(Collector::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_grid_follows_each_project() {
        let grid = |name: &str, kind, month| Collector::new(name).unwrap().grid(kind, month);
        let updates = grid("rrc04", InputKind::Updates, "2021.01");
        assert_eq!(updates.len(), 31 * 288);
        assert_eq!(updates[1].name, "updates.20210101.0005.gz");
        assert_eq!(grid("rrc04", InputKind::Updates, "2003.01").len(), 31 * 96);
        let tables = grid("route-views.sg", InputKind::Table, "2024.02");
        assert_eq!(tables.len(), 29 * 12);
        assert_eq!(tables[1].name, "rib.20240201.0200.bz2");
    }

    #[test]
    fn an_index_is_read_by_its_links() {
        let html = r#"<a href="?C=N;O=D">Name</a> <A HREF = 'updates.20080224.1622.bz2'>x</a>
            <a href="/bgpdata/2008.02/UPDATES/updates.20080224.1605.bz2">y</a>
            <a href="updates.20080224.1605.bz2">y</a><a href=updates.20080224.1550.bz2>z</a>
            <a href="rib.20080224.1600.bz2">r</a><a href="updates.20080224.9999.bz2">n</a>
            <a href="updates.20080224.1637.bz2.md5">m</a><a href="../">up</a><a href="#;
        let names: Vec<String> =
            files_in_index(html, InputKind::Updates).into_iter().map(|file| file.name).collect();
        assert_eq!(
            names,
            ["updates.20080224.1550.bz2", "updates.20080224.1605.bz2", "updates.20080224.1622.bz2"]
        );
        assert_eq!(files_in_index(html, InputKind::Table).len(), 1);
    }

    #[test]
    fn a_file_covers_the_time_up_to_the_next_ones_start() {
        let names = ["1550", "1605", "1622", "1637"];
        let html = names.map(|at| format!("<a href=\"updates.20080224.{at}.bz2\">")).concat();
        let files = files_in_index(&html, InputKind::Updates);
        let chosen = |from: &str, until: &str| -> Vec<String> {
            let at = |clock: &str| t(&format!("2008-02-24T{clock}:00Z"));
            covering(&files, at(from), at(until))
                .iter()
                .map(|file| file.name.get(17..21).unwrap().to_owned())
                .collect()
        };
        assert_eq!(chosen("16:00", "16:05"), ["1550"]);
        assert_eq!(chosen("16:00", "16:06"), ["1550", "1605"]);
        assert_eq!(chosen("16:05", "16:23"), ["1605", "1622"]);
        assert_eq!(chosen("17:00", "18:00"), ["1637"]);
        assert!(chosen("19:00", "20:00").is_empty());
        assert!(chosen("10:00", "15:50").is_empty());
    }

    #[test]
    fn months_reach_back_over_the_boundary() {
        assert_eq!(months(t("2008-03-01T00:10Z"), t("2008-03-01T01:00Z")), ["2008.02", "2008.03"]);
        assert_eq!(months(t("2008-02-10"), t("2008-02-11")), ["2008.02"]);
        assert_eq!(
            months(t("2008-02-28T23:00Z"), t("2008-03-01T00:00:01Z")),
            ["2008.02", "2008.03"]
        );
        assert_eq!(months(t("2008-12-31"), t("2009-02-01")), ["2008.12", "2009.01"]);
        assert!(months(t("2008-02-11"), t("2008-02-01")).is_empty());
    }
}

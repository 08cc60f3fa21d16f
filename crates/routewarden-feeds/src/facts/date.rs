//! Dates in file names, as archives write them.

use routewarden_core::Timestamp;

/// The first date in a name: `20080501`, with a time as in `20080501.0644`, `20250720T093135Z`;
/// or a month as in `asrel_201806`, which stands for its first day. UTC.
pub(super) fn in_file_name(name: &str) -> Option<Timestamp> {
    let mut runs = digit_runs(name).peekable();
    while let Some((start, run)) = runs.next() {
        let Some(day) = day(run) else { continue };
        // A time counts only right after one separating character.
        let clock = runs.peek().filter(|&&(at, _)| at == start + run.len() + 1);
        let time = clock.and_then(|&(_, clock)| clock_of(clock));
        return format!("{day}T{}Z", time.unwrap_or_else(|| "00:00:00".to_owned())).parse().ok();
    }
    None
}

/// Runs of digits with where they start.
fn digit_runs(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    name.split(|c: char| !c.is_ascii_digit()).filter_map(move |run| {
        let start = at;
        // Separators of several octets only move later runs further apart.
        at = start + run.len() + 1;
        (!run.is_empty()).then_some((start, run))
    })
}

fn day(run: &str) -> Option<String> {
    let (year, month) = (run.get(..4)?, run.get(4..6)?);
    let day = match run.len() {
        6 => "01",
        8 => run.get(6..)?,
        _ => return None,
    };
    // Other numbers of six or eight digits are no dates of routing data.
    let text = format!("{year}-{month}-{day}");
    (("1980".."2100").contains(&year) && text.parse::<Timestamp>().is_ok()).then_some(text)
}

fn clock_of(run: &str) -> Option<String> {
    let (hour, minute) = (run.get(..2)?, run.get(2..4)?);
    let second = match run.len() {
        4 => "00",
        6 => run.get(4..)?,
        _ => return None,
    };
    let text = format!("{hour}:{minute}:{second}");
    format!("2000-01-01T{text}Z").parse::<Timestamp>().is_ok().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_archives_are_read() {
        for (name, date) in [
            ("pyasn.ipasn_20140513.dat.gz", Some("2014-05-13T00:00:00Z")),
            ("rib.20080501.0644.bz2", Some("2008-05-01T06:44:00Z")),
            ("rpkiclient_summary_20250720T093135Z.json.bz2", Some("2025-07-20T09:31:35Z")),
            ("routeviews-rv2-20210301-1200.pfx2as.gz", Some("2021-03-01T12:00:00Z")),
            ("asrel_201806.txt.gz", Some("2018-06-01T00:00:00Z")),
            ("20211001.as-org2info.jsonl.gz", Some("2021-10-01T00:00:00Z")),
            ("ipasn_20080501_v12.dat.gz", Some("2008-05-01T00:00:00Z")),
            ("dfz-v4-prefix-origin.2021.csv.gz", None),
            ("20081399.csv", None),
            ("99999999", None),
            ("20080501.9999", Some("2008-05-01T00:00:00Z")),
            ("", None),
        ] {
            assert_eq!(in_file_name(name).map(|date| date.to_string()).as_deref(), date, "{name}");
        }
    }
}

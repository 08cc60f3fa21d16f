//! Hours of the real Internet: nobody knows the whole truth of them, so alarms are counted, not
//! judged. Of one incident the truth is known.

use std::path::Path;

use routewarden_core::{Asn, Timestamp};
use routewarden_feeds::facts::{load_file, load_origins};
use routewarden_rivals::StartingTable;

use super::Case;
use super::files::Recording;
use super::finding::{Finding, Truth};
use super::watch::Watch;

/// Every AS whose number this divides is in the sample constituency: about one of a hundred.
pub const CONSTITUENCY_MODULUS: u32 = 97;

/// What was counted in one window.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its name, truths and findings. Routewarden's first seen before the watch began are left out.
    pub case: Case,
    /// When the watch began: what is older was the table to configure from.
    pub from: Timestamp,
    /// Last event.
    pub until: Timestamp,
    /// The ASes of the table whose number [`CONSTITUENCY_MODULUS`] divides.
    pub constituency: Vec<Asn>,
}

/// A window as it lies in the folder of the data.
struct Given {
    name: &'static str,
    table: Option<&'static str>,
    updates: &'static str,
    /// Known origins, where there is no table.
    origins: Option<&'static str>,
    organisations: &'static str,
    from: &'static str,
}

const GIVEN: [Given; 3] = [
    Given {
        name: "route-views2-2008-02-24",
        table: Some("mrt/route-views2-20080224.1600.rib.bz2"),
        updates: "mrt/route-views2-20080224",
        origins: None,
        organisations: "asorg/20080402.as-org2info.jsonl.gz",
        from: "2008-02-24T16:00:00Z",
    },
    Given {
        name: "rrc04-2021-01-01",
        table: None,
        updates: "mrt/rrc04-20210101",
        origins: Some("origins/dfz-v4-prefix-origin.2021.csv.gz"),
        organisations: "asorg/20211001.as-org2info.jsonl.gz",
        from: "2021-01-01T05:25:00Z",
    },
    Given {
        name: "rrc12-2021-01-01",
        table: None,
        updates: "mrt/rrc12-20210101",
        origins: Some("origins/dfz-v4-prefix-origin.2021.csv.gz"),
        organisations: "asorg/20211001.as-org2info.jsonl.gz",
        from: "2021-01-01T07:50:00Z",
    },
];

impl Window {
    /// Hours that were watched.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a few hours")]
    pub fn hours(&self) -> f64 {
        (self.until.secs_since(self.from) as f64 / 3_600.0).max(1.0 / 3_600.0)
    }

    /// Whether a finding touches the sample constituency.
    pub fn is_constituency(&self, finding: &Finding) -> bool {
        let mut parties = finding.culprits.iter().chain(&finding.victims);
        parties.any(|asn| self.constituency.binary_search(asn).is_ok())
    }
}

/// All windows whose files are below `data`; the names of those whose files are not.
pub fn windows(data: &Path, program: &Path) -> anyhow::Result<(Vec<Window>, Vec<&'static str>)> {
    let (mut windows, mut missing) = (Vec::new(), Vec::new());
    for given in &GIVEN {
        let files = [given.table, Some(given.updates), given.origins, Some(given.organisations)];
        if files.iter().flatten().all(|file| data.join(file).exists()) {
            windows.push(window(given, data, program)?);
        } else {
            missing.push(given.name);
        }
    }
    Ok((windows, missing))
}

fn window(given: &Given, data: &Path, program: &Path) -> anyhow::Result<Window> {
    let from: Timestamp = given.from.parse()?;
    let text = |file: &str| data.join(file).to_string_lossy().into_owned();
    let mut options = vec!["--orgs".to_owned(), text(given.organisations)];
    options.extend(given.origins.iter().flat_map(|file| ["--origins".to_owned(), text(file)]));
    let recording = Recording {
        tables: given.table.iter().map(|file| data.join(file)).collect(),
        updates: vec![data.join(given.updates)],
        options,
    };
    let mut ours = recording.detect(program)?;
    ours.retain(|finding| finding.first_seen >= from);
    let mut table = StartingTable::default();
    if let Some(file) = given.origins {
        let origins = load_file(&data.join(file), None, load_origins)?.facts.table;
        for (prefix, asns) in origins.iter() {
            for asn in asns {
                table.know_origin(prefix, *asn);
            }
        }
    }
    let mut watch = Watch::new(table, Some(from), None, &ours);
    let period = recording.show(&mut watch, |_| {})?;
    let mut constituency = watch.table().origin_asns();
    constituency.retain(|asn| asn.0 % CONSTITUENCY_MODULUS == 0);
    let findings = watch.finish(ours);
    let case =
        Case { corpus: "windows", name: given.name.to_owned(), truths: known(given)?, findings };
    let until = period.map_or(from, |(_, until)| until);
    Ok(Window { case, from, until, constituency })
}

/// The incident of 24 February 2008.
fn known(given: &Given) -> anyhow::Result<Vec<Truth>> {
    if given.table.is_none() {
        return Ok(Vec::new());
    }
    Ok(vec![Truth {
        kind: "sub_prefix_hijack".to_owned(),
        culprit: Some(Asn(17557)),
        victim: Some(Asn(36561)),
        prefixes: vec!["208.65.153.0/24".parse()?],
        start: "2008-02-24T18:47:57Z".parse()?,
    }])
}

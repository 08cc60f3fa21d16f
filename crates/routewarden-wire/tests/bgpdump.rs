//! The text of every record equals what `bgpdump -m` prints, except for the differences named
//! in [`Rule`], whose numbers are asserted. Needs `bgpdump` 1.6.2; set `ROUTEWARDEN_FULL=1` to
//! compare the large files too.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells on the console what it skipped"
)]

mod common;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use routewarden_core::{AddressFamily, AsPathBuf, Asn, SegmentKind, Timestamp};
use routewarden_wire::{
    Aggregator, AsnWidth, BgpdumpWriter, Limits, MrtDecoder, MrtReader, Nlri, RouteOrigin, Safi,
    SessionEnds, encode, mrt,
};

/// Larger files are only compared in the full run.
const ELEMENTS_MAX: u64 = 15_000;

/// A known difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// A line: it reads AGGREGATOR of eight octets in a record with two-octet ASNs as six.
    AggregatorWidth,
    /// A line: it prints the bits beyond a prefix's length.
    StrayBits,
    /// A line of ours: it takes path identifiers for prefixes.
    PathIdsUnseen,
    /// A line of ours: it does not read the deprecated `BGP4MP_ENTRY`.
    Bgp4mpEntryUnread,
    /// Not explained: the test fails.
    Unexplained,
}

fn theirs(arguments: &[&str], path: &Path) -> Option<String> {
    let output = Command::new("bgpdump").args(arguments).arg(path).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn ours(path: &Path, mut writer: BgpdumpWriter) -> String {
    let mut reader = MrtReader::new(common::open(path), Limits::default());
    let mut decoder = MrtDecoder::new();
    let mut text = String::new();
    while let Some(raw) = reader.next_record() {
        let raw = raw.unwrap();
        if let Ok(decoded) = decoder.decode(&raw) {
            writer.write_record(&raw, &decoded.value, &mut text).unwrap();
        }
    }
    text
}

/// Why two lines at the same place differ.
fn rule(ours: &str, theirs: &str) -> Rule {
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.split('|').collect(), theirs.split('|').collect());
    if ours.len() != theirs.len() {
        return Rule::Unexplained;
    }
    let differing: Vec<usize> = (0..ours.len()).filter(|&at| ours[at] != theirs[at]).collect();
    // Fields: tag, time, letter, peer, ASN, prefix, ..., aggregator, "".
    match differing[..] {
        [5] => Rule::StrayBits,
        [at] if at + 2 == ours.len() && ours[0] == "TABLE_DUMP" => Rule::AggregatorWidth,
        _ => Rule::Unexplained,
    }
}

fn compare(file: &str, ours: &str, theirs: &str, tally: &mut BTreeMap<Rule, usize>) -> Vec<String> {
    if ours == theirs {
        return Vec::new();
    }
    let changed = ours.lines().zip(theirs.lines()).filter(|(a, b)| a != b);
    let whole_file = match file {
        "mrtparse.bird_bgp" | "mrtparse.bird6_bgp" => Some((Rule::PathIdsUnseen, "BGP4MP_AP|")),
        "mrtparse.openbgpd_rib_table-mp" => Some((Rule::Bgp4mpEntryUnread, "TABLE_DUMP|")),
        _ => None,
    };
    if let Some((rule, tag)) = whole_file {
        *tally.entry(rule).or_default() += ours.lines().filter(|l| l.starts_with(tag)).count();
        // All other lines are equal.
        let is_known = |line: &&str| !line.starts_with(tag);
        let rest = ours.lines().filter(is_known).filter(|line| !theirs.lines().any(|t| t == *line));
        return rest.map(|line| format!("{file}: {line}")).collect();
    }
    if ours.lines().count() != theirs.lines().count() {
        let counts = (ours.lines().count(), theirs.lines().count());
        return vec![format!("{file}: {} lines for {}", counts.0, counts.1)];
    }
    let mut faults = Vec::new();
    for (ours, theirs) in changed {
        let rule = rule(ours, theirs);
        *tally.entry(rule).or_default() += 1;
        if rule == Rule::Unexplained && faults.len() < 2 {
            faults.push(format!("{file}:\n  {ours}\n  {theirs}"));
        }
    }
    faults
}

#[test]
fn every_line() {
    let Some(data) = common::shared_data() else { return };
    if theirs(&["-m"], Path::new("/dev/null")).is_none() {
        eprintln!("skipped: bgpdump is not installed");
        return;
    }
    let is_full = std::env::var("ROUTEWARDEN_FULL").is_ok();
    let (mut lines, mut faults, mut tally) = (0, Vec::new(), BTreeMap::new());
    for folder in ["mrt", "lab"] {
        for row in common::expected(&data.join(folder)) {
            let elements = row.number("announcements") + row.number("rib_entries");
            // It aborts on a peer index out of range.
            let is_left_out = row.file == "gobgp-3.10-bad-peer-index.mrt";
            if is_left_out || !is_full && elements > ELEMENTS_MAX {
                continue;
            }
            let ours = ours(&row.path, BgpdumpWriter::new().with_large_communities(true));
            let theirs = theirs(&["-m", "-l"], &row.path).unwrap();
            lines += ours.lines().count();
            faults.extend(compare(&row.file, &ours, &theirs, &mut tally));
        }
    }
    println!("{lines} lines, {tally:?}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let known = [
        (Rule::AggregatorWidth, 375),
        (Rule::StrayBits, 1),
        (Rule::PathIdsUnseen, 28),
        (Rule::Bgp4mpEntryUnread, 31),
    ];
    assert_eq!(tally, BTreeMap::from(known));
}

/// Without `-l` large communities are left out.
#[test]
fn without_large_communities() {
    let Some(data) = common::shared_data() else { return };
    let path = data.join("mrt/manrs-ixp.185.186.nlix.mrt");
    let Some(theirs) = theirs(&["-m"], &path) else {
        eprintln!("skipped: bgpdump is not installed");
        return;
    };
    assert_eq!(ours(&path, BgpdumpWriter::new()), theirs);
}

/// Record forms that the real files lack, from our own encoders. Left out is what `bgpdump` gets
/// wrong: confederation segments count in its merge with `AS4_PATH`, it takes the local ASN of
/// `*_LOCAL_ADDPATH` for the peer's, and prints the IPv4 address of a peer that withdraws IPv6
/// as an IPv6 one.
#[test]
fn forms_that_real_files_lack() {
    let path = std::env::temp_dir().join(format!("routewarden-forms-{}.mrt", std::process::id()));
    std::fs::write(&path, forms()).unwrap();
    let found = theirs(&["-m", "-l"], &path);
    let ours = ours(&path, BgpdumpWriter::new().with_large_communities(true));
    std::fs::remove_file(&path).unwrap();
    let Some(theirs) = found else {
        eprintln!("skipped: bgpdump is not installed");
        return;
    };
    assert_eq!(ours, theirs);
}

fn forms() -> Vec<u8> {
    let prefix =
        |text: &str, path_id| Nlri { prefix: text.parse().unwrap(), path_id, safi: Safi::Unicast };
    let (v4, v6): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
    let mut out = Vec::new();
    for (mrt_type, is_local, path_id, asn_width, peer) in [
        (mrt::BGP4MP, true, None, AsnWidth::Two, v4),
        (mrt::BGP4MP_ET, true, None, AsnWidth::Four, v6),
        (mrt::BGP4MP_ET, false, Some(7), AsnWidth::Four, v4),
        (mrt::BGP4MP_ET, false, None, AsnWidth::Two, v6),
    ] {
        let mut path = AsPathBuf::sequence([64496, 65551].map(Asn));
        path.push_segment(SegmentKind::Set, [64499, 64500].map(Asn));
        if asn_width == AsnWidth::Four {
            path.push_segment(SegmentKind::ConfedSequence, [64501, 64502].map(Asn));
            path.push_segment(SegmentKind::ConfedSet, [64503, 64504].map(Asn));
        }
        let mut writer = encode::AttributeWriter::new(asn_width);
        writer.origin(RouteOrigin::Egp).as_path(path.as_path()).unwrap();
        writer.next_hop("192.0.2.9".parse().unwrap()).med(u32::MAX).local_pref(u32::MAX - 1);
        let addr = "192.0.2.8".parse().unwrap();
        writer.aggregator(Aggregator { asn: Asn(65551), addr }).unwrap().atomic_aggregate();
        let known = [(0xffff, 0xff01), (0xffff, 0xff02), (0xffff, 0xff03), (0xffff, 0x029a)];
        writer.communities(&known).unwrap().large_communities(&[[1, 2, 3], [4, 5, 6]]).unwrap();
        let family = (AddressFamily::Ipv6, Safi::Unicast);
        let link_local = "fe80::1".parse().unwrap();
        let reached = [prefix("2001:db8:1:0:1::/80", path_id), prefix("::/0", path_id)];
        writer.mp_reach(family, &[v6, link_local], &reached).unwrap();
        if peer.is_ipv6() {
            writer.mp_unreach(family, &[prefix("2001:db8:2::/48", path_id)]).unwrap();
        }
        let withdrawn = [prefix("198.51.100.0/24", path_id)];
        let announced = [prefix("192.0.2.0/24", path_id), prefix("0.0.0.0/0", path_id)];
        let body = encode::update(&withdrawn, writer.octets(), &announced).unwrap();
        let message = encode::message(2, &body).unwrap();
        let has_path_ids = path_id.is_some();
        let kind = encode::Bgp4mpKind { asn_width, is_local, has_path_ids };
        let (peer_asn, local_asn) = (Asn(64496), Asn(64511));
        let ends =
            SessionEnds { peer_asn, local_asn, interface: 0, peer_addr: peer, local_addr: peer };
        let (subtype, body) = encode::bgp4mp_message(kind, &ends, &message).unwrap();
        let time = Timestamp::from_secs_micros(1_203_878_877, 42);
        encode::push_record(time, (mrt_type, subtype), &body, &mut out).unwrap();
    }
    out
}

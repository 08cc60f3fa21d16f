//! `relations`: what it writes can be read back, and the lab's topology is found.

use crate::program::{routewarden, shared_data};

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

/// `a|b|code` of every link written with `--confidence`.
fn links(text: &str) -> Vec<String> {
    let link = |line: &str| line.rsplit_once('|').unwrap().0.to_owned();
    lines(text).into_iter().map(link).collect()
}

/// Nine ASes of which five feed the collector, recorded through a leak and a forged path: too small to
/// tell the top from the middle, yet two thirds of its links are found as they were built.
#[test]
fn the_lab_has_the_links_that_were_built() {
    let truth = [
        "64496|64497|0",
        "64496|64498|-1",
        "64496|64500|-1",
        "64497|64499|-1",
        "64497|64500|-1",
        "64497|64501|-1",
        "64498|64501|0",
        "64498|64502|-1",
        "64498|64504|-1",
        "64499|64504|-1",
        "64500|64503|-1",
        "64501|64502|-1",
    ];
    let args = ["relations", "-q", "--no-bogons", "--confidence", "testdata/lab/plain/col"];
    let ran = routewarden(args).expect(0);
    let found = links(&ran.stdout);
    let right = truth.iter().filter(|link| found.iter().any(|held| held == *link)).count();
    assert!(right >= 8, "{right} of 12: {}", ran.stdout);
}

#[test]
fn what_is_written_is_read_back_and_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("links.txt").to_string_lossy().into_owned();
    let lab = "testdata/lab/plain/col/updates.mrt";
    let mut args = vec!["relations", "-q", "--no-bogons", lab, "-o", &file];
    routewarden(&args).expect(0);
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("# inferred by routewarden"), "{written}");
    assert!(written.contains("# clique: ") && written.contains("# date: 20"), "{written}");
    args.truncate(4);
    args.extend(["--relations", &file, "--confidence"]);
    let again = routewarden(&args).expect(0).stdout;
    assert_eq!(lines(&again), lines(&written), "given links are written as given");
    // And by detect, with the confidence as fourth column.
    let ran = routewarden(["relations", "-q", "--no-bogons", "--confidence", lab, "-o", &file]);
    ran.expect(0);
    let ran = routewarden(["detect", "--no-bogons", "--relations", &file, lab]).expect(0);
    assert!(ran.stderr.contains("links.txt"), "{}", ran.stderr);
}

#[test]
fn nothing_to_infer_from_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("updates.mrt");
    std::fs::write(&empty, b"").unwrap();
    routewarden(["relations", "-q", &empty.to_string_lossy()]).expect(1);
    routewarden(["relations", "-q", "no-such-file"]).expect(1);
}

/// The table of 2008: the known clique of the time, and firm links.
#[test]
fn the_clique_of_2008() {
    let Some(table) = shared_data("mrt/route-views2-20080224.1600.rib.bz2") else { return };
    let ran = routewarden(["relations", "-q", "--confidence", &table]).expect(0);
    let clique = ran.stdout.lines().find(|line| line.starts_with("# clique:")).unwrap();
    for member in [174, 209, 701, 1239, 1299, 2914, 3356, 3549, 3561, 7018] {
        assert!(clique.split(' ').any(|asn| asn == member.to_string()), "{member}: {clique}");
    }
    let found = links(&ran.stdout);
    assert!(found.len() > 50_000, "{}", found.len());
    // Those of the incident: YouTube's providers, and that of Pakistan Telecom.
    for link in ["174|36561|-1", "3549|36561|-1", "3491|17557|-1"] {
        assert!(found.iter().any(|held| held == link), "{link}");
    }
}

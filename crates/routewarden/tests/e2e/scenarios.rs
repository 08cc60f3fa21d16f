//! Every scenario gives what it expects, and the silent ones nothing.

use crate::program::{repository, routewarden};

#[test]
fn every_scenario_gives_what_it_expects() {
    let mut folders: Vec<_> = std::fs::read_dir(repository().join("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("scenario.toml").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 12, "{folders:?}");
    let args = ["scenario".into(), "check".into()].into_iter().chain(folders.iter().cloned());
    let ran = routewarden(args).expect(0);
    assert!(ran.stdout.contains(&format!("{} scenarios as expected, 0 not", folders.len())));
}

#[test]
fn the_demo_says_that_it_is_a_reconstruction_and_explains_the_hijack() {
    let ran = routewarden(["scenario", "run", "scenarios/2008-02-24-youtube"]).expect(0);
    insta::assert_snapshot!("demo", ran.stdout);
}

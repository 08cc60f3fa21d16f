use std::path::{Path, PathBuf};

use routewarden_core::{RouteEventKind, Timestamp};

use super::pieces::Piece;
use super::*;

fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(name)
}

#[test]
fn speeds_are_numbers_above_zero_or_max() {
    assert_eq!("max".parse(), Ok(Speed::Max));
    assert_eq!("2.5".parse(), Ok(Speed::Times(2.5)));
    for wrong in ["0", "-1", "1e9", "NaN", "inf", "fast", ""] {
        assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
    }
}

#[test]
fn a_scenario_is_cut_into_pieces_of_a_second_that_stand_by_themselves() {
    let stock = Stock::open(&Config::default(), &[scenario("2008-02-24-youtube")]).unwrap();
    let start: Timestamp = "2008-02-24T18:00:00Z".parse().unwrap();
    assert_eq!((stock.begins, stock.has_table), (start, true));
    let (mut last, mut events) = (start, 0);
    for piece in stock.pieces {
        let piece = piece.unwrap();
        assert!(piece.until() >= last, "in order");
        last = piece.until();
        let Piece::Events { until, batch } = piece else { continue };
        events += batch.events.len();
        for event in &batch.events {
            assert!(until.secs_since(event.time) <= 1 && event.time <= until);
            assert!((event.peer as usize) < batch.new_peers.len());
            if let RouteEventKind::Announcement { attributes, .. } = event.kind {
                assert!(!batch.attributes(attributes).is_empty());
            }
        }
    }
    assert!(events >= 100, "{events}");
    assert_eq!(last, "2008-02-24T22:00:00Z".parse().unwrap(), "it goes on to its end");
}

#[test]
fn facts_that_change_are_pieces_of_their_own() {
    let stock = Stock::open(&Config::default(), &[scenario("roa-removed")]).unwrap();
    let facts = stock.pieces.filter(|piece| matches!(piece, Ok(Piece::Facts(..)))).count();
    assert!(facts > 0);
}

#[test]
fn nothing_to_play_is_an_error_and_so_is_a_folder_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
    assert!(Stock::open(&config, &[folder.path().join("nothing.bz2")]).is_err());
    check_empty(&config).unwrap();
    std::fs::write(folder.path().join(STORE_FILE), "").unwrap();
    let refused = check_empty(&config).unwrap_err().to_string();
    assert!(refused.contains("--ephemeral"), "{refused}");
}

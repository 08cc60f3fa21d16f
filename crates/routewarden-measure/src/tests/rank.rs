//! Places and ties.

use proptest::prelude::*;

use crate::{Rank, Ranking, Score};

#[test]
fn equal_scores_share_a_place_and_no_data_has_none() {
    let percent = |percent| Some(Score::from_percent(percent));
    let ranking = Ranking::new([percent(40), percent(70), None, percent(90), percent(70)]);
    let place = |score| ranking.rank(score).map(|rank| (rank.place, rank.ties));
    assert_eq!(ranking.rank(percent(90)), Some(Rank { place: 1, of: 4, ties: 1 }));
    assert_eq!(place(percent(70)), Some((2, 2)));
    assert_eq!(place(percent(40)), Some((4, 1)));
    assert_eq!(ranking.rank(None), None);
    assert_eq!(ranking.rank(percent(41)), None);
    assert_eq!(Ranking::new([None, None]).of(), 0);
}

#[test]
fn a_rank_is_written_as_place_of_and_ties() {
    let rank = Ranking::new([Some(Score::ONE)]).rank(Some(Score::ONE));
    assert_eq!(serde_json::to_string(&rank).unwrap(), r#"{"place":1,"of":1,"ties":1}"#);
}

proptest! {
    #[test]
    fn a_place_is_one_more_than_those_better(
        percents in prop::collection::vec(prop::option::of(0u8..20), 0..40),
    ) {
        let scores: Vec<Option<Score>> =
            percents.iter().map(|percent| percent.map(Score::from_percent)).collect();
        let ranking = Ranking::new(scores.iter().copied());
        for &score in scores.iter().filter(|score| score.is_some()) {
            let rank = ranking.rank(score).unwrap();
            let better = scores.iter().filter(|&&other| other > score).count();
            let equal = scores.iter().filter(|&&other| other == score).count();
            prop_assert_eq!((rank.place as usize, rank.ties as usize), (better + 1, equal));
        }
    }
}

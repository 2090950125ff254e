//! Beat maps from annotations.

use etude_pianist::time::{Bar, BeatMap};
use proptest::prelude::*;

/// One line of a POP909 file per beat, half a second apart from `first` on: marks in twos and in fours.
fn pop909(first: f64, marks: &[(u8, u8)]) -> String {
    let line = |(index, (twos, fours)): (usize, &(u8, u8))| {
        format!("{} {twos}.0 {fours}.0\n", first + index as f64 * 0.5)
    };
    marks.iter().enumerate().map(line).collect()
}

/// One line of an ASAP file per label, half a second apart from `first` on.
fn asap(first: f64, labels: &[&str]) -> String {
    let line = |(index, label): (usize, &&str)| {
        let time = first + index as f64 * 0.5;
        format!("{time}\t{time}\t{label}\n")
    };
    labels.iter().enumerate().map(line).collect()
}

fn bars(map: &BeatMap) -> Vec<(f64, u8, u8)> {
    map.bars().iter().map(|bar| (bar.start, bar.numerator, bar.denominator)).collect()
}

fn assert_close(one: f64, other: f64) {
    assert!((one - other).abs() < 1e-9, "{one} is not {other}");
}

const FOUR: [(u8, u8); 4] = [(1, 1), (0, 0), (1, 0), (0, 0)];

#[test]
fn pop909_counts_bars_of_four_quarters() {
    let map = BeatMap::from_pop909(&pop909(0.0, &[FOUR, FOUR].concat())).unwrap();
    assert_eq!(bars(&map), [(0.0, 4, 4)]);
    assert_close(map.to_quarters(1.25), 2.5);
    assert_close(map.to_quarters(100.0), 200.0);
}

#[test]
fn pop909_pickup_beats_stand_at_the_end_of_a_whole_bar() {
    let map =
        BeatMap::from_pop909(&pop909(0.0, &[&[(1, 0), (0, 0)], &FOUR[..], &FOUR[..]].concat())).unwrap();
    assert_close(map.to_quarters(0.0), 2.0);
    assert_eq!(
        map.position_in_bar(map.to_quarters(0.5)),
        (Bar { start: 0.0, numerator: 4, denominator: 4 }, 3.0)
    );
    assert_close(map.to_quarters(1.0), 4.0);
}

#[test]
fn pop909_bars_of_other_lengths_get_their_own_metre() {
    let (two, waltz) = ([(1, 1), (0, 0)], [(1, 1), (0, 0), (0, 0), (1, 0), (0, 0), (0, 0)]);
    let map =
        BeatMap::from_pop909(&pop909(0.0, &[&FOUR[..], &two, &FOUR, &waltz, &[(1, 1)]].concat())).unwrap();
    assert_eq!(bars(&map), [(0.0, 4, 4), (4.0, 2, 4), (6.0, 4, 4), (10.0, 3, 4)]);
    for bar in map.bars() {
        assert_eq!(map.position_in_bar(bar.start), (*bar, 0.0), "a bar begins where its metre does");
    }
    assert_eq!(map.position_in_bar(14.0), (Bar { start: 13.0, numerator: 3, denominator: 4 }, 1.0));
}

#[test]
fn pop909_bars_of_six_are_two_waltz_bars_only_where_the_counting_in_twos_says_so() {
    const NO: (u8, u8) = (0, 0);
    for (six, numerator) in [
        ([(1, 1), NO, NO, (1, 0), NO, NO], 3),
        ([(1, 1), NO, (1, 0), NO, (1, 0), NO], 6),
        ([(0, 1), NO, NO, (1, 0), NO, NO], 6),
    ] {
        let map = BeatMap::from_pop909(&pop909(0.0, &[&six[..], &FOUR].concat())).unwrap();
        assert_eq!(bars(&map)[0], (0.0, numerator, 4));
    }
}

#[test]
fn pop909_goes_on_in_fours_where_a_downbeat_is_missing() {
    let eight = [&FOUR[..], &[(1, 0), (0, 0), (1, 0), (0, 0)]].concat();
    let map = BeatMap::from_pop909(&pop909(0.0, &[&eight[..], &FOUR, &FOUR].concat())).unwrap();
    assert_eq!(bars(&map), [(0.0, 4, 4)]);
}

#[test]
fn pop909_without_the_third_column_counts_in_twos() {
    let map = BeatMap::from_pop909(&pop909(0.0, &[(0, 0), (1, 0), (0, 0), (1, 0), (0, 0)])).unwrap();
    assert_eq!(bars(&map), [(0.0, 2, 4)]);
    assert_close(map.to_quarters(0.5), 2.0);
}

#[test]
fn music_before_the_first_beat_gets_whole_bars_of_its_own() {
    let map = BeatMap::from_pop909(&pop909(3.0, &[FOUR, FOUR].concat())).unwrap();
    assert_close(map.to_quarters(3.0), 8.0);
    assert_close(map.to_quarters(0.0), 2.0);
    assert_close(map.to_seconds(2.0), 0.0);
}

#[test]
fn asap_beats_of_a_compound_metre_are_dotted() {
    let map = BeatMap::from_asap(&asap(0.0, &["db,6/8,2", "b", "db", "b", "db"])).unwrap();
    assert_eq!(bars(&map), [(0.0, 6, 8)]);
    assert_close(map.to_quarters(0.5), 1.5);
    assert_close(map.to_quarters(1.0), 3.0);
}

#[test]
fn asap_follows_changes_of_metre() {
    let labels = ["b,,0", "db,2/4", "b", "db", "b", "db,3/8", "b", "b", "db", "b", "b", "db,2/2", "b", "db"];
    let map = BeatMap::from_asap(&asap(0.0, &labels)).unwrap();
    assert_eq!(bars(&map), [(0.0, 2, 4), (6.0, 3, 8), (9.0, 2, 2)]);
    assert_close(map.to_quarters(0.0), 1.0);
    assert_close(map.to_quarters(2.5), 6.0);
    assert_close(map.to_quarters(3.0), 6.5);
    assert_close(map.to_quarters(6.0), 11.0);
}

#[test]
fn asap_bars_with_odd_numbers_of_beats_keep_the_usual_beat() {
    let labels = ["db,4/4,0", "b", "b", "b", "db", "b", "b", "b", "db", "b", "b", "b", "b", "b", "db", "b"];
    let map = BeatMap::from_asap(&asap(0.0, &labels)).unwrap();
    assert_eq!(bars(&map), [(0.0, 4, 4), (14.0, 4, 4)]);
    assert_eq!(map.position_in_bar(13.0), (Bar { start: 12.0, numerator: 4, denominator: 4 }, 1.0));
}

#[test]
fn asap_beats_are_counted_as_in_most_bars() {
    let (quarters, eighths) = ([&["db,4/4"][..], &["b"; 3]].concat(), [&["db,4/4"][..], &["b"; 7]].concat());
    let labels = [&quarters[..], &quarters, &eighths, &["db,4/4"]].concat();
    let map = BeatMap::from_asap(&asap(0.0, &labels)).unwrap();
    assert_close(map.to_quarters(0.5), 1.0);
}

#[test]
fn asap_beats_that_leave_no_note_value_are_those_under_the_stroke() {
    let map = BeatMap::from_asap(&asap(0.0, &["db,5/8", "b", "b", "db", "b", "b", "db"])).unwrap();
    assert_close(map.to_quarters(0.5), 0.5);
    assert_close(map.to_quarters(1.5), 1.5);
}

#[test]
fn asap_beats_of_no_sure_place_are_spread_between_the_sure_ones() {
    let text = "0\t0\tdb,3/4,0\n0.2\t0.2\tbR\n0.3\t0.3\tbR\n1.5\t1.5\tdb\n2\t2\tb\n2.5\t2.5\tb\n3\t3\tdb\n";
    let map = BeatMap::from_asap(text).unwrap();
    assert_close(map.to_quarters(0.5), 1.0);
    assert_close(map.to_quarters(1.5), 3.0);
}

#[test]
fn errors_name_the_line_and_the_problem() {
    let message = |text: &str| BeatMap::from_asap(text).unwrap_err().to_string();
    assert_eq!(message("0\t0\tdb,4/4,0\n1\t1\n"), "line 2: it has 2 columns where 3 are needed");
    assert!(message("0\t0\tdb,4/5,0\n").starts_with("line 1: `4/5` is no time signature"));
    assert_eq!(message("0\t0\tdb\n\n1\t1\tx\n"), "line 3: `x` is no beat: expected db, b or bR");
    assert_eq!(message("-1\t0\tdb\n"), "line 1: `-1` is not a number from 0 to a day in seconds");
    assert_eq!(
        message("1\t1\tdb\n1\t1\tb\n"),
        "line 2: its beat is not at least 0.1 ms after the one before"
    );
    assert!(message("").starts_with("line 0: the file needs at least two beats"));
    assert!(message("0\t0\tb\n1\t1\tb\n").starts_with("line 2: the file needs at least two beats"));
    let message = |text: &str| BeatMap::from_pop909(text).unwrap_err().to_string();
    assert_eq!(message("0.5 1.0\n"), "line 1: it has 2 columns where 3 are needed");
    assert_eq!(message("nan 1.0 1.0\n"), "line 1: `nan` is not a number from 0 to a day in seconds");
}

proptest! {
    #[test]
    fn both_directions_agree_and_go_forward(
        intervals in prop::collection::vec(0.05f64..3.0, 8..40),
        first in 0.0f64..20.0,
        pickup in 0usize..4,
        places in prop::collection::vec(0.0f64..120.0, 2..20),
    ) {
        let mut time = first;
        let mut text = String::new();
        for (index, interval) in intervals.iter().enumerate() {
            let downbeat = u8::from((index + 4 - pickup) % 4 == 0);
            text += &format!("{time} {downbeat} {downbeat}\n");
            time += interval;
        }
        let map = BeatMap::from_pop909(&text).unwrap();
        let mut places = places;
        places.sort_by(f64::total_cmp);
        prop_assert!(map.to_quarters(0.0) >= -1e-9);
        for pair in places.windows(2) {
            prop_assert!(map.to_quarters(pair[0]) <= map.to_quarters(pair[1]) + 1e-9);
            prop_assert!((map.to_seconds(map.to_quarters(pair[0])) - pair[0]).abs() < 1e-6);
            let (bar, position) = map.position_in_bar(map.to_quarters(pair[0]));
            prop_assert!((0.0..bar.quarters()).contains(&position));
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[0-9.\\t\\n dbR,/-]{0,200}") {
        let _ = BeatMap::from_asap(&text);
        let _ = BeatMap::from_pop909(&text);
    }
}

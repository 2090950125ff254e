//! Takes: the same from the same, within what was asked, whatever the pianist.

mod common;
#[path = "common/composing.rs"]
mod composing;

use std::collections::HashSet;

use composing::{ALPHABETS, compose, engine, note, short};
use etude_pianist::alphabet::{Alphabet, Pedal};
use etude_pianist::composer::{Composer, Knobs, Request, RequestError, Take};
use etude_pianist::locks::{Locks, LocksError};
use etude_pianist::note::{Key, Note, PedalChange, Performance};
use etude_pianist::sampler::Temperatures;
use etude_pianist::time::{TimeBase, TimeSignature};
use proptest::prelude::*;

/// Checks everything that holds for every take.
fn assert_valid(take: &Take, request: &Request) {
    let Performance { notes, pedal } = &take.sounding();
    let Knobs { locks, pedal: spelling, .. } = &request.knobs;
    assert_eq!(take.quarters, request.quarters());
    assert!(notes.is_sorted_by_key(|note| (note.onset, note.key)), "notes are in order");
    for (i, note) in notes.iter().enumerate() {
        assert!(locks.allow(note.key), "{note:?} is locked out");
        assert!(note.onset >= 0.0 && note.duration > 0.0 && note.end() <= take.quarters + 1e-9, "{note:?}");
        let sounding: Vec<_> = notes[..=i].iter().filter(|other| other.end() > note.onset + 1e-9).collect();
        assert!(sounding.len() <= locks.polyphony, "{} keys sound at {}", sounding.len(), note.onset);
        let keys: HashSet<Key> = sounding.iter().map(|note| note.key).collect();
        assert_eq!(keys.len(), sounding.len(), "a key is struck while it sounds");
    }
    let tick = (1.0 / 24.0f64).max(take.tempo / 6000.0);
    let longest = 10.0 * take.tempo / 60.0 + tick + 1e-9;
    let stuck = take.performance.fold_pedal().notes.into_iter().find(|note| note.duration > longest);
    assert_eq!(stuck, None, "it sounds for more than ten seconds");
    assert!(pedal.is_empty() || *spelling == Pedal::Keep);
    assert!(pedal.is_sorted_by_key(|change| change.time));
    assert!(pedal.iter().enumerate().all(|(i, change)| change.down == (i % 2 == 0)), "the pedal alternates");
    assert!(pedal.len() % 2 == 0 && pedal.iter().all(|change| change.time <= take.quarters));
}

#[test]
fn the_same_request_gives_the_same_take_and_another_seed_another() {
    for alphabet in ALPHABETS {
        let engine = engine(alphabet, TimeBase::Seconds, 0.1, 1);
        let take = compose(&engine, &short(5));
        assert_eq!(take, compose(&engine, &short(5)));
        assert_ne!(take.performance, compose(&engine, &short(6)).performance);
        assert_eq!(take.performance.notes[0].onset, 0.0, "music starts on the first beat");
    }
}

#[test]
fn a_take_does_not_depend_on_where_composing_paused() {
    for (alphabet, base) in [(Alphabet::Notes, TimeBase::Beats), (Alphabet::Events, TimeBase::Seconds)] {
        let engine = engine(alphabet, base, 0.1, 2);
        let whole = compose(&engine, &short(1));
        let mut composer = Composer::new(engine, &[short(1)]).unwrap();
        let mut decided = 0.0;
        while !composer.is_complete() {
            composer.advance(decided + 0.3);
            assert!(composer.decided() >= decided + 0.3 || composer.is_complete());
            let so_far = composer.takes().remove(0).performance.notes;
            let begun = |notes: &[Note<f64>]| {
                let notes = notes.iter().filter(|note| note.onset < composer.decided());
                notes.map(|note| (note.onset.to_bits(), note.key)).collect::<Vec<_>>()
            };
            assert_eq!(begun(&so_far), begun(&whole.performance.notes), "what is decided stays");
            decided = composer.decided();
        }
        assert_eq!(composer.takes(), [whole]);
    }
}

#[test]
fn takes_composed_together_are_those_composed_alone() {
    for alphabet in ALPHABETS {
        let engine = engine(alphabet, TimeBase::Beats, 0.2, 3);
        let mut requests: Vec<Request> = (0..7).map(short).collect();
        requests[2].bars = 4;
        requests[4].time_signature = TimeSignature::new(3, 4).unwrap();
        requests[5].primer = Some(Performance { notes: vec![note(0.0, 1.0, 60)], pedal: Vec::new() });
        let together = Composer::new(engine.clone(), &requests).unwrap().finish();
        for (take, request) in together.iter().zip(&requests) {
            assert_eq!(*take, compose(&engine, request));
        }
    }
}

#[test]
fn a_primer_is_continued_from_the_bar_after_it() {
    let primer = Performance {
        notes: vec![note(8.0, 1.0, 60), note(9.0, 9.0, 64), note(11.9999, 0.5, 108)],
        pedal: vec![PedalChange { time: 8.5, down: true }],
    };
    for alphabet in ALPHABETS {
        for base in [TimeBase::Beats, TimeBase::Seconds] {
            let engine = engine(alphabet, base, 0.3, 4);
            let primed = Request { primer: Some(primer.clone()), ..short(1) };
            let take = compose(&engine, &primed);
            assert_valid(&take, &primed);
            assert_eq!(take.performance.notes[0].onset, 0.0);
            assert_ne!(
                take.performance,
                compose(&engine, &short(1)).performance,
                "{alphabet} in {base}: it was heard"
            );
            let later = primer.map_time(|quarters| quarters + 4.0);
            let moved = Request { primer: Some(later), ..short(1) };
            assert_eq!(compose(&engine, &moved), take, "it doesn't matter in which bar it was played");
        }
    }
}

#[test]
fn bars_are_those_of_the_metre() {
    let primer = Performance { notes: vec![note(0.0, 1.0, 60), note(1.0, 1.0, 64)], pedal: Vec::new() };
    for (metre, bar) in [("3/4", 3.0), ("7/8", 3.5)] {
        for base in [TimeBase::Beats, TimeBase::Seconds] {
            let engine = engine(Alphabet::Notes, base, 0.5, 4);
            let after = |quarters| {
                let primer = Some(primer.map_time(|time| time + quarters));
                compose(&engine, &Request { time_signature: metre.parse().unwrap(), primer, ..short(1) })
            };
            assert_eq!(after(bar), after(0.0), "{metre} in {base}: it is the same a bar later");
            assert_ne!(after(4.0), after(0.0), "{metre} in {base}: a bar of 4/4 is none");
        }
    }
}

#[test]
fn pianists_in_beats_hear_the_metre_and_those_in_seconds_do_not() {
    for (alphabet, base) in ALPHABETS.into_iter().flat_map(|a| [(a, TimeBase::Beats), (a, TimeBase::Seconds)])
    {
        let engine = engine(alphabet, base, 0.5, 3);
        // Twelve quarter notes, in which nothing can return yet.
        let [threes, fours] = [("3/4", 4), ("4/4", 3)].map(|(metre, bars)| {
            let request = Request { bars, time_signature: metre.parse().unwrap(), ..short(1) };
            compose(&engine, &request).performance
        });
        assert_eq!(threes != fours, base == TimeBase::Beats, "{alphabet} in {base}");
    }
}

#[test]
fn a_long_primer_is_heard_whole_but_not_what_came_before_a_long_rest() {
    let theme: Vec<_> = (0..64u8).map(|i| note(f64::from(i), 0.9, 40 + i % 8 * 5)).collect();
    let played = |notes: &[Note<f64>]| Performance { notes: notes.to_vec(), pedal: Vec::new() };
    let mut rested = played(&theme).map_time(|quarters| quarters + 128.0);
    rested.notes.insert(0, note(0.0, 1.0, 90));
    for alphabet in ALPHABETS {
        for base in [TimeBase::Beats, TimeBase::Seconds] {
            let engine = engine(alphabet, base, 0.3, 4);
            let after = |primer| compose(&engine, &Request { primer: Some(primer), ..short(1) });
            let whole = after(played(&theme));
            assert_ne!(whole, after(played(&theme[63..])), "{alphabet} in {base}: the last note is not all");
            assert_eq!(whole, after(rested.clone()), "{alphabet} in {base}: the rest parts them");
        }
    }
}

#[test]
fn a_primer_that_went_through_seconds_and_back_begins_in_the_same_bar() {
    let primer = Performance {
        notes: vec![note(4.0, 1.0, 60)],
        pedal: [(4.0, true), (4.5, false)].map(|(time, down)| PedalChange { time, down }).to_vec(),
    };
    let inexact = primer.map_time(|quarters| quarters * (1.0 - f64::EPSILON));
    assert!(inexact.notes[0].onset < 4.0);
    for alphabet in ALPHABETS {
        for base in [TimeBase::Beats, TimeBase::Seconds] {
            // Stuck in its ways, so that what it heard makes a difference.
            let engine = engine(alphabet, base, 3.0, 4);
            for seed in 0..16 {
                let heard =
                    |primer: &Performance<f64>| Request { primer: Some(primer.clone()), ..short(seed) };
                let [taken, expected] = [&inexact, &primer].map(|primer| compose(&engine, &heard(primer)));
                assert_eq!(taken, expected, "{alphabet} in {base}, seed {seed}");
            }
        }
    }
}

#[test]
fn a_colder_take_is_the_likeliest_one_for_every_seed() {
    let engine = engine(Alphabet::Notes, TimeBase::Seconds, 0.3, 5);
    let cold = |seed| {
        let mut request = short(seed);
        request.knobs.freedom.temperatures.master = 0.0;
        compose(&engine, &request).performance
    };
    assert_eq!(cold(1), cold(2));
}

#[test]
fn impossible_requests_are_refused_with_a_reason() {
    let engine = engine(Alphabet::Notes, TimeBase::Seconds, 0.1, 6);
    let refusal = |change: &dyn Fn(&mut Request)| {
        let mut request = Request::default();
        change(&mut request);
        Composer::new(engine.clone(), &[request]).err().expect("it can't be met")
    };
    assert_eq!(refusal(&|request| request.bars = 0), RequestError::Bars(0));
    assert_eq!(refusal(&|request| request.bars = u32::MAX), RequestError::Bars(u32::MAX));
    assert_eq!(refusal(&|request| request.tempo = 0.0), RequestError::Tempo(0.0));
    assert!(matches!(refusal(&|request| request.tempo = f64::NAN), RequestError::Tempo(_)));
    assert!(matches!(
        refusal(&|request| request.knobs.freedom.temperatures.time = -1.0),
        RequestError::Temperature(-1.0)
    ));
    assert!(matches!(refusal(&|request| request.knobs.freedom.top_p = 1.5), RequestError::Probability(1.5)));
    assert!(matches!(
        refusal(&|request| request.knobs.density = Some(f32::INFINITY)),
        RequestError::Density(_)
    ));
    assert_eq!(refusal(&|request| request.knobs.pitch_classes = Some([0.0; 12])), RequestError::PitchClasses);
    assert_eq!(
        refusal(&|request| request.knobs.locks.polyphony = 0),
        RequestError::Locks(LocksError::NoPolyphony)
    );
    let no_key = refusal(&|request| {
        request.knobs.locks.scale = Some(("C".parse().unwrap(), "major".parse().unwrap()));
        (request.knobs.locks.lowest, request.knobs.locks.highest) =
            ("C#4".parse().unwrap(), "C#4".parse().unwrap());
    });
    assert!(matches!(no_key, RequestError::Locks(LocksError::NoKey { .. })));
    let too_many = Composer::new(engine.clone(), &vec![Request::default(); 65]).err();
    assert_eq!(too_many, Some(RequestError::TooManyTakes(65)));
}

fn locks() -> impl Strategy<Value = Locks> {
    let scale = prop_oneof![
        Just(None),
        (
            prop::sample::select(vec!["C", "F#", "Bb"]),
            prop::sample::select(vec!["major", "blues", "whole-tone"])
        )
            .prop_map(|(tonic, scale)| Some((tonic.parse().unwrap(), scale.parse().unwrap())))
    ];
    (scale, 0..76usize, 0..88usize, prop_oneof![Just(88), 1..6usize]).prop_map(
        |(scale, lowest, more, polyphony)| Locks {
            scale,
            lowest: Key::from_index(lowest).unwrap(),
            highest: Key::from_index((lowest + 12 + more).min(87)).unwrap(),
            polyphony,
        },
    )
}

fn primers() -> impl Strategy<Value = Option<Performance<f64>>> {
    let time = || prop_oneof![8 => 0.0..20.0f64, 1 => any::<f64>()];
    let note = (time(), time(), 21..=108u8).prop_map(|(onset, duration, midi)| note(onset, duration, midi));
    let change = (time(), any::<bool>()).prop_map(|(time, down)| PedalChange { time, down });
    let performance = (prop::collection::vec(note, 0..12), prop::collection::vec(change, 0..4));
    prop::option::of(performance.prop_map(|(mut notes, mut pedal)| {
        notes.sort_by(|a, b| a.onset.total_cmp(&b.onset));
        pedal.sort_by(|a, b| a.time.total_cmp(&b.time));
        Performance { notes, pedal }
    }))
}

fn requests() -> impl Strategy<Value = Request> {
    let metre = prop::sample::select(vec!["4/4", "3/4", "7/64", "6/8", "1/64"]);
    let temperature = 0.0..2.0f32;
    let pedal = prop::bool::ANY.prop_map(|keep| if keep { Pedal::Keep } else { Pedal::Fold });
    (any::<u64>(), 1..4u32, 10.0..900.0f64, metre, temperature, locks(), pedal, primers()).prop_map(
        |(seed, bars, tempo, metre, time, locks, pedal, primer)| {
            let mut knobs = Knobs { locks, pedal, ..Knobs::default() };
            knobs.freedom.temperatures = Temperatures { time, ..Temperatures::AS_LEARNED };
            Request { seed, bars, tempo, time_signature: metre.parse().unwrap(), knobs, primer }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_pianist_keeps_to_any_request(
        request in requests(),
        scale in prop::sample::select(vec![0.05f32, 0.5, 50.0, 60000.0]),
        seed in 0..1000u64,
    ) {
        for alphabet in ALPHABETS {
            for base in [TimeBase::Seconds, TimeBase::Beats] {
                let take = compose(&engine(alphabet, base, scale, seed), &request);
                assert_valid(&take, &request);
            }
        }
    }
}

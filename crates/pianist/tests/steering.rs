//! What a take is kept to while it is composed: its pitch classes, its pace and its form.

mod common;
#[path = "common/composing.rs"]
mod composing;

use std::collections::HashSet;

use composing::{ALPHABETS, compose, engine, note, short};
use etude_pianist::alphabet::Alphabet;
use etude_pianist::composer::{Composer, Request, Take};
use etude_pianist::note::{Note, Performance};
use etude_pianist::time::TimeBase;

#[test]
fn pitch_classes_that_are_asked_for_are_played_more_and_others_still_now_and_then() {
    for alphabet in ALPHABETS {
        let engine = engine(alphabet, TimeBase::Beats, 0.1, 4);
        // Of many takes, since one has too few notes to tell a wish from chance.
        let share_of_c = |pitch_classes| {
            let mut request = Request { bars: 64, ..Request::default() };
            request.knobs.pitch_classes = Some(pitch_classes);
            let requests: Vec<Request> = (0..8).map(|seed| Request { seed, ..request.clone() }).collect();
            let takes = Composer::new(engine.clone(), &requests).unwrap().finish();
            let notes: Vec<_> = takes.into_iter().flat_map(|take| take.performance.notes).collect();
            notes.iter().filter(|note| note.key.pitch_class() == 0).count() as f64 / notes.len() as f64
        };
        let mut only_c = [0.0; 12];
        only_c[0] = 1.0;
        // Who asks for nothing is led back to the take's own key, which may well be C.
        let (asked, alike) = (share_of_c(only_c), share_of_c([1.0 / 12.0; 12]));
        assert!(asked > 1.2 * alike && asked < 1.0, "{alphabet}: {asked} instead of {alike}");
    }
}

#[test]
fn of_the_pitch_classes_that_are_asked_for_only_the_proportions_count() {
    for alphabet in ALPHABETS {
        let engine = engine(alphabet, TimeBase::Beats, 0.5, 4);
        let asked = |scale: f32| {
            let mut request = short(1);
            request.knobs.pitch_classes =
                Some([5, 0, 2, 0, 3, 1, 0, 4, 0, 1, 0, 0].map(|share| share as f32 * scale));
            compose(&engine, &request)
        };
        assert_eq!(asked(1.0), asked(7.0), "{alphabet}");
    }
}

#[test]
fn a_take_that_dozes_off_is_woken_unless_a_density_is_asked_for_or_few_keys_are_left() {
    for alphabet in ALPHABETS {
        let engine = engine(alphabet, TimeBase::Beats, 0.1, 4);
        let notes = |change: fn(&mut Request)| {
            let mut request = Request { bars: 64, ..Request::default() };
            change(&mut request);
            compose(&engine, &request).performance.notes.len() as f64
        };
        // A pianist that plays by chance waits for long, and hardly hears what density it is asked for.
        let (free, asked) = (notes(|_| ()), notes(|request| request.knobs.density = Some(1.0)));
        let limited = notes(|request| request.knobs.locks.polyphony = 87);
        assert!(free > 1.5 * asked, "{alphabet}: {free} notes, {asked} where a density is asked for");
        assert!(free > 1.5 * limited, "{alphabet}: {free} notes, {limited} with fewer keys");
    }
}

#[test]
fn the_more_notes_are_asked_for_the_more_there_are() {
    for alphabet in ALPHABETS {
        // A pianist that plays by chance hardly hears what it is asked for.
        let engine = engine(alphabet, TimeBase::Beats, 0.1, 4);
        let notes = [0.1, 0.5, 2.0].map(|density| {
            let mut request = Request { bars: 64, ..Request::default() };
            request.knobs.density = Some(density);
            compose(&engine, &request).performance.notes.len()
        });
        assert!(notes.is_sorted_by(|fewer, more| 3 * fewer < 2 * more), "{alphabet}: {notes:?}");
    }
}

#[test]
fn takes_in_beats_return_to_what_was_played_four_or_eight_bars_ago_and_those_in_seconds_do_not() {
    // What is struck again at the same sixteenth, so many bars later, as a share of all.
    let again = |takes: &[Take], bars: u64| {
        let place = |note: &Note<f64>| (note.onset * 4.0).round() as u64;
        let (mut same, mut all) = (0, 0);
        for notes in takes.iter().map(|take| &take.performance.notes) {
            let struck: HashSet<_> = notes.iter().map(|note| (place(note), note.key)).collect();
            same += struck.iter().filter(|(place, key)| struck.contains(&(place + 16 * bars, *key))).count();
            all += struck.len();
        }
        same as f64 / all as f64
    };
    for (alphabet, base) in ALPHABETS.into_iter().flat_map(|a| [(a, TimeBase::Beats), (a, TimeBase::Seconds)])
    {
        let engine = engine(alphabet, base, 0.1, 3);
        let takes: Vec<Take> =
            (0..8).map(|seed| compose(&engine, &Request { seed, bars: 24, ..Request::default() })).collect();
        let [by_phrases, by_chance] =
            [[4, 8], [5, 7]].map(|lags| lags.map(|bars| again(&takes, bars)).iter().sum::<f64>());
        let returns = by_phrases > 2.0 * by_chance;
        assert_eq!(returns, base == TimeBase::Beats, "{alphabet:?}, {base}: {by_phrases}, {by_chance}");
    }
}

#[test]
fn a_take_returns_to_what_it_continues() {
    let theme = |higher: u8| (0..16).map(move |i| note(f64::from(i), 1.0, 60 + higher + i * 7 % 24));
    let primer = Performance { notes: theme(0).collect(), pedal: Vec::new() };
    let engine = engine(Alphabet::Notes, TimeBase::Beats, 0.1, 3);
    let (mut same, mut higher) = (0, 0);
    for seed in 0..16 {
        let request = Request { seed, bars: 4, primer: Some(primer.clone()), ..Request::default() };
        let take = compose(&engine, &request);
        let plays = |theme: &Note<f64>| {
            let is_it = |note: &Note<f64>| note.key == theme.key && (note.onset - theme.onset).abs() < 0.05;
            take.performance.notes.iter().any(is_it)
        };
        same += theme(0).filter(plays).count();
        higher += theme(1).filter(plays).count();
    }
    assert!(same > 5 * higher, "{same}, and {higher} by chance");
}

#[test]
fn a_frenzy_is_calmed_however_many_keys_may_be_down() {
    let frenzy = (0..200).map(|i| note(f64::from(i) / 25.0, 0.04, 60 + (i % 12) as u8)).collect();
    let primer = Performance { notes: frenzy, pedal: Vec::new() };
    for alphabet in ALPHABETS {
        let engine = engine(alphabet, TimeBase::Beats, 0.1, 4);
        for seed in 0..8 {
            let heard = |polyphony| {
                let mut request = Request { primer: Some(primer.clone()), ..short(seed) };
                request.knobs.locks.polyphony = polyphony;
                compose(&engine, &request)
            };
            // So few notes are down at once that no limit matters.
            assert_eq!(heard(87), heard(88), "{alphabet}, seed {seed}");
        }
    }
}

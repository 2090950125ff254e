//! The player at the mercy of hosts.

mod change;
mod host;
mod music;
mod tempo;
mod transport;

use etude::params::Mode;
use etude::player::{Block, Event, Player};
use etude::take::Take;
use etude_pianist::midi::Action;
use host::{Host, Stretch, assert_playable, log, notes};
use music::{TEMPO, key, note, of_notes, place, takes};
use nice_assert_no_alloc::assert_no_alloc;
use proptest::prelude::*;

fn plain(position: f64, samples: u32) -> Stretch {
    Stretch { position: Some(position), samples, ..Stretch::default() }
}

/// Strikes and releases that a stretch after a jump should have, from the take's definition, repetition by repetition.
fn expected(take: &Take, stretch: &Stretch, begin: u64) -> Vec<(u64, u64, u8)> {
    let (Some(position), true) = (stretch.position, stretch.playing) else { return Vec::new() };
    let samples_per_quarter = stretch.sample_rate * 60.0 / stretch.tempo;
    let sample = |tick: i64| ((tick as f64 / 960.0 - position) * samples_per_quarter + 0.5001).floor();
    let entry = (position * 960.0).round() as i64;
    let place = take.place();
    let length = (take.music().quarters * 960.0) as i64;
    let repetitions = if place.mode == Mode::Loop { 200 } else { 1 };
    let mut expected = Vec::new();
    for start in (0..repetitions).map(|repetition| place.anchor + repetition * length) {
        for note in &take.music().performance.notes {
            let tick = |quarters: f64| start + (quarters * 960.0).round() as i64;
            let (strike, release) = (sample(tick(note.onset)), sample(tick(note.end())));
            let inside = tick(note.onset) >= entry && strike < f64::from(stretch.samples);
            if inside {
                let release = release.min(f64::from(stretch.samples));
                expected.push((begin + strike.max(0.0) as u64, begin + release as u64, note.key.midi()));
            }
        }
    }
    expected.sort_unstable();
    expected
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_note_begins_and_ends_at_its_sample_wherever_the_host_jumps(
        take in takes(),
        stretches in prop::collection::vec(host::jumps(), 1..6),
        blocks in host::block_sizes(),
    ) {
        let log = log(&stretches, &blocks, std::slice::from_ref(&take));
        let mut begin = 0;
        let mut wanted = Vec::new();
        for stretch in &stretches {
            wanted.extend(expected(&take, stretch, begin));
            begin += u64::from(stretch.samples);
        }
        prop_assert_eq!(notes(&log), wanted);
        assert_playable(&log);
    }

    #[test]
    fn what_is_played_does_not_depend_on_the_sizes_of_blocks(
        first in takes(),
        second in takes(),
        stretches in host::stretches(),
        blocks in host::block_sizes(),
    ) {
        let takes = [first, second];
        let whole = log(&stretches, &[64], &takes);
        assert_playable(&whole);
        prop_assert_eq!(log(&stretches, &blocks, &takes), whole);
    }

    #[test]
    fn a_host_that_refuses_events_gets_every_release_later(
        take in takes(),
        stretches in host::stretches(),
        refuse in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let mut host = Host::default();
        host.refusals = refuse;
        for stretch in &stretches {
            host.play(stretch, &[100], std::slice::from_ref(&take));
        }
        host.refusals.clear();
        host.stop();
        assert_playable(&host.log);
    }

    #[test]
    fn nonsense_from_the_host_ends_all_notes_and_is_forgotten_after_its_block(
        take in takes(),
        sample_rate in host::odd(48_000.0),
        tempo in host::odd(120.0),
        position in host::odd(1.0),
        start in host::odd(0.9),
        end in host::odd(1.1),
        time in prop::option::of(host::odd(0.5)),
        samples in 0..5000u32,
    ) {
        let mut host = Host::default();
        host.play(&plain(0.0, 20_000), &[512], std::slice::from_ref(&take));
        let repeat = Some(start..end);
        let block = Block { sample_rate, samples, playing: true, tempo, position, time, repeat };
        host.block(&block, Some(&take));
        let back = plain(-0.4, 40_000);
        host.play(&back, &[512], std::slice::from_ref(&take));
        host.stop();
        assert_playable(&host.log);
        let begin = 20_000 + u64::from(samples);
        let after: Vec<_> = notes(&host.log).into_iter().filter(|note| note.0 >= begin).collect();
        prop_assert_eq!(after, expected(&take, &back, begin));
    }

    #[test]
    fn a_take_that_grows_ahead_of_the_playhead_sounds_like_the_whole(
        whole in takes(),
        blocks in host::block_sizes(),
        margin in 0.0..2.0f64,
    ) {
        let whole = Take::new(whole.music().clone(), place(0, Mode::Endless), f64::INFINITY);
        let stretch = plain(0.0, 200_000);
        let mut host = Host::default();
        host.play_growing(&stretch, &blocks, |position| {
            let mut music = whole.music().clone();
            music.performance.notes.retain(|note| note.onset < position + 0.5 + margin);
            music.performance.pedal.retain(|change| change.time < position + 0.5 + margin);
            Take::new(music, whole.place(), position)
        });
        host.stop();
        let strikes = |log: &[(u64, Action)]| notes(log);
        prop_assert_eq!(strikes(&host.log), strikes(&log(&[stretch], &blocks, &[whole])));
        assert_playable(&host.log);
    }
}

#[test]
fn at_one_sample_a_key_is_released_before_it_is_struck_again() {
    let take = of_notes(vec![note(0.0, 1.0, 60), note(1.0, 1.0, 60)], 4.0, place(0, Mode::Loop));
    let log = log(&[plain(0.0, 30_000)], &[30_000], &[take]);
    let at_second: Vec<Action> = log.iter().filter(|event| event.0 == 24_000).map(|event| event.1).collect();
    assert!(matches!(at_second[..], [Action::Release(_), Action::Strike(..)]), "{at_second:?}");
}

#[test]
fn nothing_is_played_before_the_anchor_and_the_take_repeats_from_there() {
    let take = of_notes(vec![note(0.0, 0.5, 60)], 2.0, place(4 * 960, Mode::Loop));
    let log = log(&[plain(-1.0, 9 * 24_000 + 1)], &[777], &[take]);
    let strikes: Vec<u64> = notes(&log).iter().map(|note| note.0).collect();
    assert_eq!(strikes, [5 * 24_000, 7 * 24_000, 9 * 24_000]);
}

#[test]
fn an_endless_take_is_played_once() {
    let take = of_notes(vec![note(0.0, 0.5, 60)], 2.0, place(0, Mode::Endless));
    assert_eq!(notes(&log(&[plain(0.0, 240_000)], &[512], &[take])).len(), 1);
}

#[test]
fn a_loop_of_the_host_inside_a_block_plays_its_first_beat() {
    let take = of_notes(vec![note(0.0, 0.25, 60), note(1.9, 3.0, 64)], 8.0, place(0, Mode::Endless));
    let looped = Stretch { repeat: Some(0.0..2.0), ..plain(0.0, 100_000) };
    let log = log(&[looped], &[1000], &[take]);
    let wanted = [
        (0, 6000, 60),
        (45_600, 48_000, 64),
        (48_000, 54_000, 60),
        (93_600, 96_000, 64),
        (96_000, 100_000, 60),
    ];
    assert_eq!(notes(&log), wanted);
}

#[test]
fn a_loop_that_moves_to_where_it_ended_just_before_the_host_turns_back_ends_no_note() {
    let take = of_notes(vec![note(0.2, 1.0, 60)], 8.0, place(0, Mode::Endless));
    let mut host = Host::default();
    // Turns three times, and leads to 0.4996.
    let turning = Stretch { repeat: Some(0.1..0.5), ..plain(0.1, 38_390) };
    let moved = Stretch { repeat: Some(0.5..4.0), ..plain(0.5, 24_000) };
    host.play(&turning, &[38_390], std::slice::from_ref(&take));
    host.play(&moved, &[24_000], std::slice::from_ref(&take));
    host.stop();
    let last = 3 * 9600 + 2400;
    assert_eq!(notes(&host.log).last(), Some(&(last, 38_390 + 16_800, 60)));
}

#[test]
fn a_note_that_the_next_take_holds_too_goes_on_and_any_other_ends() {
    let here = |keys: &[u8]| {
        of_notes(keys.iter().map(|key| note(0.0, 2.0, *key)).collect(), 4.0, place(0, Mode::Loop))
    };
    let mut host = Host::default();
    host.block(&Block { samples: 4800, ..host::rolling() }, Some(&here(&[60, 64])));
    host.block(&Block { samples: 4800, position: 0.2, ..host::rolling() }, Some(&here(&[64, 67])));
    host.stop();
    assert_eq!(notes(&host.log), [(0, 4800, 60), (0, 9600, 64)]);
}

#[test]
fn a_start_in_the_middle_of_a_pedal_presses_it() {
    let take = music::with_pedal(vec![note(1.0, 0.5, 60)], &[(0.5, true), (3.0, false)], 4.0);
    let log = log(&[plain(0.75, 48_000)], &[512], &[take]);
    assert_eq!(log.first(), Some(&(0, Action::Pedal(true))));
    assert_eq!(log.last(), Some(&(48_000, Action::Pedal(false))), "it is lifted when the host stops");
}

#[test]
fn a_block_without_samples_ends_nothing() {
    let take = of_notes(vec![note(0.0, 0.5, 60)], 4.0, place(0, Mode::Loop));
    let mut host = Host::default();
    for (position, samples) in [(0.0, 4800), (0.2, 0), (0.2, 24_000)] {
        host.block(&Block { samples, position, ..host::rolling() }, Some(&take));
    }
    host.stop();
    assert_eq!(notes(&host.log), [(0, 12_000, 60)]);
}

#[test]
fn a_reset_in_mid_note_ends_it_in_the_next_block() {
    let take = of_notes(vec![note(0.0, 3.0, 60)], 4.0, place(0, Mode::Loop));
    let mut host = Host::default();
    host.block(&Block { samples: 4800, ..host::rolling() }, Some(&take));
    host.player.reset();
    host.block(&Block { samples: 4800, position: 0.2, ..host::rolling() }, Some(&take));
    assert_eq!(host.log.last(), Some(&(4800, Action::Release(key(60)))));
}

#[test]
fn playing_never_allocates() {
    let chords = (0..200).map(|i| note(f64::from(i / 10) / 5.0, 0.5, 40 + (i % 40) as u8)).collect();
    let takes = [0, 1].map(|_| of_notes(Vec::clone(&chords), 4.0, place(0, Mode::Loop)));
    let mut player = Player::default();
    let mut sent = 0u32;
    let mut count = |_: Event| {
        sent += 1;
        !sent.is_multiple_of(7)
    };
    assert_no_alloc(|| {
        for i in 0..2000u32 {
            let position = f64::from(i % 300) * f64::from(TEMPO) / 60.0 * 512.0 / 48_000.0;
            let repeat = (i % 3 == 0).then_some(1.0..2.5);
            let block = Block { samples: 512, position, playing: i % 97 > 0, repeat, ..host::rolling() };
            player.process(&block, takes.get((i / 50 % 3) as usize), &mut count);
        }
        player.reset();
    });
    assert!(sent > 1000);
}

//! What is heard while the host rolls, stops, jumps and repeats.

use std::thread;
use std::time::Duration;

use etude_pianist::midi::TICKS_PER_QUARTER;
use etude_rehearsal::bundle::Format;
use etude_rehearsal::chance::{SEED, seeds, session};
use etude_rehearsal::music::{compare, compare_within};
use etude_rehearsal::plugin::{Block, Message, Plugin, Setup};
use etude_rehearsal::recording::check_endings;
use etude_rehearsal::script::{Script, Stretch};

use crate::common::{Saved, assert_same, listen, open, perform, perform_as, play, restored, saved, seeded};

const RATE: f64 = 48_000.0;
const SECOND: u64 = 48_000;

/// Plays a script in both formats, and compares what is heard with what must be heard.
fn check(script: &Script, sizes: &[u32]) {
    for format in Format::ALL {
        let heard = perform(&mut *restored(format), script, sizes);
        let expected = saved(format).music.expected(script);
        assert!(!expected.is_empty());
        compare(&expected, &heard).unwrap_or_else(|error| panic!("{format:?}: {error}"));
    }
}

#[test]
fn every_event_is_heard_at_its_sample_at_any_tempo_and_rate() {
    for (rate, tempo) in [(1_000.0, 90.0), (44_100.0, 137.3), (192_000.0, 300.0)] {
        check(&Script::new(rate, [Stretch::roll((20.0 * rate) as u64, tempo, 0.0)]), &[512]);
    }
}

#[test]
fn a_take_is_repeated_from_bar_to_bar() {
    check(&Script::new(RATE, [Stretch::roll(40 * SECOND, 150.0, 0.0)]), &[1024]);
}

#[test]
fn nothing_is_heard_before_the_first_bar() {
    check(&Script::new(RATE, [Stretch::roll(8 * SECOND, 120.0, -4.0)]), &[512]);
}

#[test]
fn the_sizes_of_blocks_make_no_difference() {
    let script = Script::new(
        RATE,
        [Stretch::roll(SECOND, 113.0, 3.7), Stretch::roll(3 * SECOND / 2, 171.9, 21.1).repeating(20.0..22.5)],
    );
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        let heard = perform(plugin, &script, &[512]);
        compare(&saved(format).music.expected(&script), &heard).unwrap();
        for sizes in [&[1][..], &[16_384], &[128, 37, 480, 1, 256]] {
            let story = format!("{format:?} in blocks of {sizes:?}");
            assert_same(&perform(plugin, &script, sizes), &heard, &story);
        }
    }
}

#[test]
fn a_bounce_is_what_is_heard_live() {
    let script = Script::new(RATE, [Stretch::roll(20 * SECOND, 120.0, 0.0)]);
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        let live = perform(plugin, &script, &[256]);
        let bounce = perform_as(plugin, &script, &[4096], true);
        assert_same(&bounce, &live, &format!("{format:?}"));
    }
}

/// The VST3 does not know in time that it bounces.
#[test]
fn the_first_bounce_of_a_new_clap_has_the_whole_take() {
    let script = Script::new(RATE, [Stretch::roll(20 * SECOND, 120.0, 0.0)]);
    let plugin = &mut *open(Format::Clap);
    let bounce = perform_as(plugin, &script, &[4096], true);
    compare(&listen(plugin).expected(&script), &bounce).unwrap();
}

/// A VST3 is told of a bounce one activation late; by the clock it knows before its music runs out.
#[test]
fn the_first_bounce_of_a_take_without_end_has_all_of_it() {
    for format in Format::ALL {
        let plugin = &mut *seeded(format);
        plugin.type_in("Mode", "Endless").unwrap();
        // Live, until some of it is composed.
        let live = Script::new(RATE, [Stretch::roll(SECOND, 120.0, 0.0)]);
        while perform(plugin, &live, &[480]).is_empty() {
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(Duration::from_secs(1));
        let script = Script::new(RATE, [Stretch::roll(600 * SECOND, 120.0, 0.0)]);
        let first = perform_as(plugin, &script, &[4096], true);
        let second = perform_as(plugin, &script, &[4096], true);
        assert_same(&first, &second, &format!("{format:?}"));
    }
}

#[test]
fn stopping_and_starting_in_the_midst_of_notes_leaves_none_behind() {
    let mut stretches = Vec::new();
    for step in 0..20 {
        let position = 3.0 + f64::from(step) * 1.37;
        stretches.push(Stretch::roll(SECOND / 3, 97.0, position));
        stretches.push(Stretch::roll(SECOND / 10, 97.0, position).stopped());
    }
    check(&Script::new(RATE, stretches), &[256]);
}

#[test]
fn a_note_nearest_to_the_first_sample_is_heard_although_the_host_starts_after_it() {
    let (rate, tempo) = (1_000.0, 171.0);
    let sample = tempo / 60.0 / rate;
    for format in Format::ALL {
        let Saved { music, .. } = saved(format);
        let strikes = music.events.iter().filter(|(_, message)| matches!(message, Message::On(..)));
        let starts = strikes.map(|(tick, _)| *tick as f64 / f64::from(TICKS_PER_QUARTER) + 0.4 * sample);
        let stretches = starts.flat_map(|start| {
            let roll = Stretch::roll(20, tempo, start);
            [roll.clone(), roll.stopped()]
        });
        let script = Script::new(rate, stretches.collect::<Vec<_>>());
        compare(&music.expected(&script), &perform(&mut *restored(format), &script, &[64])).unwrap();
    }
}

#[test]
fn a_repeat_can_turn_between_the_last_sample_and_the_next() {
    // After 1,750.51 samples.
    let repeat = Stretch::roll(1_751, 120.0, 25.0 - 3.50102).repeating(20.0..25.0);
    let after = Stretch::roll(2_000, 300.0, 20.00098);
    check(&Script::new(1_000.0, [repeat, after]), &[40]);
}

#[test]
fn jumps_and_loops_in_the_midst_of_notes_leave_none_behind() {
    let places = [0.0, 17.3, 4.0, 30.9, 31.5, 2.25, -1.0, 64.0, 900.125];
    let jumps = places.map(|place| Stretch::roll(SECOND, 140.0, place));
    check(&Script::new(RATE, jumps), &[480]);
    let looped = [Stretch::roll(12 * SECOND, 123.4, 8.0).repeating(8.0..10.0)];
    check(&Script::new(RATE, looped), &[700]);
    let short = [Stretch::roll(3 * SECOND, 200.0, 1.0).repeating(1.0..1.25)];
    check(&Script::new(RATE, short), &[16_384]);
}

#[test]
fn positions_that_are_a_little_off_cut_no_note_off() {
    let mut stretches = Vec::new();
    let mut position = 4.0;
    for off in [0.003, -0.003, 0.009, -0.009].into_iter().cycle().take(40) {
        stretches.push(Stretch::roll(SECOND / 2, 51.7, position));
        position += 0.5 * 51.7 / 60.0 + off;
    }
    check(&Script::new(RATE, stretches), &[512]);
}

#[test]
fn tempo_changes_in_small_steps_are_followed() {
    let mut stretches = Vec::new();
    let mut position = 0.0;
    for step in 0..300 {
        let tempo = 60.0 + f64::from(step) / 2.0;
        stretches.push(Stretch::roll(1024, tempo, position));
        position += 1024.0 / RATE * tempo / 60.0;
    }
    check(&Script::new(RATE, stretches), &[512]);
}

/// Plays a script whose tempo never changes by more than `change` inside a block (0.1 is a tenth) to both formats, in
/// blocks that go on over the ends of stretches. The plugin can't know better than the last block said, but every note
/// must be heard once, and no later than the tempo of a block misleads.
fn check_across(script: &Script, samples: u32, change: f64) {
    for format in Format::ALL {
        let heard =
            play(&mut *restored(format), script.sample_rate, &script.blocks_across(&[samples]), false);
        let expected = saved(format).music.expected(script);
        compare_within(1.0 + f64::from(samples) * change, &expected, &heard)
            .unwrap_or_else(|error| panic!("{format:?} in blocks of {samples}: {error}"));
    }
}

#[test]
fn a_tempo_that_rises_and_falls_inside_blocks_loses_and_doubles_no_note() {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut position = 0.0;
    for step in 0..600 {
        // Up and down between 60 and 200 quarter notes per minute; it stays for a moment where it turns.
        let way = f64::from(200 - (step - 300i32).abs().clamp(50, 250)) / 200.0;
        let tempo = 60.0 * (200.0f64 / 60.0).powf(way);
        stretches.push(Stretch::roll(1000, tempo, position));
        position += 1000.0 / RATE * tempo / 60.0;
    }
    let script = Script::new(RATE, stretches);
    for samples in [37, 1024, 16_384] {
        let steps = f64::from(samples / 1000 + 1);
        check_across(&script, samples, (200.0f64 / 60.0).powf(steps / 200.0) - 1.0);
    }
}

#[test]
fn a_loop_in_which_the_tempo_changes_inside_blocks_loses_and_doubles_no_note() {
    // Four quarter notes, of which the middle ones are played faster, repeated seven times; it ends before the last turn.
    let mut stretches = Vec::new();
    for _ in 0..7 {
        for (tempo, from, to) in [(91.0, 9.98, 11.2), (104.0, 11.2, 12.7), (91.0, 12.7, 13.98)] {
            let samples = ((to - from) * 60.0 / tempo * RATE).round() as u64;
            stretches.push(Stretch::roll(samples, tempo, from).repeating(9.98..13.98));
        }
    }
    stretches.last_mut().unwrap().samples -= 20_000;
    let script = Script::new(RATE, stretches);
    for samples in [37, 1024, 16_384] {
        check_across(&script, samples, 104.0 / 91.0 - 1.0);
    }
}

#[test]
fn another_time_signature_leaves_the_music_where_it_is() {
    let signatures = [(4, 4), (3, 4), (7, 8), (6, 8), (5, 4), (1, 4), (12, 8), (2, 2)];
    let mut position = 0.0;
    let stretches = signatures.iter().cycle().take(24).map(|&(beats, beat)| {
        let stretch = Stretch::roll(SECOND, 100.0, position).in_time(beats, beat);
        position += 100.0 / 60.0;
        stretch
    });
    let script = Script::new(RATE, stretches.collect::<Vec<_>>());
    check(&script, &[700]);
    for samples in [37, 1024, 16_384] {
        check_across(&script, samples, 0.0);
    }
}

#[test]
fn any_transport_is_followed() {
    for seed in seeds(12) {
        let (script, sizes) = session(seed, 20.0);
        let outcome = std::panic::catch_unwind(|| check(&script, &sizes));
        assert!(outcome.is_ok(), "see above; {SEED}={seed} plays this transport again");
    }
}

#[test]
fn what_a_clap_host_tells_in_the_midst_of_a_block_is_followed_to_the_sample() {
    for seed in seeds(12) {
        let (script, sizes) = session(seed, 20.0);
        let blocks = script.blocks_told(&sizes);
        let heard = play(&mut *restored(Format::Clap), script.sample_rate, &blocks, false);
        compare(&saved(Format::Clap).music.expected(&script), &heard)
            .unwrap_or_else(|error| panic!("{error}; {SEED}={seed} plays this transport again"));
    }
}

#[test]
fn a_host_that_says_nothing_hears_nothing() {
    let silent = Block { samples: 512, ..Block::default() };
    let script = Script::new(RATE, [Stretch::roll(2 * SECOND, 120.0, 0.0)]);
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        let mut blocks = script.blocks(&[512]);
        blocks.pop();
        blocks.extend([silent.clone(), silent.clone()]);
        plugin.activate(&Setup { sample_rate: RATE, longest_block: 512, offline: false }).unwrap();
        let events = plugin.play(&blocks).unwrap();
        check_endings(&events).unwrap();
        assert!(!events.is_empty());
        assert_eq!(plugin.play(&vec![silent.clone(); 200]).unwrap(), []);
    }
}

/// Plays into the midst of notes, interrupts, and goes on at another place; what began before must end after.
fn check_interruption(interrupt: impl Fn(&mut dyn Plugin)) {
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        plugin.activate(&Setup { sample_rate: RATE, longest_block: 512, offline: false }).unwrap();
        let (mut events, mut interrupted) = (Vec::new(), 0);
        for place in [4.0, 11.0, 4.0, 25.0] {
            let mut blocks = Script::new(RATE, [Stretch::roll(SECOND, 120.0, place)]).blocks(&[512]);
            // Without the stop at its end.
            blocks.pop();
            events.extend(plugin.play(&blocks).unwrap());
            interrupted += usize::from(check_endings(&events).is_err());
            interrupt(plugin);
        }
        assert!(interrupted > 0, "something should have sounded");
        let stop = Script::new(RATE, [Stretch::roll(512, 120.0, 0.0).stopped()]);
        events.extend(plugin.play(&stop.blocks(&[512])).unwrap());
        check_endings(&events).unwrap_or_else(|error| panic!("{format:?}: {error}"));
    }
}

#[test]
fn a_reset_ends_what_sounds() {
    check_interruption(|plugin| plugin.reset());
}

#[test]
fn another_sample_rate_ends_what_sounds() {
    check_interruption(|plugin| {
        plugin.activate(&Setup { sample_rate: 96_000.0, longest_block: 2048, offline: false }).unwrap();
    });
}

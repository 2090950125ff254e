//! Knobs: what they say, and turning them while music sounds.

use std::panic::{self, AssertUnwindSafe};

use etude_rehearsal::bundle::Format;
use etude_rehearsal::chance::{SEED, seeds};
use etude_rehearsal::music::{Expected, compare};
use etude_rehearsal::plugin::{Block, Event, Knob, Message};
use etude_rehearsal::script::{HALF, Script, Stretch};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::common::{QUARTERS, listen, open, play, restored, saved, seeded};

const RATE: f64 = 48_000.0;
const TEMPO: f64 = 120.0;
/// Samples in a quarter note.
const QUARTER: u64 = 24_000;
/// Samples in a block of a bounce, and the block in the middle of the third bar.
const BLOCK: u32 = 480;
const TURNED: usize = 500;

/// Places of a knob from its lowest to its highest.
fn places(knob: &Knob) -> Vec<f64> {
    let steps = knob.steps.map_or(97, |steps| steps.min(500));
    let place =
        |step| knob.range.start + (knob.range.end - knob.range.start) * f64::from(step) / f64::from(steps);
    (0..=steps).map(place).collect()
}

#[test]
fn what_a_knob_shows_can_be_typed_in() {
    for format in Format::ALL {
        let plugin = &mut *open(format);
        let knobs = plugin.knobs();
        assert!(knobs.len() > 10);
        for knob in knobs {
            for place in places(&knob) {
                let text = plugin.text(knob.id, place).unwrap();
                let typed = plugin.parse(knob.id, &text);
                let typed =
                    typed.unwrap_or_else(|| panic!("{format:?}: {}: {text:?} is not understood", knob.name));
                assert_eq!(plugin.text(knob.id, typed).unwrap(), text, "{format:?}: {}", knob.name);
            }
        }
    }
}

#[test]
fn nonsense_typed_in_is_refused() {
    for format in Format::ALL {
        let plugin = &mut *open(format);
        for knob in plugin.knobs() {
            let nines = "9".repeat(10_000);
            for text in ["", "no such thing", "\u{1d11e}\u{1d11e}", "NaN", "-inf", "1e999999", "--", &nines] {
                if let Some(value) = plugin.parse(knob.id, text) {
                    let range = knob.range.clone();
                    assert!((range.start..=range.end).contains(&value), "{}: {text:?} is {value}", knob.name);
                }
            }
        }
    }
}

#[test]
fn a_bypassed_plugin_ends_what_sounds_and_is_silent() {
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        let bypass = plugin.knobs().into_iter().find(|knob| knob.bypass).expect("there is a bypass switch");
        let mut blocks = Script::new(RATE, [Stretch::roll(8 * 48_000, 120.0, 0.0)]).blocks(&[512]);
        let middle = blocks.len() / 2;
        blocks[middle].turned.push((bypass.id, bypass.range.end));
        blocks.pop();
        let events = play(plugin, RATE, &blocks, false);
        assert!(!events.is_empty());
        assert!(events.iter().all(|event| event.sample <= middle as u64 * 512));
    }
}

#[test]
fn knobs_turned_and_keys_played_while_music_sounds_leave_no_note_behind() {
    for format in Format::ALL {
        for seed in seeds(4) {
            let plugin = &mut *restored(format);
            let knobs = plugin.knobs();
            let mut blocks = Script::new(RATE, [Stretch::roll(20 * 48_000, 120.0, 0.0)]).blocks(&[2048]);
            let chance = &mut Pcg64::seed_from_u64(seed);
            for block in &mut blocks {
                disturb(block, &knobs, chance);
            }
            let played = panic::catch_unwind(AssertUnwindSafe(|| play(plugin, RATE, &blocks, false)));
            assert!(played.is_ok(), "{format:?}: see above; {SEED}={seed} plays this again");
        }
    }
}

/// Turned live, they would be heard so, too, if the machine is fast enough.
#[test]
fn knobs_automated_in_a_bounce_are_heard_from_the_next_bar_on() {
    check_bounce(&[("Temperature", "1.5"), ("Temperature", "0.5"), ("Key", "D")]);
    check_bounce(&[("Quantise", "100"), ("Velocity", "50")]);
}

/// Bounces the project, and turns knobs one after another in successive blocks, the last of them in the middle of the third
/// bar. What is struck before the fourth must be as in the project, from there on as if the knobs had always been there.
fn check_bounce(turns: &[(&str, &str)]) {
    let from = 12 * QUARTER;
    let script = Script::new(RATE, [Stretch::roll(u64::from(QUARTERS) * QUARTER, TEMPO, 0.0)]);
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        let knobs = plugin.knobs();
        let mut blocks = script.blocks(&[BLOCK]);
        for (back, (name, text)) in turns.iter().rev().enumerate() {
            let knob = knobs.iter().find(|knob| knob.name == *name).unwrap();
            let value = plugin.parse(knob.id, text).unwrap();
            blocks[TURNED - back].turned.push((knob.id, value));
        }
        let heard = play(plugin, RATE, &blocks, true);

        let fresh = &mut *seeded(format);
        turns.iter().for_each(|(name, text)| fresh.type_in(name, text).unwrap());
        let is_before = |event: &Expected| event.time + HALF < from as f64;
        let before = saved(format).music.expected(&script).into_iter().filter(is_before);
        let after = listen(fresh).expected(&script).into_iter().filter(|event| !is_before(event));
        let mut expected: Vec<Expected> = before.chain(after).collect();
        expected.retain(|event| matches!(event.message, Message::On(..)));
        let strikes = heard.iter().filter(|event| matches!(event.message, Message::On(..)));
        let strikes: Vec<Event> = strikes.copied().collect();
        compare(&expected, &strikes).unwrap_or_else(|error| panic!("{format:?}: {error}"));
    }
}

/// Turns some knobs and plays some keys.
fn disturb(block: &mut Block, knobs: &[Knob], chance: &mut Pcg64) {
    if chance.random_bool(0.3) {
        let knob = &knobs[chance.random_range(0..knobs.len())];
        block.turned.push((knob.id, chance.random_range(knob.range.start..=knob.range.end)));
    }
    for _ in 0..chance.random_range(0..3) {
        // Beyond the piano, wildcards too.
        let key = chance.random_range(0..=130);
        let message = if chance.random_bool(0.5) { Message::On(key, 90) } else { Message::Off(key) };
        block.played.push((chance.random_range(0..block.samples), message));
    }
    block.played.sort_by_key(|(sample, _)| *sample);
}

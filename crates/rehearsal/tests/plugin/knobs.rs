//! Knobs: what they say, and turning them while music sounds.

use etude_rehearsal::bundle::Format;
use etude_rehearsal::chance::seeds;
use etude_rehearsal::plugin::{Block, Knob, Message, Setup};
use etude_rehearsal::recording::check_endings;
use etude_rehearsal::script::{Script, Stretch};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::common::{open, restored};

const RATE: f64 = 48_000.0;

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
        plugin.activate(&Setup { sample_rate: RATE, longest_block: 512, offline: false }).unwrap();
        let events = plugin.play(&blocks).unwrap();
        check_endings(&events).unwrap();
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
            plugin.activate(&Setup { sample_rate: RATE, longest_block: 2048, offline: false }).unwrap();
            let events = plugin.play(&blocks).unwrap();
            check_endings(&events).unwrap_or_else(|error| panic!("{format:?}, seed {seed}: {error}"));
        }
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

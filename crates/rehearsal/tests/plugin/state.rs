//! What a project keeps.

use etude_rehearsal::bundle::Format;
use etude_rehearsal::music::compare;
use etude_rehearsal::plugin::Setup;
use etude_rehearsal::recording::check_endings;
use etude_rehearsal::script::{Script, Stretch};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::common::{open, perform, restored, saved};

fn song() -> Script {
    Script::new(48_000.0, [Stretch::roll(17 * 48_000, 120.0, 0.0)])
}

#[test]
fn a_project_saved_twice_is_the_same_byte_for_byte() {
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        assert_eq!(plugin.save().unwrap(), plugin.save().unwrap(), "{format:?}");
    }
}

#[test]
fn a_project_loaded_and_saved_is_the_same_byte_for_byte() {
    for format in Format::ALL {
        let state = &saved(format).state;
        assert_eq!(&restored(format).save().unwrap(), state, "{format:?}");
        let plugin = &mut *restored(format);
        perform(plugin, &song(), &[512]);
        assert_eq!(&plugin.save().unwrap(), state, "{format:?}, after it was played");
    }
}

#[test]
fn a_loaded_project_plays_the_same_notes() {
    for format in Format::ALL {
        let heard = perform(&mut *restored(format), &song(), &[512]);
        compare(&saved(format).music.expected(&song()), &heard).unwrap();
    }
}

#[test]
fn a_loaded_project_plays_from_the_first_block_on() {
    for format in Format::ALL {
        let plugin = &mut *open(format);
        plugin.load(&saved(format).state).unwrap();
        let heard = perform(plugin, &song(), &[512]);
        compare(&saved(format).music.expected(&song()), &heard).unwrap();
    }
}

#[test]
fn a_project_can_be_loaded_while_it_is_played() {
    for format in Format::ALL {
        let plugin = &mut *restored(format);
        let setup = Setup { sample_rate: 48_000.0, longest_block: 512, offline: false };
        plugin.activate(&setup).unwrap();
        let mut blocks = song().blocks(&[512]);
        blocks.pop();
        let mut events = plugin.play(&blocks).unwrap();
        plugin.load(&saved(format).state).unwrap();
        events.extend(plugin.play(&song().blocks(&[512])).unwrap());
        check_endings(&events).unwrap();
    }
}

/// Whatever is loaded, a plugin stays as it was, or becomes something that can be saved and played.
#[test]
fn no_bytes_harm_a_plugin() {
    for format in Format::ALL {
        let good = &saved(format).state;
        let chance = &mut Pcg64::seed_from_u64(1);
        let mut bad: Vec<Vec<u8>> = vec![
            vec![],
            vec![0],
            b"{}".to_vec(),
            [&2u64.to_le_bytes()[..], b"{}"].concat(),
            u64::MAX.to_le_bytes().to_vec(),
            vec![b'['; 1 << 20],
        ];
        bad.extend((0..4).map(|_| (0..3 << 20).map(|_| chance.random()).collect()));
        bad.extend((1..20).map(|part| good[..good.len() * part / 20].to_vec()));
        let plugin = &mut *restored(format);
        for bytes in bad {
            assert!(plugin.load(&bytes).is_err(), "{format:?} accepts {:?}", &bytes[..bytes.len().min(16)]);
            assert_eq!(&plugin.save().unwrap(), good, "{format:?}");
        }
    }
}

/// As `no_bytes_harm_a_plugin`, but with projects that are nearly right.
#[test]
fn no_damaged_project_harms_a_plugin() {
    for format in Format::ALL {
        let chance = &mut Pcg64::seed_from_u64(2);
        let plugin = &mut *open(format);
        for _ in 0..100 {
            let mut state = saved(format).state.clone();
            for _ in 0..chance.random_range(1..4) {
                let at = chance.random_range(0..state.len());
                state[at] = if chance.random_bool(0.5) { b'9' } else { chance.random() };
            }
            let _ = plugin.load(&state);
            plugin.save().unwrap();
        }
        perform(plugin, &song(), &[4096]);
        plugin.load(&saved(format).state).unwrap();
        let heard = perform(plugin, &song(), &[512]);
        compare(&saved(format).music.expected(&song()), &heard).unwrap();
    }
}

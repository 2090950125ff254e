//! What hosts say beside tempo and position: that they record, and in which bars.

use etude::take::Take;
use etude::transport;
use etude_pianist::midi::Action;
use nice_plug::prelude::Transport;
use proptest::prelude::*;

use crate::host::{self, Host, Stretch, assert_playable, log};
use crate::music::takes;

/// How long the hosts here roll, in samples: a little over 8 quarter notes.
const LENGTH: u32 = 200_000;

/// What a host gets that rolls from the project's start in blocks of these sizes, and says what `say` adds, given the
/// first sample of a block.
fn played(take: &Take, sizes: &[u32], say: impl Fn(u32, &mut Transport)) -> Vec<(u64, Action)> {
    let mut host = Host::default();
    let mut done = 0;
    for size in sizes.iter().cycle() {
        let samples = *size.min(&(LENGTH - done));
        if samples == 0 {
            break;
        }
        let mut transport = Transport::new(48_000.0);
        transport.playing = true;
        transport.tempo = Some(120.0);
        transport.pos_samples = Some(i64::from(done));
        transport.pos_beats = Some(f64::from(done) / 24_000.0);
        say(done, &mut transport);
        host.block(&transport::block(&transport, 48_000.0, samples as usize), Some(take));
        done += samples;
    }
    host.stop();
    host.log
}

/// What a host gets that says nothing else.
fn plain(take: &Take) -> Vec<(u64, Action)> {
    let stretch = Stretch { position: Some(0.0), samples: LENGTH, ..Stretch::default() };
    let log = log(&[stretch], &[64], std::slice::from_ref(take));
    assert_playable(&log);
    log
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_punch_in_and_out_while_the_host_rolls_changes_no_note(
        take in takes(),
        sizes in host::block_sizes(),
        pre_roll in 0..LENGTH / 4,
        punch in (LENGTH / 4..LENGTH / 2, LENGTH / 2..LENGTH),
    ) {
        let punched = played(&take, &sizes, |now, transport| {
            transport.preroll_active = Some(now < pre_roll);
            transport.recording = (punch.0..punch.1).contains(&now);
        });
        prop_assert_eq!(punched, plain(&take));
    }

    #[test]
    fn a_change_of_the_time_signature_leaves_the_take_that_plays_as_it_is(
        take in takes(),
        sizes in host::block_sizes(),
        change in 0..LENGTH,
        numerator in 1..16,
    ) {
        let changed = played(&take, &sizes, |now, transport| {
            let later = now >= change;
            (transport.time_sig_numerator, transport.time_sig_denominator) =
                if later { (Some(numerator), Some(8)) } else { (Some(4), Some(4)) };
            let (start, bar) = if later { (change, f64::from(numerator) / 2.0) } else { (0, 4.0) };
            let start = f64::from(start) / 24_000.0;
            let bars = ((f64::from(now) / 24_000.0 - start) / bar).floor();
            transport.bar_start_pos_beats = Some(start + bars * bar);
            transport.bar_number = Some(bars as i32);
        });
        prop_assert_eq!(changed, plain(&take));
    }
}

#[test]
fn a_host_whose_time_is_nonsense_says_none() {
    let mut transport = Transport::new(0.0);
    transport.pos_samples = Some(1);
    assert_eq!(transport::block(&transport, 48_000.0, 64).time, None);
    transport.pos_seconds = Some(f64::NAN);
    assert_eq!(transport::block(&transport, 48_000.0, 64).time, None);
}

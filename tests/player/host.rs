//! A host in a few lines: transport, loop, blocks of any size, and a log of what it got.

use std::ops::Range;

use etude::player::{Block, Event, Player};
use etude::take::Take;
use etude_pianist::midi::Action;
use etude_pianist::note::Key;
use proptest::prelude::*;

/// What the host does for some time.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Where it jumps first, in quarter notes; `None` goes on.
    pub position: Option<f64>,
    pub samples: u32,
    pub playing: bool,
    pub tempo: f64,
    pub sample_rate: f64,
    pub repeat: Option<Range<f64>>,
    /// Which of the takes is played, if there are several.
    pub take: usize,
    /// Whether the host resets the plugin first.
    pub reset: bool,
}

impl Default for Stretch {
    fn default() -> Stretch {
        Stretch {
            position: None,
            samples: 0,
            playing: true,
            tempo: 120.0,
            sample_rate: 48_000.0,
            repeat: None,
            take: 0,
            reset: false,
        }
    }
}

/// Stretches of every kind. One that jumps out of a repeat keeps the tempo: what time it was there is not known, so that
/// together with a change of tempo, a short jump looks like a ramp.
pub fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    prop::collection::vec(any_stretch(), 1..8).prop_map(|mut stretches| {
        for i in 1..stretches.len() {
            let before = &stretches[i - 1];
            if before.repeat.is_some() && stretches[i].position.is_some() && !stretches[i].reset {
                (stretches[i].tempo, stretches[i].sample_rate) = (before.tempo, before.sample_rate);
            }
        }
        stretches
    })
}

fn any_stretch() -> impl Strategy<Value = Stretch> {
    let position = prop_oneof![3 => Just(None), 1 => (-2.0..20.0f64).prop_map(Some)];
    let start = (0..16u32, 1..200u32);
    let repeat = start.prop_map(|(start, length)| {
        let start = f64::from(start) / 4.0;
        start..start + 0.1 + f64::from(length) / 33.0
    });
    let repeat = prop::option::of(repeat);
    (position, prop::bool::weighted(0.1), repeat, 0..2usize, jumps()).prop_map(
        |(position, reset, repeat, take, jump)| Stretch {
            position,
            // A sample rate changes only with a reset.
            reset: reset || jump.sample_rate != 48_000.0,
            repeat,
            take,
            ..jump
        },
    )
}

/// A stretch that begins with a jump.
pub fn jumps() -> impl Strategy<Value = Stretch> {
    let tempo = prop_oneof![Just(120.0), 40.0..250.0f64];
    let sample_rate = prop_oneof![4 => Just(48_000.0), 1 => Just(44_100.0), 1 => Just(96_000.0)];
    let playing = prop::bool::weighted(0.8);
    // Positions on sixteenth notes and in between.
    let position = prop_oneof![(-8..80i32).prop_map(|i| f64::from(i) / 4.0), -2.0..20.0f64];
    (position, 1..60_000u32, playing, tempo, sample_rate).prop_map(
        |(position, samples, playing, tempo, sample_rate)| Stretch {
            position: Some(position),
            samples,
            playing,
            tempo,
            sample_rate,
            reset: true,
            ..Stretch::default()
        },
    )
}

/// Sizes of blocks, to be used in turn.
pub fn block_sizes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(prop_oneof![1..20u32, 1..3000u32, Just(16_384)], 1..12)
}

/// A number that a host may say: this one, or nonsense.
pub fn odd(usual: f64) -> impl Strategy<Value = f64> {
    let nonsense = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 0.0];
    prop_oneof![4 => Just(usual), 1 => prop::sample::select(nonsense.to_vec()), 1 => any::<f64>()]
}

/// A rolling block at the project's start.
pub fn rolling() -> Block {
    Block {
        sample_rate: 48_000.0,
        samples: 0,
        playing: true,
        tempo: 120.0,
        position: 0.0,
        time: None,
        repeat: None,
    }
}

/// The host.
#[derive(Default)]
pub struct Host {
    pub player: Player,
    /// What it accepted: sample since it was made, and action.
    pub log: Vec<(u64, Action)>,
    /// Which events it refuses, in turn.
    pub refusals: Vec<bool>,
    offered: usize,
    now: u64,
    /// Where the next stretch goes on, in quarter notes and in seconds.
    position: f64,
    time: f64,
}

impl Host {
    /// One block.
    pub fn block(&mut self, block: &Block, take: Option<&Take>) {
        let Host { player, log, refusals, offered, now, .. } = self;
        let mut last = 0;
        player.process(block, take, |Event { sample, action }| {
            assert!(
                sample < block.samples.max(1) && sample >= last,
                "{sample} after {last} of {}",
                block.samples
            );
            last = sample;
            *offered += 1;
            let taken = refusals.is_empty() || !refusals[*offered % refusals.len()];
            if taken {
                log.push((*now + u64::from(sample), action));
            }
            taken
        });
        self.now += u64::from(block.samples);
    }

    /// A stretch in blocks of these sizes.
    pub fn play(&mut self, stretch: &Stretch, sizes: &[u32], takes: &[Take]) {
        if stretch.reset {
            self.player.reset();
        }
        let take = &takes[stretch.take % takes.len()];
        self.in_blocks(stretch, sizes, |host, block| host.block(block, Some(take)));
    }

    /// A stretch with another take in each block, made for the position at the block's end.
    pub fn play_growing(&mut self, stretch: &Stretch, sizes: &[u32], take: impl Fn(f64) -> Take) {
        self.in_blocks(stretch, sizes, |host, block| {
            let end = block.position + f64::from(block.samples) * block.tempo / 60.0 / block.sample_rate;
            host.block(block, Some(&take(end)));
        });
    }

    /// A stopped block.
    pub fn stop(&mut self) {
        self.block(&Block { samples: 64, playing: false, ..rolling() }, None);
    }

    fn in_blocks(&mut self, stretch: &Stretch, sizes: &[u32], mut each: impl FnMut(&mut Host, &Block)) {
        let origin = stretch.position.unwrap_or(self.position);
        // Elsewhere in the project there were other tempi before.
        let begin = stretch.position.map_or(self.time, |position| 1000.0 + position / 3.0);
        let rate = stretch.tempo / 60.0 / stretch.sample_rate;
        let place = |sample: u32| {
            let straight = origin + f64::from(sample) * rate;
            match &stretch.repeat {
                Some(repeat) if origin < repeat.end && straight >= repeat.end => {
                    repeat.start + (straight - repeat.end) % (repeat.end - repeat.start)
                }
                _ => straight,
            }
        };
        let time = |position: f64| begin + (position - origin) * 60.0 / stretch.tempo;
        let mut sizes = sizes.iter().cycle();
        let mut done = 0;
        while done < stretch.samples {
            let samples = sizes.next().unwrap().min(&(stretch.samples - done)).to_owned();
            let Stretch { playing, tempo, sample_rate, ref repeat, .. } = *stretch;
            let position = place(done);
            let (time, repeat) = (Some(time(position)), repeat.clone());
            each(self, &Block { sample_rate, samples, playing, tempo, position, time, repeat });
            done += samples;
        }
        self.position = if stretch.playing { place(done) } else { origin };
        self.time = time(self.position);
    }
}

/// What the host gets from all stretches in blocks of these sizes, and when it stops then.
pub fn log(stretches: &[Stretch], sizes: &[u32], takes: &[Take]) -> Vec<(u64, Action)> {
    let mut host = Host::default();
    stretches.iter().for_each(|stretch| host.play(stretch, sizes, takes));
    host.stop();
    host.log
}

/// The notes of a log: samples of strike and release, and MIDI number.
pub fn notes(log: &[(u64, Action)]) -> Vec<(u64, u64, u8)> {
    let mut notes = Vec::new();
    for (i, (strike, action)) in log.iter().enumerate() {
        if let Action::Strike(key, _) = action {
            let mut later = log[i..].iter();
            let release = later.find(|event| event.1 == Action::Release(*key)).expect("every note ends");
            notes.push((*strike, release.0, key.midi()));
        }
    }
    notes.sort_unstable();
    notes
}

/// Checks that no note is stuck or doubled and the pedal comes up, in time order.
pub fn assert_playable(log: &[(u64, Action)]) {
    assert!(log.is_sorted_by_key(|event| event.0));
    let mut down = [false; Key::COUNT];
    let mut pedal = false;
    for (sample, action) in log {
        let (was, is) = match action {
            Action::Strike(key, _) => (std::mem::replace(&mut down[key.index()], true), true),
            Action::Release(key) => (std::mem::replace(&mut down[key.index()], false), false),
            Action::Pedal(is) => (std::mem::replace(&mut pedal, *is), *is),
        };
        assert_ne!(was, is, "{action:?} at {sample} changes nothing");
    }
    assert!(!pedal && down == [false; Key::COUNT], "something sounds for ever");
}

//! How fast training is on random music. The counterpart of `benches/peers/training.py`.

use std::time::Instant;

use etude_pianist::alphabet::{Alphabet, Pedal};
use etude_pianist::kernel::{Kernel, Precision};
use etude_pianist::network::Layout;
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::TimeBase;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::args;
use crate::backend::{Device, DeviceError};
use crate::learner::{Learner, Size};
use crate::optimizer::AdamW;
use crate::passage::Passage;
use crate::weights::initial_parameters;

/// Performance RNN's size.
const LAYERS: usize = 3;
const UNITS: usize = 512;
const LEARNING_RATE: f32 = 1e-3;

/// Train a 3 x 512 network on random music and print the steps per second of each update.
#[derive(Debug, Clone, clap::Args)]
pub struct TrainingArgs {
    /// How exact products are
    #[arg(long, value_parser = args::precision)]
    pub precision: Precision,
    /// Threads
    #[arg(long)]
    pub threads: usize,
    /// Sequences side by side in one update
    #[arg(long)]
    pub streams: usize,
    /// Steps of each sequence in one update
    #[arg(long)]
    pub window: usize,
    /// Updates to measure, after one to warm up
    #[arg(long)]
    pub updates: usize,
}

/// Runs the command.
pub fn run(args: &TrainingArgs) -> Result<(), DeviceError> {
    let blueprint = Alphabet::Events.blueprint(LAYERS, UNITS);
    let kernel = Kernel::best(args.precision);
    let size = Size { streams: args.streams, steps: args.window, threads: args.threads, dropout: 0.0 };
    let optimizer = AdamW::new(&Layout::new(&blueprint), kernel);
    let backends = Device::Cpu.backends(&blueprint, kernel, size, 0)?;
    let parameters = initial_parameters(&blueprint, 0);
    let mut learner = Learner::new(&blueprint, parameters, optimizer, kernel, size, backends);
    // A note takes two steps at least, so no stream comes to the end.
    let music = random_music((args.updates + 1) * args.window);
    let next = |_| Some(Passage::new(Alphabet::Events, TimeBase::Seconds, &music, &[], Pedal::Fold));
    for update in 0..=args.updates {
        let started = Instant::now();
        let loss = learner.learn(LEARNING_RATE, next, |_, _| {})?;
        if update > 0 {
            println!("{}", loss.steps as f64 / started.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

fn random_music(notes: usize) -> Performance<f64> {
    let mut random = Pcg64Mcg::seed_from_u64(0);
    let note = |i: usize| Note {
        onset: 0.1 * i as f64,
        duration: random.random_range(0.05..0.5),
        key: Key::from_index(random.random_range(0..Key::COUNT)).expect("on the keyboard"),
        velocity: Velocity::new(random.random_range(1..=127)),
    };
    Performance { notes: (0..notes).map(note).collect(), pedal: Vec::new() }
}

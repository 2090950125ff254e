//! How long a pianist takes to load and to compose.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use etude_pianist::composer::{Composer, Request, Take};
use etude_pianist::engine::{CpuEngine, Device, Engine, Precision};
use etude_pianist::model_file::Pianist;

use super::memory::Memory;
use super::{BenchError, Fingerprint};

const BARS: u32 = 8;
const MANY: u64 = 16;

/// Let a pianist compose, and print how long it takes in milliseconds.
#[derive(Debug, Clone, clap::Args)]
pub struct TakesArgs {
    /// The pianist
    #[arg(long)]
    model: PathBuf,
    /// What composes
    #[arg(long)]
    device: Device,
    /// Weights of the processor
    #[arg(long)]
    precision: Precision,
}

/// Runs the command; prints a name and a value on each line.
pub fn run(args: &TakesArgs) -> Result<(), BenchError> {
    let read = || Pianist::read_file(&args.model);
    let memory = Memory::now();
    let started = Instant::now();
    let engine = args.device.engine(read()?, args.precision)?;
    println!("load {}", milliseconds(started));
    let (peak, growth) = (memory.peak(), memory.growth());
    let weights = CpuEngine::new(read()?, args.precision).bytes() as f64;
    println!("weights {}", weights / f64::from(1 << 20));
    for (name, bytes) in [("peak", peak), ("held", growth)] {
        bytes.inspect(|bytes| println!("{name} {}", bytes / weights));
    }

    let started = Instant::now();
    let mut composer = Composer::new(engine.clone(), &[request(0)])?;
    while composer.decided() == 0.0 {
        composer.step(f64::INFINITY);
    }
    println!("first-note {}", milliseconds(started));

    let (one, time) = compose(&engine, 1)?;
    println!("take {time}");
    println!("notes/s {}", notes(&one) as f64 / time * 1000.0);
    let (many, time) = compose(&engine, MANY)?;
    println!("takes {time}");
    println!("many-notes/s {}", notes(&many) as f64 / time * 1000.0);
    println!("output {:016x}", fingerprint(&many));
    Ok(())
}

fn request(seed: u64) -> Request {
    Request { seed, bars: BARS, ..Request::default() }
}

/// So many takes, and the time that it took.
fn compose(engine: &Arc<dyn Engine>, count: u64) -> Result<(Vec<Take>, f64), BenchError> {
    let requests: Vec<Request> = (0..count).map(request).collect();
    let started = Instant::now();
    let takes = Composer::new(engine.clone(), &requests)?.finish();
    Ok((takes, milliseconds(started)))
}

fn notes(takes: &[Take]) -> usize {
    takes.iter().map(|take| take.performance.notes.len()).sum()
}

fn milliseconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

fn fingerprint(takes: &[Take]) -> u64 {
    let mut fingerprint = Fingerprint::new();
    for note in takes.iter().flat_map(|take| &take.performance.notes) {
        fingerprint.add(&note.onset.to_le_bytes());
        fingerprint.add(&note.duration.to_le_bytes());
        fingerprint.add(&[note.key.midi(), note.velocity.midi()]);
    }
    fingerprint.0
}

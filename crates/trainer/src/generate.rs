//! The `generate` command: a pianist composes clips.

mod args;
mod files;

pub use args::GenerateArgs;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etude_pianist::atomic;
use etude_pianist::composer::{Composer, MAX_TAKES, Request, RequestError, Take};
use etude_pianist::engine::{CpuEngine, Device, Engine, Precision};
use etude_pianist::midi::{self, MidiFileError};
use etude_pianist::model_file::{Pianist, PianistFileError};
use etude_pianist::note::Performance;
use etude_pianist::ranking;
use indicatif::ProgressBar;
use thiserror::Error;

use crate::{picture, say};

/// Why nothing was generated.
#[derive(Debug, Error)]
pub enum GenerateError {
    /// The pianist can't be read.
    #[error(transparent)]
    Pianist(#[from] PianistFileError),
    /// The primer can't be read.
    #[error(transparent)]
    Primer(#[from] MidiFileError),
    /// The primer has no notes.
    #[error("{} has no notes on a piano's keys, so there is nothing to continue", .0.display())]
    SilentPrimer(PathBuf),
    /// What was asked for is not possible.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A file would be overwritten by another, or by what is made from it.
    #[error("--{one} and --{other} are the same file, {}; give each one of its own", path.display())]
    SameFile {
        /// An argument that names it.
        one: &'static str,
        /// Another one.
        other: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A clip or picture can't be written.
    #[error("can't write {}: {source}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A clip that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// What is in it.
    pub take: Take,
    /// How near it is to what people play, 0 to 1; see [`ranking::score`].
    pub score: f64,
}

/// Composes, writes the clips, and says what it wrote, the clips with the highest scores first.
pub fn run(args: &GenerateArgs) -> Result<(), GenerateError> {
    let mut clips = generate(args)?;
    clips.sort_by(|one, other| other.score.total_cmp(&one.score));
    for Written { path, take, score } in clips {
        let (path, seed) = (path.display(), take.seed);
        let bars = say::count(args.bars as usize, "bar");
        let notes = say::count(take.performance.notes.len(), "note");
        say::progress(format_args!("Wrote {path}: {bars}, {notes}, seed {seed}, score {score:.2}"));
    }
    Ok(())
}

/// Composes and writes the clips: the same arguments give the same files, byte for byte. What is composed is written
/// before more is composed.
pub fn generate(args: &GenerateArgs) -> Result<Vec<Written>, GenerateError> {
    files::check(args)?;
    let primer = args.primer.as_deref().map(read_primer).transpose()?;
    let request = args.request(primer);
    // Asked before the weights are read: a slip of the hand is answered at once.
    request.check()?;
    let pianist = Pianist::read_file(&args.model)?;
    let (name, time_base) = (clip_name(&pianist, &args.model), pianist.time_base);
    let engine = engine(pianist, args)?;
    let requests = requests(&request, args.count);
    if args.device != Device::Cpu {
        let first = engine.fastest_for(requests.len().min(MAX_TAKES));
        say::aside(format_args!("Composing on {}", first.as_ref().unwrap_or(&engine).device()));
    }
    let batches = requests.len().div_ceil(MAX_TAKES) as u64;
    let bar = say::bar(100 * batches, "Composing {bar:30} {percent} %, {eta} left");
    let mut written = Vec::with_capacity(args.count);
    for batch in requests.chunks(MAX_TAKES) {
        for take in compose(&engine, batch, &bar)? {
            let path = write_clip(args, written.len() + 1, &take, &name)?;
            let score = ranking::score(&take, time_base, args.pedal);
            written.push(Written { path, take, score });
        }
    }
    bar.finish_and_clear();
    Ok(written)
}

/// The pianist on the device that was asked for, or on the processor where that can't be had.
fn engine(pianist: Pianist, args: &GenerateArgs) -> Result<Arc<dyn Engine>, PianistFileError> {
    match args.device.engine(pianist, Precision::default()) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            say::aside(format_args!("{error}. The processor composes instead"));
            Ok(Arc::new(CpuEngine::new(Pianist::read_file(&args.model)?, Precision::default())))
        }
    }
}

/// A primer file in quarter notes, its bars as the file has them.
fn read_primer(path: &Path) -> Result<Performance<f64>, GenerateError> {
    let recording = midi::read_file(path)?;
    if recording.performance.notes.is_empty() {
        return Err(GenerateError::SilentPrimer(path.to_owned()));
    }
    Ok(recording.performance.map_time(|seconds| recording.beat_map.to_quarters(seconds)))
}

/// `request`, and the same with the seeds after its own.
fn requests(request: &Request, count: usize) -> Vec<Request> {
    let seed = |i| request.seed.wrapping_add(i);
    (0..count as u64).map(|i| Request { seed: seed(i), ..request.clone() }).collect()
}

/// Takes that are composed together.
fn compose(
    engine: &Arc<dyn Engine>,
    requests: &[Request],
    bar: &ProgressBar,
) -> Result<Vec<Take>, RequestError> {
    let mut composer = Composer::new(engine.clone(), requests)?;
    let quarters = requests.first().map_or(0.0, Request::quarters);
    for percent in 1..100 {
        composer.advance(quarters * f64::from(percent) / 100.0);
        bar.inc(1);
    }
    composer.advance(f64::INFINITY);
    bar.inc(1);
    if let Some(failure) = composer.failure() {
        bar.suspend(|| say::aside(format_args!("{failure}. Went on with {}", composer.device())));
    }
    Ok(composer.takes())
}

/// Writes clip `number`, and its picture if one is wanted; returns the clip's path.
fn write_clip(args: &GenerateArgs, number: usize, take: &Take, name: &str) -> Result<PathBuf, GenerateError> {
    let path = files::numbered(&args.output, number, args.count);
    write(&path, &midi::write(&take.clip(&format!("{name} {}", take.seed))))?;
    if let Some(picture) = &args.picture {
        write(&files::numbered(picture, number, args.count), &picture::piano_roll(take, name))?;
    }
    Ok(path)
}

/// The pianist's name, or that of its file.
fn clip_name(pianist: &Pianist, model: &Path) -> String {
    let stem = || model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Some(&pianist.card.name).filter(|name| !name.is_empty()).cloned().unwrap_or_else(stem)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), GenerateError> {
    atomic::write(path, bytes).map_err(|source| GenerateError::Unwritable { path: path.to_owned(), source })
}

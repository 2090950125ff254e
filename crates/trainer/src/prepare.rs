//! `prepare`: from folders of MIDI files to a corpus.

mod duplicates;
mod files;
mod pieces;
mod reading;
mod report;
mod split;

use std::io;
use std::path::PathBuf;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::atomic;
use etude_pianist::time::TimeBase;
use rayon::prelude::*;

use self::files::Found;
pub(crate) use self::reading::Music;
pub use self::reading::{Reason, Skipped};
pub use self::report::Report;
use crate::corpus::{self, CorpusError, Draft, Split};
use crate::{interrupt, say};

/// Make a corpus to train on from folders of MIDI files.
///
/// Finds every .mid and .midi file below the folders, leaves out duplicates and files without music, sets some pieces
/// apart to measure the pianist with, and writes the rest to one compact file.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Example:
  etude-trainer prepare --input ~/midi/ragtime --time-base beats --output ragtime.corpus

Which time base? `seconds` for performances played freely, whose beats nobody wrote down; `beats` for music in a known
tempo: made in a DAW, or with a file of beats beside it (POP909's beat_midi.txt, ASAP's NAME_annotations.txt). Without
such a file the tempo map of the MIDI file counts.

About one note in twenty is set apart for validation, always whole pieces: performances that share their melodies are
one piece, whatever their names. With --valid you choose yourself.")]
pub struct PrepareArgs {
    /// Folders to search for MIDI files
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    pub input: Vec<PathBuf>,
    /// Folders of files to validate on, instead of some from --input
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub valid: Vec<PathBuf>,
    /// How the pianist will spell music; only noted in the corpus, whose contents are the same for either
    #[arg(long, value_name = "notes|events", default_value_t = Alphabet::Notes)]
    pub alphabet: Alphabet,
    /// What the pianist will count time in: seconds or beats
    #[arg(long, value_name = "seconds|beats")]
    pub time_base: TimeBase,
    /// The corpus file to write; an older one is replaced when all is done
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Why there is no corpus.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A folder can't be searched.
    #[error("can't search {}; give a folder of MIDI files", path.display())]
    Search {
        /// Which folder, or what in it.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// No file is left to train on.
    #[error("there is nothing to train on in --input: {0}")]
    Nothing(Box<Report>),
    /// No file is left to validate on, though the user named folders of them.
    #[error("there is nothing to validate on in --valid: {0}")]
    NothingToValidate(Box<Report>),
    /// Ctrl-C.
    #[error("interrupted; no corpus was written")]
    Interrupted,
    /// The corpus would be written over music.
    #[error("--output {} is a MIDI file that the corpus is made of; choose another --output", .0.display())]
    OverMusic(PathBuf),
    /// The corpus can't be written.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
}

/// Runs the command: prepares, and prints what came of it.
pub fn run(args: &PrepareArgs) -> Result<(), PrepareError> {
    interrupt::listen();
    let report = prepare(args)?;
    say::progress(report);
    say::progress(format_args!("Wrote {}", args.output.display()));
    Ok(())
}

/// Makes the corpus. The same files give the same corpus, byte for byte.
pub fn prepare(args: &PrepareArgs) -> Result<Report, PrepareError> {
    let mut found = files::find(&args.input, Split::Train)?;
    found.extend(files::find(&args.valid, Split::Valid)?);
    if found.iter().any(|found| atomic::is_same(&found.path, &args.output)) {
        return Err(PrepareError::OverMusic(args.output.clone()));
    }
    corpus::check_place(&args.output)?;
    let mut report = Report::new(found.len(), args.time_base, !args.valid.is_empty());
    let (mut music, skipped) = read_all(found, args.time_base)?;
    report.skip(skipped);
    report.skip(duplicates::remove(&mut music));

    let pieces = pieces::group(&music);
    if args.valid.is_empty() {
        split::split(&mut music, &pieces);
    }
    let drafts = drafts(music, &pieces);
    report.count(&drafts);
    if !drafts.iter().any(|draft| draft.split == Split::Train) {
        return Err(PrepareError::Nothing(Box::new(report)));
    }
    if !args.valid.is_empty() && !drafts.iter().any(|draft| draft.split == Split::Valid) {
        return Err(PrepareError::NothingToValidate(Box::new(report)));
    }
    if interrupt::requested() {
        return Err(PrepareError::Interrupted);
    }
    corpus::write(&args.output, args.alphabet, args.time_base, &drafts)?;
    Ok(report)
}

/// Reads the MIDI files below `folders`; those of no use are left out, and told.
pub(crate) fn read(
    folders: &[PathBuf],
    split: Split,
    time_base: TimeBase,
) -> Result<(Vec<Music>, Vec<Skipped>), PrepareError> {
    read_all(files::find(folders, split)?, time_base)
}

/// Reads all files, several at a time; the order stays.
fn read_all(found: Vec<Found>, time_base: TimeBase) -> Result<(Vec<Music>, Vec<Skipped>), PrepareError> {
    let progress = say::bar(found.len() as u64, "Reading {bar:40} {pos}/{len} files, {eta} left");
    let read = |found: Found| {
        let result = (!interrupt::requested()).then(|| reading::read(found, time_base));
        progress.inc(1);
        result
    };
    let results: Option<Vec<_>> = found.into_par_iter().map(read).collect();
    progress.finish_and_clear();
    let mut music = Vec::new();
    let mut skipped = Vec::new();
    for result in results.ok_or(PrepareError::Interrupted)? {
        match result {
            Ok(read) => music.push(read),
            Err(skip) => skipped.push(skip),
        }
    }
    Ok((music, skipped))
}

fn drafts(music: Vec<Music>, pieces: &[u32]) -> Vec<Draft> {
    let draft = |(music, &piece): (Music, &u32)| Draft {
        name: music.name,
        split: music.split,
        piece,
        packed: music.packed,
    };
    music.into_iter().zip(pieces).map(draft).collect()
}

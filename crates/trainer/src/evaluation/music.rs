//! The music to measure on.

use std::path::Path;

use etude_pianist::alphabet::Pedal;
use etude_pianist::note::Performance;
use etude_pianist::time::{Bar, TimeBase};
use rayon::prelude::*;

use super::{EvaluateArgs, EvaluateError};
use crate::corpus::{Corpus, Split};
use crate::passage::quantised;
use crate::prepare::{self, Skipped};

/// One performance.
pub struct Piece {
    /// In the pianist's unit; the first note is at 0 or in the bar that starts there.
    pub performance: Performance<f64>,
    /// Its bars, for a pianist in beats.
    pub bars: Vec<Bar>,
    /// How long the recording is from the first note on; a corpus in beats doesn't know.
    pub recorded_seconds: Option<f64>,
}

/// Reads the music that the arguments name, and says which files are of no use.
pub fn read(args: &EvaluateArgs, base: TimeBase) -> Result<(Vec<Piece>, Vec<Skipped>), EvaluateError> {
    let Some(path) = &args.corpus else {
        let (music, skipped) = prepare::read(&args.data, Split::Valid, base)?;
        let piece = |music: prepare::Music| Piece {
            performance: music.packed.performance(),
            bars: music.packed.bars(),
            recorded_seconds: Some(music.seconds),
        };
        return Ok((music.into_iter().map(piece).collect(), skipped));
    };
    let corpus = open(path, base)?;
    let pieces = corpus.performances(Split::Valid).map(|entry| Piece {
        performance: entry.performance(),
        bars: entry.bars(),
        recorded_seconds: (base == TimeBase::Seconds).then(|| entry.duration()),
    });
    Ok((pieces.collect(), Vec::new()))
}

/// Opens a corpus of a pianist in `base`.
pub fn open(path: &Path, base: TimeBase) -> Result<Corpus, EvaluateError> {
    let corpus = Corpus::open(path)?;
    if corpus.time_base() != base {
        return Err(EvaluateError::TimeBase { path: path.to_owned(), needed: base });
    }
    Ok(corpus)
}

/// The performances as the pianist hears them: on the tick grid, the pedal spelled as `pedal` says; in its unit.
pub fn spelled(pieces: &[Piece], pedal: Pedal, base: TimeBase) -> Vec<Performance<f64>> {
    let spell = |piece: &Piece| quantised(&piece.performance, base, pedal).unquantise(base);
    pieces.par_iter().map(spell).collect()
}

/// How long the music lasts: in seconds, the performances as spelled, each from 0 to its last event; in beats, the
/// recordings, where that is known.
pub fn seconds(pieces: &[Piece], spelled: &[Performance<f64>], base: TimeBase) -> Option<f64> {
    match base {
        TimeBase::Seconds => Some(spelled.iter().map(Performance::last_event).sum()),
        TimeBase::Beats => pieces.iter().map(|piece| piece.recorded_seconds).sum(),
    }
}

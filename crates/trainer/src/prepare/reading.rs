//! Reading one file.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use etude_pianist::midi::{self, MidiFileError, Recording};
use etude_pianist::time::{BeatMap, TimeBase};

use super::files::Found;
use super::pieces::{self, Phrase};
use crate::corpus::{Packed, Split};

/// Fewer notes than this are no music to learn from: a key check, a click track, an empty take.
const FEWEST_NOTES: usize = 16;

/// What a file holds, as far as it is needed later.
#[derive(Debug)]
pub struct Music {
    pub name: String,
    pub split: Split,
    pub packed: Packed,
    /// How long the recording is, from its first note on.
    pub seconds: f64,
    /// What the piece is recognised by.
    pub phrases: Vec<Phrase>,
}

/// A file that is left out.
#[derive(Debug, Clone)]
pub struct Skipped {
    /// What it is called.
    pub name: String,
    /// Which kind of reason it is, to count by.
    pub reason: Reason,
    /// What is wrong with this very file.
    pub detail: String,
}

/// Why files are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The MIDI file can't be read.
    Unreadable,
    /// The file of beats beside it can't be read.
    BadBeats,
    /// It has fewer than 16 notes.
    TooShort,
    /// It lasts more than a day.
    TooLong,
    /// Another file has the same notes, or one of the two is an excerpt of the other.
    Duplicate,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Reason::Unreadable => "can't be read, or not as MIDI",
            Reason::BadBeats => "the file of beats beside it can't be read",
            Reason::TooShort => "fewer than 16 notes are no music to learn from",
            Reason::TooLong => "longer than a day",
            Reason::Duplicate => "duplicates: the same notes as another file, or one an excerpt of the other",
        })
    }
}

/// Reads a file and packs it, or says why it is of no use.
pub fn read(found: Found, time_base: TimeBase) -> Result<Music, Skipped> {
    let skip = |reason, detail: String| Skipped { name: found.name.clone(), reason, detail };
    if let Some(obstacle) = &found.obstacle {
        return Err(skip(Reason::Unreadable, obstacle.to_string()));
    }
    let recording =
        midi::read_file(&found.path).map_err(|error| skip(Reason::Unreadable, wrong_with_it(error)))?;
    let notes = recording.performance.notes.len();
    if notes < FEWEST_NOTES {
        return Err(skip(Reason::TooShort, format!("{notes} notes")));
    }
    let phrases = pieces::phrases(&recording.performance);
    let seconds = recording.performance.last_event() - recording.performance.notes[0].onset;
    let packed = match time_base {
        TimeBase::Seconds => Packed::new(&recording.performance, &[], time_base),
        TimeBase::Beats => {
            let beats = beat_map(&found.path, &recording).map_err(|detail| skip(Reason::BadBeats, detail))?;
            let performance = recording.performance.map_time(|seconds| beats.to_quarters(seconds));
            Packed::new(&performance, beats.bars(), time_base)
        }
    };
    let packed = packed.map_err(|error| skip(Reason::TooLong, error.to_string()))?;
    Ok(Music { name: found.name, split: found.split, packed, seconds, phrases })
}

/// What is wrong with a file that is named beside it.
fn wrong_with_it(error: MidiFileError) -> String {
    match error {
        MidiFileError::Invalid { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

/// The beats written down beside a MIDI file, or else the file's own.
fn beat_map(path: &Path, recording: &Recording) -> Result<BeatMap, String> {
    let read = |annotations: &Path| {
        fs::read_to_string(annotations).map_err(|error| format!("{}: {error}", annotations.display()))
    };
    let pop909 = path.with_file_name("beat_midi.txt");
    let asap = asap_annotations(path);
    if pop909.is_file() {
        BeatMap::from_pop909(&read(&pop909)?).map_err(|error| format!("{}: {error}", pop909.display()))
    } else if asap.is_file() {
        BeatMap::from_asap(&read(&asap)?).map_err(|error| format!("{}: {error}", asap.display()))
    } else {
        Ok(recording.beat_map.clone())
    }
}

/// `NAME_annotations.txt` for `NAME.mid`.
fn asap_annotations(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push("_annotations.txt");
    path.with_file_name(name)
}

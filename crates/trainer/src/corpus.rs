//! The corpus: every performance of a training set in one memory-mapped file.
//!
//! Performances are stored as they were played, on a grid ten times finer than a tick, with the pedal. So one corpus
//! serves every augmentation (stretching, transposing, folding the pedal) and both alphabets; quantising and spelling
//! are left to the training loop.
//!
//! The file is little-endian, without padding, in this order (`corpus/record.rs` has the fields):
//!
//! | part | size | what |
//! | --- | --- | --- |
//! | header | 40 bytes | magic, version, alphabet, time base, how many of what follows |
//! | performances | 16 bytes each | how many events, bars and bytes of name belong to it; its piece and split |
//! | events | 6 bytes each | notes, pedal changes and rests of all performances, one after the other |
//! | bars | 6 bytes each | bar lines of all performances, one after the other (none in seconds) |
//! | names | | names of all performances, UTF-8, one after the other |
//!
//! Only counts are stored, never offsets, so that a damaged file can't point outside itself.

mod check;
mod packed;
mod record;
mod write;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use etude_pianist::alphabet::Alphabet;
use etude_pianist::note::Performance;
use etude_pianist::time::{Bar, TimeBase};
use memmap2::Mmap;
use zerocopy::FromBytes;

use self::check::{Contents, Row};
use self::packed::PackedView;
pub use self::packed::{LONGEST, Packed, TooLong};
use self::record::{BarRecord, EventRecord};
pub(crate) use self::write::check_place;
pub use self::write::{Draft, write};

/// What a performance is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The network learns from it.
    Train,
    /// The network is measured on it and never learns from it.
    Valid,
}

/// A corpus file, open for reading. Entries are cheap to get: events are read where they lie in the mapped file.
#[derive(Debug)]
pub struct Corpus {
    map: Mmap,
    contents: Contents,
}

/// One performance of a corpus.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    corpus: &'a Corpus,
    row: &'a Row,
}

/// Why a corpus can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The operating system refused.
    #[error("can't {action} the corpus {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried: a verb.
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is a folder, maybe that of the MIDI files.
    #[error("{} is a folder; give the file that `etude-trainer prepare` made of it", .0.display())]
    Folder(PathBuf),
    /// The file is no corpus, or of a version that this trainer doesn't read, or damaged.
    #[error("{} is not a usable corpus: {reason}; make it again with `etude-trainer prepare`", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More performances, or longer names, than the format can hold.
    #[error("{what} too large for one corpus; prepare fewer files at a time")]
    TooLarge {
        /// What is too large.
        what: &'static str,
    },
}

impl Corpus {
    /// Opens a corpus file and checks all of it, so that nothing that comes later can fail.
    ///
    /// The file must not be changed while it is open; [`write()`] never changes one, it replaces it.
    pub fn open(path: &Path) -> Result<Corpus, CorpusError> {
        if path.is_dir() {
            return Err(CorpusError::Folder(path.to_owned()));
        }
        let io = |source| CorpusError::Io { path: path.to_owned(), action: "read", source };
        let file = File::open(path).map_err(io)?;
        // SAFETY: the map is read-only, and a corpus is never written in place: `write` renames a finished file over
        // an older one, whose contents stay as they are for whoever has them mapped.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        let contents =
            check::check(&map).map_err(|reason| CorpusError::Damaged { path: path.to_owned(), reason })?;
        Ok(Corpus { map, contents })
    }

    /// Unit of time of the performances: seconds or quarter notes.
    pub fn time_base(&self) -> TimeBase {
        self.contents.time_base
    }

    /// The alphabet of pianists that are trained on this corpus.
    pub fn alphabet(&self) -> Alphabet {
        self.contents.alphabet
    }

    /// The performances of a split, in the order of their names.
    pub fn performances(&self, split: Split) -> impl ExactSizeIterator<Item = Entry<'_>> + Clone {
        self.rows(split).iter().map(|row| Entry { corpus: self, row })
    }

    /// Performance `index` of a split; `None` beyond the last.
    pub fn performance(&self, split: Split, index: usize) -> Option<Entry<'_>> {
        self.rows(split).get(index).map(|row| Entry { corpus: self, row })
    }

    fn rows(&self, split: Split) -> &[Row] {
        match split {
            Split::Train => &self.contents.train,
            Split::Valid => &self.contents.valid,
        }
    }
}

impl Entry<'_> {
    /// Notes and pedal changes in seconds or quarter notes, exact to a tenth of a tick. In seconds the first note
    /// sounds at 0; in quarter notes 0 is the start of the bar of the first note.
    pub fn performance(&self) -> Performance<f64> {
        self.packed().performance()
    }

    /// The bars from before the first note to after the last, in quarter notes; empty in seconds.
    pub fn bars(&self) -> Vec<Bar> {
        self.packed().bars()
    }

    /// Path of the MIDI file, relative to the folder that was prepared.
    pub fn name(&self) -> &str {
        // Checked when the corpus was opened, so there is always a name.
        std::str::from_utf8(self.bytes(&self.row.name)).unwrap_or_default()
    }

    /// Number of the piece that is played: performances of one piece have the same number.
    pub fn piece(&self) -> u32 {
        self.row.piece
    }

    /// How many notes are played.
    pub fn note_count(&self) -> usize {
        self.row.notes
    }

    /// From 0 to the end of the last note or the last pedal change, in seconds or quarter notes.
    pub fn duration(&self) -> f64 {
        self.row.duration
    }

    fn packed(&self) -> PackedView<'_> {
        let events = <[EventRecord]>::ref_from_bytes(self.bytes(&self.row.events));
        let bars = <[BarRecord]>::ref_from_bytes(self.bytes(&self.row.bars));
        PackedView {
            time_base: self.corpus.time_base(),
            // Sizes were checked when the corpus was opened, so there are always records.
            events: events.unwrap_or_default(),
            bars: bars.unwrap_or_default(),
        }
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.corpus.map[range.clone()]
    }
}

//! Writing a corpus.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::atomic;
use etude_pianist::time::TimeBase;
use zerocopy::IntoBytes;

use super::record::{Header, MAGIC, PerformanceRecord, VERSION};

use super::{CorpusError, Packed, Split};

/// A performance to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What to call it: see [`Entry::name`](super::Entry::name).
    pub name: String,
    /// What to use it for.
    pub split: Split,
    /// Which piece it plays: see [`Entry::piece`](super::Entry::piece).
    pub piece: u32,
    /// What is played.
    pub packed: Packed,
}

/// Writes the performances, all in `time_base`, to a corpus at `path`.
///
/// The corpus appears there only when it is complete; until then an older one stays as it was.
pub fn write(
    path: &Path,
    alphabet: Alphabet,
    time_base: TimeBase,
    drafts: &[Draft],
) -> Result<(), CorpusError> {
    let header = header(alphabet, time_base, drafts);
    let records = drafts.iter().map(performance_record).collect::<Result<Vec<_>, _>>()?;
    let io = |source| CorpusError::Io { path: path.to_owned(), action: "write", source };
    atomic::write_with(path, |file| write_parts(file, &header, &records, drafts)).map_err(io)
}

/// Asks whether a corpus can be written at `path`, before the work that makes one.
pub(crate) fn check_place(path: &Path) -> Result<(), CorpusError> {
    let io = |source| CorpusError::Io { path: path.to_owned(), action: "write", source };
    atomic::check(path).map_err(io)
}

fn header(alphabet: Alphabet, time_base: TimeBase, drafts: &[Draft]) -> Header {
    let count = |size: fn(&Draft) -> usize| (drafts.iter().map(size).sum::<usize>() as u64).into();
    Header {
        magic: MAGIC,
        version: VERSION.into(),
        alphabet: match alphabet {
            Alphabet::Notes => 0,
            Alphabet::Events => 1,
        },
        time_base: match time_base {
            TimeBase::Seconds => 0,
            TimeBase::Beats => 1,
        },
        reserved: 0.into(),
        performances: (drafts.len() as u64).into(),
        events: count(|draft| draft.packed.events.len()),
        bars: count(|draft| draft.packed.bars.len()),
    }
}

fn performance_record(draft: &Draft) -> Result<PerformanceRecord, CorpusError> {
    let count = |number: usize, what| u32::try_from(number).map_err(|_| CorpusError::TooLarge { what });
    let name_bytes = u16::try_from(draft.name.len());
    Ok(PerformanceRecord {
        events: count(draft.packed.events.len(), "a performance is")?.into(),
        bars: count(draft.packed.bars.len(), "a performance is")?.into(),
        piece: draft.piece.into(),
        name_bytes: name_bytes.map_err(|_| CorpusError::TooLarge { what: "the path of a file is" })?.into(),
        split: match draft.split {
            Split::Train => 0,
            Split::Valid => 1,
        },
        reserved: 0,
    })
}

fn write_parts(
    file: impl Write,
    header: &Header,
    records: &[PerformanceRecord],
    drafts: &[Draft],
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, file);
    file.write_all(header.as_bytes())?;
    file.write_all(records.as_bytes())?;
    for draft in drafts {
        file.write_all(draft.packed.events.as_bytes())?;
    }
    for draft in drafts {
        file.write_all(draft.packed.bars.as_bytes())?;
    }
    for draft in drafts {
        file.write_all(draft.name.as_bytes())?;
    }
    file.flush()
}

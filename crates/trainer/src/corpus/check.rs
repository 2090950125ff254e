//! Finding a corpus file's parts, and refusing it where they are not as they should be.

use std::ops::Range;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::time::TimeBase;
use zerocopy::{FromBytes, IntoBytes};

use super::packed::PackedView;
use super::record::{BarRecord, EventRecord, Header, MAGIC, PerformanceRecord, VERSION};

/// What a sound corpus file holds.
#[derive(Debug)]
pub struct Contents {
    pub alphabet: Alphabet,
    pub time_base: TimeBase,
    pub train: Vec<Row>,
    pub valid: Vec<Row>,
}

/// One performance: where it lies in the file, and what is known of it.
#[derive(Debug)]
pub struct Row {
    /// Bytes of the file that are its events.
    pub events: Range<usize>,
    /// Bytes of the file that are its bars.
    pub bars: Range<usize>,
    /// Bytes of the file that are its name, in UTF-8.
    pub name: Range<usize>,
    pub piece: u32,
    pub notes: usize,
    /// In seconds or quarter notes.
    pub duration: f64,
}

/// Checks every byte of a corpus file; the error says what is wrong.
pub fn check(file: &[u8]) -> Result<Contents, &'static str> {
    let (header, body) = Header::ref_from_prefix(file).map_err(|_| "it is cut off")?;
    if header.magic != MAGIC {
        return Err("it does not start like a corpus");
    }
    if header.version.get() != VERSION {
        return Err("another version of this trainer made it");
    }
    let alphabet = match header.alphabet {
        0 => Alphabet::Notes,
        1 => Alphabet::Events,
        _ => return Err("its alphabet is unknown"),
    };
    let time_base = match header.time_base {
        0 => TimeBase::Seconds,
        1 => TimeBase::Beats,
        _ => return Err("its time base is unknown"),
    };
    let count = usize::try_from(header.performances.get()).map_err(|_| "it is cut off")?;
    let (records, _) =
        <[PerformanceRecord]>::ref_from_prefix_with_elems(body, count).map_err(|_| "it is cut off")?;

    let mut contents = Contents { alphabet, time_base, train: Vec::new(), valid: Vec::new() };
    let mut parts = Parts::new(header, records)?;
    if parts.end != file.len() as u64 {
        return Err("it is cut off, or has something after its end");
    }
    for record in records {
        let row = parts.take(record, file, time_base)?;
        match record.split {
            0 => contents.train.push(row),
            1 => contents.valid.push(row),
            _ => return Err("its split is unknown"),
        }
    }
    Ok(contents)
}

/// Where in the file the next performance's events, bars and name begin. All of them end within the file, so that
/// positions fit in memory.
struct Parts {
    events: usize,
    bars: usize,
    name: usize,
    end: u64,
}

impl Parts {
    fn new(header: &Header, records: &[PerformanceRecord]) -> Result<Parts, &'static str> {
        const COUNTS: &str = "its counts contradict each other";
        let sum = |count: fn(&PerformanceRecord) -> u64| records.iter().map(count).sum::<u64>();
        let events = sum(|record| record.events.get().into());
        let bars = sum(|record| record.bars.get().into());
        let names = sum(|record| record.name_bytes.get().into());
        if (events, bars) != (header.events.get(), header.bars.get()) {
            return Err(COUNTS);
        }
        // Sums of fewer than 2^60 counts below 2^32 can't overflow, as all records lie in memory.
        let bytes = |count: u64, size: usize| count.checked_mul(size as u64).ok_or(COUNTS);
        let start = (header.as_bytes().len() + records.as_bytes().len()) as u64;
        let bars_start = start.checked_add(bytes(events, size_of::<EventRecord>())?).ok_or(COUNTS)?;
        let names_start = bars_start.checked_add(bytes(bars, size_of::<BarRecord>())?).ok_or(COUNTS)?;
        let end = names_start.checked_add(names).ok_or(COUNTS)?;
        let position = |place: u64| usize::try_from(place).map_err(|_| COUNTS);
        Ok(Parts { events: position(start)?, bars: position(bars_start)?, name: position(names_start)?, end })
    }

    /// The next performance, checked.
    fn take(
        &mut self,
        record: &PerformanceRecord,
        file: &[u8],
        time_base: TimeBase,
    ) -> Result<Row, &'static str> {
        let events = advance(&mut self.events, record.events.get() as usize * size_of::<EventRecord>());
        let bars = advance(&mut self.bars, record.bars.get() as usize * size_of::<BarRecord>());
        let name = advance(&mut self.name, record.name_bytes.get().into());
        let view = PackedView {
            time_base,
            events: <[EventRecord]>::ref_from_bytes(&file[events.clone()]).map_err(|_| "it is cut off")?,
            bars: <[BarRecord]>::ref_from_bytes(&file[bars.clone()]).map_err(|_| "it is cut off")?,
        };
        view.check()?;
        std::str::from_utf8(&file[name.clone()]).map_err(|_| "a name is no text")?;
        Ok(Row {
            events,
            bars,
            name,
            piece: record.piece.get(),
            notes: view.note_count(),
            duration: view.duration(),
        })
    }
}

fn advance(position: &mut usize, bytes: usize) -> Range<usize> {
    let start = *position;
    *position += bytes;
    start..*position
}

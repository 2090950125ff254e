//! Beat maps from the annotations of the POP909 and ASAP datasets.

use std::collections::{BTreeMap, HashMap};

use thiserror::Error;

use super::beat_map::Beat;
use super::{BeatMap, TimeSignature};

/// Beats closer than this, in seconds, are a mistake, and would make tempi without bounds.
const CLOSEST_BEATS: f64 = 0.0001;

/// The latest beat, in seconds: a day.
const LATEST_BEAT: f64 = 24.0 * 3600.0;

/// A line of an annotation file that cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("line {line}: {problem}")]
pub struct AnnotationError {
    /// Counted from 1; the last line where the file as a whole is at fault.
    pub line: usize,
    /// What is wrong with it.
    pub problem: AnnotationProblem,
}

/// What can be wrong with an annotation.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AnnotationProblem {
    /// A column is missing.
    #[error("it has {found} columns where {expected} are needed")]
    Columns {
        /// How many it has.
        found: usize,
        /// How many it needs.
        expected: usize,
    },
    /// A time or a mark is not a number.
    #[error("`{0}` is not a number from 0 to a day in seconds")]
    Number(String),
    /// The label is none of `db`, `b` and `bR`.
    #[error("`{0}` is no beat: expected db, b or bR")]
    Label(String),
    /// The label has a metre that makes no sense.
    #[error(transparent)]
    Metre(#[from] super::TimeSignatureError),
    /// A beat does not come after the one before.
    #[error("its beat is not at least 0.1 ms after the one before")]
    Order,
    /// Too little to make a map from.
    #[error("the file needs at least two beats with a time, and a downbeat; it may be cut off")]
    TooFew,
}

/// A line of a POP909 file: a beat, and whether it starts a bar when counting in twos and in fours.
struct Row {
    seconds: f64,
    in_twos: bool,
    in_fours: bool,
}

/// A line of an ASAP file: a beat, whether its time can be relied on, and the metre where one is given.
struct Mark {
    seconds: f64,
    sure: bool,
    downbeat: bool,
    metre: Option<TimeSignature>,
}

impl BeatMap {
    /// The beats of a POP909 `beat_midi.txt`: time in seconds, downbeat in 2/4 counting, downbeat in 4/4 counting.
    ///
    /// A beat is a quarter note and bars start at the 4/4 downbeats, or where there is none at those in 2/4. A bar
    /// that has not four beats gets as many quarters as it has, and twice 3/4 where the 2/4 counting halves it so.
    pub fn from_pop909(text: &str) -> Result<BeatMap, AnnotationError> {
        let rows = parse_lines(text, parse_pop909)?;
        let in_fours = rows.iter().any(|row| row.in_fours);
        let downbeats: Vec<usize> = (0..rows.len())
            .filter(|&row| if in_fours { rows[row].in_fours } else { rows[row].in_twos })
            .collect();
        let mut beats: Vec<Beat> = rows
            .iter()
            .map(|row| Beat { seconds: Some(row.seconds), quarters: 1.0, starts_bar: None })
            .collect();
        let mut metre = if in_fours { TimeSignature::COMMON } else { quarters_in_bar(2) };
        for (index, &first) in downbeats.iter().enumerate() {
            if let Some(&next) = downbeats.get(index + 1) {
                metre = match next - first {
                    6 if rows[first].in_twos && rows[first + 3].in_twos => quarters_in_bar(3),
                    count if in_fours && count % 4 == 0 => TimeSignature::COMMON,
                    count => quarters_in_bar(count),
                };
            }
            beats[first].starts_bar = Some(metre);
        }
        BeatMap::from_beats(&beats).ok_or_else(|| too_few(text))
    }

    /// The beats of an ASAP `*_annotations.txt`: time, time, label, separated by tabs.
    ///
    /// A beat is as many quarters as a bar of its metre has for each beat annotated in it, counted in most bars of
    /// that metre: 6/8 with two beats has dotted quarters. A beat of no sure place counts, but its time does not.
    pub fn from_asap(text: &str) -> Result<BeatMap, AnnotationError> {
        let mut marks = parse_lines(text, parse_asap)?;
        spread_metres(&mut marks);
        let beat_lengths = beat_lengths(&marks);
        let beats: Vec<Beat> = marks
            .iter()
            .map(|mark| {
                let metre = mark.metre.unwrap_or_default();
                Beat {
                    seconds: mark.sure.then_some(mark.seconds),
                    quarters: beat_lengths.get(&metre).copied().unwrap_or_else(|| counted_value(metre)),
                    starts_bar: mark.downbeat.then_some(metre),
                }
            })
            .collect();
        BeatMap::from_beats(&beats).ok_or_else(|| too_few(text))
    }
}

fn parse_pop909(line: &str) -> Result<Row, AnnotationProblem> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let &[seconds, in_twos, in_fours] = columns.as_slice() else {
        return Err(AnnotationProblem::Columns { found: columns.len(), expected: 3 });
    };
    Ok(Row {
        seconds: number(seconds)?,
        in_twos: number(in_twos)? == 1.0,
        in_fours: number(in_fours)? == 1.0,
    })
}

fn parse_asap(line: &str) -> Result<Mark, AnnotationProblem> {
    let columns: Vec<&str> = line.split('\t').collect();
    let &[seconds, _, label] = columns.as_slice() else {
        return Err(AnnotationProblem::Columns { found: columns.len(), expected: 3 });
    };
    let mut parts = label.trim().split(',');
    let (sure, downbeat) = match parts.next() {
        Some("db") => (true, true),
        Some("b") => (true, false),
        Some("bR") => (false, false),
        _ => return Err(AnnotationProblem::Label(label.to_owned())),
    };
    let metre = parts.next().filter(|metre| !metre.is_empty()).map(str::parse).transpose()?;
    Ok(Mark { seconds: number(seconds)?, sure, downbeat, metre })
}

/// The lines that are not blank, parsed, with their times checked to go forward.
fn parse_lines<T: HasTime>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, AnnotationProblem>,
) -> Result<Vec<T>, AnnotationError> {
    let mut earliest = 0.0;
    let mut parsed = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at_line = |problem| AnnotationError { line: index + 1, problem };
        let item = parse(line).map_err(at_line)?;
        if item.seconds() < earliest {
            return Err(at_line(AnnotationProblem::Order));
        }
        earliest = item.seconds() + CLOSEST_BEATS;
        parsed.push(item);
    }
    Ok(parsed)
}

trait HasTime {
    fn seconds(&self) -> f64;
}

impl HasTime for Row {
    fn seconds(&self) -> f64 {
        self.seconds
    }
}

impl HasTime for Mark {
    fn seconds(&self) -> f64 {
        self.seconds
    }
}

fn number(text: &str) -> Result<f64, AnnotationProblem> {
    let number = text.trim().parse().ok().filter(|number| (0.0..=LATEST_BEAT).contains(number));
    number.ok_or_else(|| AnnotationProblem::Number(text.to_owned()))
}

fn too_few(text: &str) -> AnnotationError {
    AnnotationError { line: text.lines().count(), problem: AnnotationProblem::TooFew }
}

/// The metre of that many quarter notes; bars that no signature can name are counted in fours.
fn quarters_in_bar(count: usize) -> TimeSignature {
    u8::try_from(count).ok().and_then(|count| TimeSignature::new(count, 4).ok()).unwrap_or_default()
}

/// Gives every mark the metre it stands in: the last one named, before the first one named that one.
fn spread_metres(marks: &mut [Mark]) {
    let mut current = marks.iter().find_map(|mark| mark.metre);
    for mark in marks {
        current = mark.metre.or(current);
        mark.metre = current;
    }
}

/// How many quarters a beat has in each metre: bar length over the most frequent number of beats that leaves a plain
/// or dotted note value. Only bars that a downbeat ends count.
fn beat_lengths(marks: &[Mark]) -> HashMap<TimeSignature, f64> {
    let mut counts: HashMap<TimeSignature, BTreeMap<usize, usize>> = HashMap::new();
    let downbeats: Vec<usize> = (0..marks.len()).filter(|&mark| marks[mark].downbeat).collect();
    for bar in downbeats.windows(2) {
        let metre = marks[bar[0]].metre.unwrap_or_default();
        *counts.entry(metre).or_default().entry(bar[1] - bar[0]).or_default() += 1;
    }
    let length = |(metre, beats_in_bars): (TimeSignature, BTreeMap<usize, usize>)| {
        let lengths =
            beats_in_bars.into_iter().map(|(beats, bars)| (metre.quarters_per_bar() / beats as f64, bars));
        let (length, _) =
            lengths.filter(|(length, _)| is_note_value(*length)).max_by_key(|(_, bars)| *bars)?;
        Some((metre, length))
    };
    counts.into_iter().filter_map(length).collect()
}

/// Whether a length in quarters is a plain or dotted note value.
fn is_note_value(quarters: f64) -> bool {
    let power_of_two = |length: f64| length.log2().fract() == 0.0;
    power_of_two(quarters) || power_of_two(quarters / 1.5)
}

/// The value under the stroke of a time signature, in quarters.
fn counted_value(metre: TimeSignature) -> f64 {
    4.0 / f64::from(metre.denominator())
}

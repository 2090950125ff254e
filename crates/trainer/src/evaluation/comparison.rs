//! Composed against played music, in numbers.

use etude_pianist::note::{Note, Performance};
use etude_pianist::ranking::stretch;
use etude_pianist::statistics::{self, Histogram, Stretch};
use etude_pianist::time::TimeBase;
use serde::Serialize;

/// Bars in a [`stretch`].
pub const STRETCH_BARS: usize = 16;
/// Stretches in a take.
pub const TAKE_STRETCHES: usize = 4;

/// The share of human stretches beyond either end of what counts as the human range.
const BEYOND: f64 = 0.01;

/// A number for composed and one for played music.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair<T> {
    /// What the pianist composed.
    pub generated: T,
    /// What people played.
    pub human: T,
}

/// How a number is spread over stretches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The least in composed music; in human music, one stretch in a hundred has less.
    pub low: f64,
    /// The most in composed music; in human music, one stretch in a hundred has more.
    pub high: f64,
}

/// What composed music is like, beside human music. [`statistics`] has the definitions; all notes are as spelled, on
/// the tick grid with the pedal kept or folded. The first five are measured over stretches of 16 bars (64 quarter
/// notes or, in seconds, 32 seconds) and are `None` where no piece is so long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// How many stretches were measured.
    pub stretches: Pair<usize>,
    /// In bits.
    pub pitch_class_entropy: Pair<Option<Spread>>,
    /// Share of the notes that fits the best diatonic scale.
    pub scale_consistency: Pair<Option<Spread>>,
    /// Keys down at once, while any is.
    pub polyphony: Pair<Option<Spread>>,
    /// Notes per second or per quarter note.
    pub note_density: Pair<Option<Spread>>,
    /// The longest time in which no note begins, in seconds or quarter notes.
    pub longest_rest: Pair<Option<Spread>>,
    /// Mean share of the bars of a piece or take that are nearly one of the sixteen before; `None` of a pianist in seconds,
    /// which knows no bars.
    pub returning_bars: Option<Pair<f64>>,
    /// Composed stretches whose note density or pitch-class entropy is not within the human range.
    pub stretches_outside_human_range: usize,
    /// Overlap area of the distributions of velocities.
    pub velocity_overlap: f64,
    /// Overlap area of the distributions of times from one onset to the next.
    pub inter_onset_overlap: f64,
    /// The longest that a key is down, in seconds or quarter notes.
    pub longest_note: Pair<f64>,
}

impl Comparison {
    /// Compares takes of 64 bars with performances, all in the unit of `base`.
    pub fn new(takes: &[Performance<f64>], human: &[Performance<f64>], base: TimeBase) -> Comparison {
        let length = stretch(base);
        let generated: Vec<Stretch> = takes
            .iter()
            .flat_map(|take| statistics::stretches(&take.notes, length, TAKE_STRETCHES))
            .collect();
        let played: Vec<Stretch> = human
            .iter()
            .flat_map(|piece| {
                statistics::stretches(&piece.notes, length, (piece.last_event() / length) as usize)
            })
            .collect();
        let spread = |number: fn(&Stretch) -> f64| Pair {
            generated: Spread::of(&generated, number, 0.0),
            human: Spread::of(&played, number, BEYOND),
        };
        let pitch_class_entropy = spread(|stretch| stretch.pitch_class_entropy);
        let note_density = spread(|stretch| stretch.note_density);
        let strange = |stretch: &&Stretch| {
            let outside =
                |range: Option<Spread>, x: f64| range.is_some_and(|range| x < range.low || x > range.high);
            outside(pitch_class_entropy.human, stretch.pitch_class_entropy)
                || outside(note_density.human, stretch.note_density)
        };
        Comparison {
            stretches: Pair { generated: generated.len(), human: played.len() },
            pitch_class_entropy,
            scale_consistency: spread(|stretch| stretch.scale_consistency),
            polyphony: spread(|stretch| stretch.polyphony),
            note_density,
            longest_rest: spread(|stretch| stretch.longest_rest),
            returning_bars: (base == TimeBase::Beats)
                .then(|| Pair { generated: returning_bars(takes), human: returning_bars(human) }),
            stretches_outside_human_range: generated.iter().filter(strange).count(),
            velocity_overlap: overlap(takes, human, statistics::velocities),
            inter_onset_overlap: overlap(takes, human, statistics::inter_onsets),
            longest_note: Pair { generated: longest_note(takes), human: longest_note(human) },
        }
    }
}

impl Spread {
    /// The mean, and where the share `beyond` of the values is left out at either end; `None` of nothing.
    fn of(stretches: &[Stretch], number: fn(&Stretch) -> f64, beyond: f64) -> Option<Spread> {
        let mut values: Vec<f64> = stretches.iter().map(number).collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let left_out = (beyond * last as f64).round() as usize;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Some(Spread { mean, low: values[left_out], high: values[last - left_out] })
    }
}

/// Overlap of the distributions of all that is counted in two collections.
fn overlap<const BINS: usize>(
    one: &[Performance<f64>],
    other: &[Performance<f64>],
    count: fn(&[Note<f64>]) -> Histogram<BINS>,
) -> f64 {
    let all = |performances: &[Performance<f64>]| {
        let mut sum = Histogram::of(std::iter::empty());
        performances.iter().for_each(|performance| sum.add(&count(&performance.notes)));
        sum
    };
    all(one).overlap(&all(other))
}

/// The mean over performances in quarter notes, in bars of four of them.
fn returning_bars(performances: &[Performance<f64>]) -> f64 {
    let shares = performances.iter().map(|performance| statistics::returning_bars(&performance.notes, 4.0));
    shares.sum::<f64>() / performances.len().max(1) as f64
}

fn longest_note(performances: &[Performance<f64>]) -> f64 {
    performances.iter().map(|performance| statistics::longest_note(&performance.notes)).fold(0.0, f64::max)
}

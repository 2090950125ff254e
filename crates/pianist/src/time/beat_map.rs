//! Where the beats and bars of a recording are.

use super::TimeSignature;

/// Two places closer than this, in quarter notes, are one: room for rounding in sums of beats.
pub(crate) const SAME_PLACE: f64 = 1e-6;

/// Seconds to quarter notes and back, piece by piece linear, with the bars.
///
/// Quarter 0 is the start of a bar at or before second 0. Before the first and after the last known beat the tempo
/// beside it goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct BeatMap {
    /// At least one, strictly increasing in both columns.
    anchors: Vec<Anchor>,
    /// At least one, strictly increasing.
    bars: Vec<Bar>,
}

/// The start of a bar, and how bars are counted from there on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Where the bar starts, in quarter notes.
    pub start: f64,
    /// How many notes of the value 1/`denominator` are in the bar.
    pub numerator: u8,
    /// The note value that is counted.
    pub denominator: u8,
}

/// A place that is known in both times, and the tempo from there to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Anchor {
    pub seconds: f64,
    pub quarters: f64,
    pub quarters_per_second: f64,
}

/// A beat as annotated, from which a map is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beat {
    /// When it is, where that is known; the first and the last such beats set the outer tempi.
    pub seconds: Option<f64>,
    /// How long it is.
    pub quarters: f64,
    /// The metre of the bar that it starts, if it does.
    pub starts_bar: Option<TimeSignature>,
}

impl Bar {
    /// A bar of this metre.
    pub fn new(start: f64, metre: TimeSignature) -> Bar {
        Bar { start, numerator: metre.numerator(), denominator: metre.denominator() }
    }

    /// Its full length in quarter notes; a bar may be cut short by the start of the next.
    pub fn quarters(&self) -> f64 {
        f64::from(self.numerator) * 4.0 / f64::from(self.denominator)
    }
}

impl BeatMap {
    /// The quarter note that sounds at `seconds`.
    pub fn to_quarters(&self, seconds: f64) -> f64 {
        let later = self.anchors.partition_point(|anchor| anchor.seconds <= seconds);
        let anchor = &self.anchors[later.saturating_sub(1)];
        anchor.quarters + (seconds - anchor.seconds) * anchor.quarters_per_second
    }

    /// When the quarter note `quarters` sounds, in seconds.
    pub fn to_seconds(&self, quarters: f64) -> f64 {
        let later = self.anchors.partition_point(|anchor| anchor.quarters <= quarters);
        let anchor = &self.anchors[later.saturating_sub(1)];
        anchor.seconds + (quarters - anchor.quarters) / anchor.quarters_per_second
    }

    /// The bars where counting starts anew. From each on, bars of its metre follow one another until the next one
    /// listed, which may cut the last of them short; after the last one listed they go on for ever.
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// The bar around a place, both in quarter notes, and how far into it the place is.
    pub fn position_in_bar(&self, quarters: f64) -> (Bar, f64) {
        let later = self.bars.partition_point(|bar| bar.start <= quarters + SAME_PLACE);
        let first = self.bars[later.saturating_sub(1)];
        let before = ((quarters - first.start + SAME_PLACE) / first.quarters()).floor();
        let bar = Bar { start: first.start + before * first.quarters(), ..first };
        (bar, (quarters - bar.start).max(0.0))
    }

    /// A map through `anchors` (strictly increasing, at least one) with these metres, each from its place in quarter
    /// notes on (increasing; 4/4 until the first).
    pub(crate) fn from_tempi(anchors: Vec<Anchor>, metres: &[(f64, TimeSignature)]) -> BeatMap {
        let mut map = BeatMap { anchors, bars: vec![Bar::new(0.0, TimeSignature::COMMON)] };
        for &(start, metre) in metres {
            map.start_bar(Bar::new(start, metre));
        }
        map
    }

    /// A map through annotated beats, or `None` where fewer than two of them have a time or none starts a bar.
    pub(super) fn from_beats(beats: &[Beat]) -> Option<BeatMap> {
        let mut anchors = Vec::new();
        let mut downbeats = Vec::new();
        let mut quarters = 0.0;
        for beat in beats {
            if let Some(seconds) = beat.seconds {
                anchors.push(Anchor { seconds, quarters, quarters_per_second: 0.0 });
            }
            downbeats.extend(beat.starts_bar.map(|metre| (quarters, metre)));
            quarters += beat.quarters;
        }
        set_tempi(&mut anchors)?;
        let &(first_downbeat, metre) = downbeats.first()?;

        let bar = metre.quarters_per_bar();
        let origin = anchors[0].quarters - anchors[0].seconds * anchors[0].quarters_per_second;
        let bars_before = ((first_downbeat - origin.min(0.0) - SAME_PLACE) / bar).ceil();
        let shift = bars_before * bar - first_downbeat;
        anchors.iter_mut().for_each(|anchor| anchor.quarters += shift);
        let mut map = BeatMap { anchors, bars: vec![Bar::new(0.0, metre)] };
        for (start, metre) in downbeats {
            map.start_bar(Bar::new(start + shift, metre));
        }
        Some(map)
    }

    /// Lists a bar at or after the last one listed, unless counting on from there leads to it anyway.
    fn start_bar(&mut self, bar: Bar) {
        let (current, position) = self.position_in_bar(bar.start);
        let metre = |bar: &Bar| (bar.numerator, bar.denominator);
        if metre(&current) == metre(&bar) && position < SAME_PLACE {
            return;
        }
        self.bars.pop_if(|listed| listed.start > bar.start - SAME_PLACE);
        self.bars.push(bar);
    }
}

/// Sets each anchor's tempo from its distance to the next, the last one's as the one before; `None` below two.
fn set_tempi(anchors: &mut [Anchor]) -> Option<()> {
    for index in 1..anchors.len() {
        let (before, after) = (anchors[index - 1], anchors[index]);
        let tempo = (after.quarters - before.quarters) / (after.seconds - before.seconds);
        anchors[index - 1].quarters_per_second = tempo;
        anchors[index].quarters_per_second = tempo;
    }
    (anchors.len() > 1).then_some(())
}

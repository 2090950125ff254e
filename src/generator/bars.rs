//! Music by the bar: cut out, moved and joined again.

use std::ops::Range;

use etude_pianist::note::{Note, PedalChange, Performance};

/// What begins in some `bars`, in order, of `bar` quarter notes each. Notes may last longer, up to `end`; the pedal is up
/// at the end of each run of bars.
pub(crate) fn only(
    performance: &Performance<f64>,
    bars: &[Range<u32>],
    bar: f64,
    end: f64,
) -> Performance<f64> {
    let mut part = Performance::default();
    for run in bars {
        let (from, to) = (f64::from(run.start) * bar, (f64::from(run.end) * bar).min(end));
        let inside = |time: f64| from <= time && time < to;
        let notes = performance.notes.iter().filter(|note| inside(note.onset));
        part.notes.extend(notes.map(|note| Note { duration: note.duration.min(end - note.onset), ..*note }));

        let at_first = performance.pedal.iter().rev().find(|change| change.time <= from);
        if at_first.is_some_and(|change| change.down) && from < to {
            part.pedal.push(PedalChange { time: from, down: true });
        }
        // The pedal that comes up on a bar line belongs to what was before.
        let within = |time: f64, down: bool| if down { inside(time) } else { from < time && time <= to };
        part.pedal.extend(performance.pedal.iter().filter(|change| within(change.time, change.down)));
        if part.pedal.last().is_some_and(|change| change.down) {
            part.pedal.push(PedalChange { time: to, down: false });
        }
    }
    part.pedal.dedup_by_key(|change| change.down);
    part
}

/// The same, begun at `start`.
pub(super) fn place_after(performance: Performance<f64>, start: f64) -> Performance<f64> {
    if start == 0.0 { performance } else { performance.map_time(|time| time + start) }
}

/// Adds bars that nothing in `performance` begins in.
pub(super) fn join(performance: &mut Performance<f64>, bars: Performance<f64>) {
    performance.notes.extend(bars.notes);
    performance.notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
    performance.pedal.extend(bars.pedal);
    performance.pedal.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.down.cmp(&b.down)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use etude_pianist::note::{Key, Velocity};

    fn music() -> Performance<f64> {
        let note = |onset: f64| Note {
            onset,
            duration: 2.0,
            key: Key::from_index(onset as usize).unwrap(),
            velocity: Velocity::new(64),
        };
        let change = |time, down| PedalChange { time, down };
        Performance {
            notes: (0..16).map(|quarter| note(f64::from(quarter))).collect(),
            pedal: vec![change(1.0, true), change(6.0, false), change(6.5, true), change(16.0, false)],
        }
    }

    #[test]
    fn all_bars_are_the_whole() {
        let all = only(&music(), std::slice::from_ref(&(0..4)), 4.0, 16.0);
        assert_eq!(all.pedal, music().pedal);
        assert_eq!(all.notes[..15], music().notes[..15]);
        assert_eq!(all.notes[15].duration, 1.0, "nothing lasts beyond the end");
    }

    #[test]
    fn bars_that_are_cut_out_and_joined_again_are_the_whole_but_for_the_pedal_between_them() {
        let mut joined = only(&music(), &[0..1, 2..3], 4.0, 16.0);
        let pedal: Vec<(f64, bool)> = joined.pedal.iter().map(|change| (change.time, change.down)).collect();
        assert_eq!(pedal, [(1.0, true), (4.0, false), (8.0, true), (12.0, false)]);
        join(&mut joined, only(&music(), &[1..2, 3..4], 4.0, 16.0));
        let all = only(&music(), std::slice::from_ref(&(0..4)), 4.0, 16.0);
        assert_eq!(joined.notes, all.notes);
        let alternates = joined.pedal.windows(2).all(|pair| pair[0].down != pair[1].down);
        assert!(alternates && !joined.pedal.last().unwrap().down, "{:?}", joined.pedal);
    }
    #[test]
    fn a_pedal_that_comes_up_on_the_bar_line_stays_in_the_bar_before() {
        let change = |time, down| PedalChange { time, down };
        let pedal = vec![change(1.0, true), change(4.0, false), change(4.5, true), change(8.0, false)];
        let music = Performance { notes: vec![], pedal };
        let moves = |bar: Range<u32>| {
            let part = only(&music, &[bar], 4.0, 8.0);
            part.pedal.iter().map(|change| (change.time, change.down)).collect::<Vec<_>>()
        };
        assert_eq!(moves(0..1), [(1.0, true), (4.0, false)]);
        assert_eq!(moves(1..2), [(4.5, true), (8.0, false)]);
    }
}

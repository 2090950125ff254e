//! What the composer asks a pianist for where the user leaves it open, so that a long take does not fall apart.

mod pace;
mod tonality;

use super::Knobs;
use crate::alphabet::Conditions;
use crate::note::Key;
use crate::time::{Ticks, TimeBase};
use pace::Pace;
use tonality::Tonality;

/// Follows a take and guides it, by the conditions that nobody set.
pub(super) struct Guidance {
    pace: Option<Pace>,
    /// Only songs keep to a key; concert pieces may go where they like.
    tonality: Option<Tonality>,
}

impl Guidance {
    /// The guidance of a take by a pianist of this time base.
    pub(super) fn new(base: TimeBase, knobs: &Knobs) -> Guidance {
        let song = base == TimeBase::Beats && knobs.pitch_classes.is_none();
        Guidance {
            pace: knobs.density.is_none().then(|| Pace::new(base)),
            tonality: song.then(Tonality::new),
        }
    }

    /// Follows a step that was taken at tick `now` and struck this key, if any, and sets what to ask for next.
    pub(super) fn follow(&mut self, now: Ticks, struck: Option<Key>, conditions: &mut Conditions) {
        if let Some(pace) = &mut self.pace {
            pace.follow(now, struck.is_some());
            conditions.density = pace.wish();
        }
        if let Some(tonality) = &mut self.tonality {
            tonality.follow(now, struck.map(Key::pitch_class));
            conditions.pitch_classes = tonality.wish();
        }
    }
}

//! The form of a take: what lets it return to what it played before.
//!
//! Songs are made of phrases of four bars, and three in ten of their bars are nearly one of the sixteen before, most often
//! of four or eight bars ago. A network that only hears the last bars well hardly ever returns. So most phrases of a
//! take are tied to an earlier one: there the network is made to like the onsets and the keys that were played at the same
//! place. It may still play something else, so that what returns is varied, and where it has returned, it goes on by
//! itself. The last bar of a phrase is left to it, as songs differ most where phrases end.
//!
//! A pianist in seconds knows no bars, so its takes have no form but their own.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use super::take::Grid;
use super::tonality;
use crate::note::Key;
use crate::time::{Ticks, TimeBase};

/// Bars of a phrase, and how many of them are tied.
const PHRASE: Ticks = 4;
const TIED: Ticks = 3;
/// To what the first and the second phrase of a pair are tied: so many bars ago, in so many of sixteen cases. The others
/// are new.
const TIES: [[(Ticks, u64); 2]; 2] = [[(8, 5), (16, 4)], [(4, 8), (8, 4)]];
/// The bonus of an onset and of a key that were played before, in nats: with these, takes return nearly as often as songs
/// do, by the measure of `evaluate`.
const ONSET: f32 = 2.0;
const KEY: f32 = 3.5;
/// What is as if it had fewer pitch classes than this, all equally frequent, is too poor to be heard again: one phrase of
/// people's songs in ten.
const POOR: f64 = 4.5;
/// Onsets so many ticks apart are at the same place.
const NEAR: Ticks = 1;

/// Follows a take and says what it returns to.
pub(super) struct Form {
    seed: u64,
    /// Length of a bar, if there are any.
    bar: Option<Ticks>,
    /// Onset and key of all notes, of the primer too.
    notes: Vec<(Ticks, Key)>,
    now: Ticks,
}

impl Form {
    /// The form of a take, or of its primer and the take: bars of what is remade or added belong to the same phrases.
    pub(super) fn new(grid: &Grid, seed: u64) -> Form {
        let bar = (grid.base == TimeBase::Beats).then(|| grid.bar_ticks());
        Form { seed, bar, notes: Vec::new(), now: 0 }
    }

    /// Follows a step that was taken at tick `now` and struck this key, if any.
    pub(super) fn follow(&mut self, now: Ticks, struck: Option<Key>) {
        self.now = now;
        self.notes.extend(struck.map(|key| (now, key)));
    }

    /// What to add to the logit of each wait, in nats.
    pub(super) fn bonus_of_waits(&self) -> impl Fn(Ticks) -> f32 {
        let wait = self.before(self.now).and_then(|before| {
            let last = self.notes.last().filter(|(onset, _)| *onset == self.now);
            let is_past = |(onset, key): &(Ticks, Key)| {
                *onset < before || *onset == before && last.is_some_and(|(_, last)| key <= last)
            };
            let next = self.notes.get(self.notes.partition_point(is_past));
            next.map(|(onset, _)| onset - before)
        });
        move |other| if wait.is_some_and(|wait| wait.abs_diff(other) <= NEAR) { ONSET } else { 0.0 }
    }

    /// What to add to the logit of each key at tick `now`, in nats.
    pub(super) fn bonus_of_keys(&self, now: Ticks) -> impl Fn(Key) -> f32 {
        let near = |before: Ticks| self.between(before.saturating_sub(NEAR), before + NEAR + 1);
        let played = self.before(now).map_or(&[][..], near);
        |key| if played.iter().any(|(_, played)| *played == key) { KEY } else { 0.0 }
    }

    /// The tick that the music of tick `now` returns to, if it is tied.
    fn before(&self, now: Ticks) -> Option<Ticks> {
        let bar = self.bar?;
        let bars = now / bar;
        let (phrase, bars) = (bars / PHRASE, bars % PHRASE);
        let ago = bar * tie(self.seed, phrase).filter(|_| bars < TIED)?;
        let begin = (phrase * PHRASE * bar).checked_sub(ago)?;
        let mut counts = [0; 12];
        self.between(begin, begin + PHRASE * bar).iter().for_each(|(_, key)| counts[key.pitch_class()] += 1);
        tonality::is_beyond(&counts, POOR).then(|| now - ago)
    }

    /// The notes that were struck from one tick to before another.
    fn between(&self, from: Ticks, to: Ticks) -> &[(Ticks, Key)] {
        let first_from = |tick| self.notes.partition_point(|(onset, _)| *onset < tick);
        &self.notes[first_from(from)..first_from(to)]
    }
}

/// How many bars ago the music of a phrase was played before, if it is tied: known of each phrase from the seed alone,
/// wherever composing stops in between.
fn tie(seed: u64, phrase: Ticks) -> Option<Ticks> {
    let mut chance = Pcg64Mcg::seed_from_u64(!seed ^ u64::from(phrase)).next_u64() >> 60;
    for (bars, share) in TIES[phrase as usize % 2] {
        match chance.checked_sub(share) {
            Some(left) => chance = left,
            None => return Some(bars),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::composer::Request;
    use crate::time::Ticks;

    /// A bar of 4/4 in ticks.
    const BAR: Ticks = 96;
    /// The keys of a phrase, one for each of its quarter notes.
    const THEME: [usize; 16] = [39, 41, 43, 44, 46, 48, 50, 51, 39, 43, 46, 51, 41, 44, 48, 53];

    /// The form of a take, which has played the theme.
    fn after_theme(seed: u64, theme: [usize; 16]) -> Form {
        let mut form = Form::new(&Grid::new(TimeBase::Beats, &Request::default()), seed);
        (0..).zip(theme).for_each(|(beat, key)| form.follow(beat * 24, Some(key_of(key))));
        form
    }

    fn key_of(index: usize) -> Key {
        Key::from_index(index).unwrap()
    }

    /// A seed that ties the second phrase to the first, or to none.
    fn seed(ties: Option<Ticks>) -> u64 {
        (0..).find(|&seed| tie(seed, 1) == ties).unwrap()
    }

    /// The keys that are liked at a tick.
    fn liked(form: &Form, now: Ticks) -> Vec<usize> {
        let bonus = form.bonus_of_keys(now);
        (0..Key::COUNT).filter(|&key| bonus(key_of(key)) > 0.0).collect()
    }

    /// The waits that are liked now.
    fn liked_waits(form: &Form) -> Vec<Ticks> {
        let bonus = form.bonus_of_waits();
        (0..2 * BAR).filter(|&wait| bonus(wait) > 0.0).collect()
    }

    #[test]
    fn a_tied_phrase_likes_the_keys_and_the_onsets_of_the_other_but_for_its_last_bar() {
        let mut form = after_theme(seed(Some(4)), THEME);
        for (beat, key) in (16..).zip(THEME) {
            let tied = beat < 28;
            assert_eq!(liked(&form, beat * 24), if tied { vec![key] } else { vec![] });
            assert!(liked(&form, beat * 24 + 12).is_empty(), "nothing was struck between the beats");
            form.follow(beat * 24, Some(key_of(key)));
            assert_eq!(liked_waits(&form), if tied { vec![23, 24, 25] } else { vec![] });
        }
    }

    #[test]
    fn phrases_are_four_bars_whatever_the_metre() {
        for (metre, bar) in [("3/4", 72), ("7/8", 84)] {
            let request = Request { time_signature: metre.parse().unwrap(), ..Request::default() };
            let mut form = Form::new(&Grid::new(TimeBase::Beats, &request), seed(Some(4)));
            // Four notes in each bar.
            (0..).zip(THEME).for_each(|(i, key)| form.follow(i * bar / 4, Some(key_of(key))));
            for (i, key) in (16..).zip(THEME) {
                assert_eq!(liked(&form, i * bar / 4), if i < 28 { vec![key] } else { vec![] }, "{metre}");
            }
        }
    }

    #[test]
    fn keys_are_liked_a_tick_too_early_or_too_late_as_well() {
        let form = after_theme(seed(Some(4)), THEME);
        let around = [-2, -1, 0, 1, 2].map(|ticks| liked(&form, (4 * BAR + 24).saturating_add_signed(ticks)));
        assert_eq!(around, [vec![], vec![41], vec![41], vec![41], vec![]]);
    }

    #[test]
    fn a_chord_returns_key_by_key() {
        let mut form = after_theme(seed(Some(4)), THEME);
        form.notes.splice(1..1, [42, 46].map(|key| (0, key_of(key))));
        assert_eq!(liked(&form, 4 * BAR), [39, 42, 46]);
        form.follow(4 * BAR, None);
        assert_eq!(liked_waits(&form), [0, 1], "the pedal strikes nothing");
        form.follow(4 * BAR, Some(key_of(42)));
        assert_eq!(liked_waits(&form), [0, 1]);
        form.follow(4 * BAR, Some(key_of(46)));
        assert_eq!(liked_waits(&form), [23, 24, 25]);
    }

    #[test]
    fn new_phrases_poor_music_and_what_was_never_played_are_not_returned_to() {
        assert!(liked(&after_theme(seed(None), THEME), 4 * BAR).is_empty());
        assert!(liked(&after_theme(seed(Some(4)), [39; 16]), 4 * BAR).is_empty());
        assert!(liked(&after_theme(seed(Some(8)), THEME), 4 * BAR).is_empty());
        assert!(liked(&after_theme(seed(Some(4)), THEME), 0).is_empty());
    }

    #[test]
    fn music_is_poor_if_its_whole_phrase_is_whatever_followed() {
        let seed = (0..).find(|&seed| tie(seed, 2) == Some(8)).unwrap();
        let liked_after = |theme| {
            let mut form = after_theme(seed, theme);
            // The second phrase is poor in any case.
            (16..32).for_each(|beat| form.follow(beat * 24, Some(key_of(39))));
            liked(&form, 8 * BAR)
        };
        assert!(liked_after([39, 41, 43, 44, 39, 41, 43, 44, 39, 41, 43, 44, 39, 41, 43, 44]).is_empty());
        assert_eq!(liked_after([39, 41, 43, 44, 39, 41, 43, 44, 39, 41, 43, 44, 45, 46, 48, 50]), [39]);
    }

    #[test]
    fn phrases_are_tied_as_often_as_they_should_be() {
        for (phrase, ties) in [(6, TIES[0]), (7, TIES[1])] {
            for (bars, share) in ties {
                let of_seeds = (0..1600).filter(|&seed| tie(seed, phrase) == Some(bars)).count() as u64;
                let of_take = (0..1600).filter(|i| tie(7, phrase + 2 * i) == Some(bars)).count() as u64;
                for tied in [of_seeds, of_take] {
                    assert!(
                        tied.abs_diff(share * 100) < 80,
                        "{tied} of 1600 phrases {phrase} by {bars} bars"
                    );
                }
            }
        }
    }
}

//! Which symbols a take may use next.
//!
//! Rules keep steps canonical (spelled as [`Alphabet::encode`] would spell the music, the only spelling the pianist
//! knows) and within the [`Locks`]. There is always something left to choose, and time always moves on: only so many
//! steps fit a tick.

mod events;
mod notes;

use crate::alphabet::{Alphabet, Pedal, Step};
use crate::locks::Locks;
use crate::note::Key;
use crate::sampler::Attribute;
use crate::time::Ticks;

/// Most keys struck at one tick: ten fingers, and some room for two voices that the data merged.
const MOST_AT_ONCE: usize = 16;

/// Follows a take's steps and says what may come next.
pub(super) trait Rules: Send {
    /// The kinds of a head's symbols, as runs of attribute and number of symbols.
    fn kinds(&self, head: usize) -> &'static [(Attribute, usize)];

    /// Marks what `head` may choose after what `step` has already: at least one symbol. `allowed` comes all `false`.
    fn mark(&self, head: usize, step: &Step, allowed: &mut [bool]);

    /// Follows a complete step, of a primer or of the take.
    fn follow(&mut self, step: &Step);

    /// Begins the take: its first key is struck after exactly `gap` ticks.
    fn enter(&mut self, gap: Ticks);

    /// What holds for every note.
    fn locks(&self) -> Locks;
}

/// The rules of an alphabet.
pub(super) fn of(alphabet: Alphabet, locks: Locks, pedal: Pedal) -> Box<dyn Rules> {
    match alphabet {
        Alphabet::Notes => Box::new(notes::NotesRules::new(locks, pedal)),
        Alphabet::Events => Box::new(events::EventsRules::new(locks, pedal)),
    }
}

/// What was struck at this tick, and what still may be: keys above the last one, as long as there are hands.
struct Struck {
    locks: Locks,
    count: usize,
    last: Option<Key>,
}

impl Struck {
    fn new(locks: Locks) -> Struck {
        Struck { locks, count: 0, last: None }
    }

    fn strike(&mut self, key: Key) {
        self.count += 1;
        self.last = Some(key);
    }

    /// Begins another tick.
    fn clear(&mut self) {
        (self.count, self.last) = (0, None);
    }

    fn may_strike(&self, key: Key) -> bool {
        self.count < MOST_AT_ONCE.min(self.locks.polyphony)
            && self.last.is_none_or(|last| last < key)
            && self.locks.allow(key)
    }

    fn may_strike_any(&self) -> bool {
        Key::all().any(|key| self.may_strike(key))
    }
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg64Mcg;
    use rand_pcg::rand_core::{Rng, SeedableRng};

    use super::*;

    /// Tick and key of what a pianist strikes who mostly chooses the first symbol allowed: who hardly lets time pass, and
    /// takes key after key.
    fn hastily(alphabet: Alphabet, polyphony: usize) -> Vec<(Ticks, Key)> {
        let symbols = alphabet.blueprint(1, 1).heads.into_iter().map(|head| head.symbols).collect::<Vec<_>>();
        let mut rules = of(alphabet, Locks { polyphony, ..Locks::default() }, Pedal::Keep);
        let mut context = alphabet.context();
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let mut struck = Vec::new();
        for _ in 0..2000 {
            while let Some(head) = context.asks() {
                let mut allowed = vec![false; symbols[head]];
                rules.mark(head, &context.step(), &mut allowed);
                let allowed: Vec<u16> = (0..).zip(allowed).filter(|(_, may)| *may).map(|(i, _)| i).collect();
                let any = random.next_u64() as usize % allowed.len();
                context.choose(allowed[if random.next_u64().is_multiple_of(32) { any } else { 0 }]);
            }
            rules.follow(&context.step());
            struck.extend(alphabet.struck(context.step()).map(|key| (context.now(), key)));
            context.begin();
        }
        struck
    }

    #[test]
    fn keys_struck_at_one_tick_ascend_and_are_as_many_as_there_are_fingers_or_voices() {
        for (alphabet, polyphony) in
            [Alphabet::Notes, Alphabet::Events].into_iter().flat_map(|a| [(a, 88), (a, 3)])
        {
            let struck = hastily(alphabet, polyphony);
            assert!(struck.is_sorted_by(|before, after| before < after), "{alphabet}: {struck:?}");
            let chords = struck.chunk_by(|before, after| before.0 == after.0);
            assert_eq!(chords.map(<[_]>::len).max(), Some(polyphony.min(16)), "{alphabet}");
        }
    }
}

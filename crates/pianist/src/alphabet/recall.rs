//! What followed the last time this passage was heard.
//!
//! Music repeats itself over spans that an LSTM can't hold: an accompaniment figure from a second ago, a theme from
//! minutes ago. Two followers find an earlier place where the latest keys were played, a long one for themes and a
//! short one for figures, and walk along it as long as the music keeps agreeing. It is the match model of PAQ-style
//! compressors (Mahoney, "Adaptive weighing of context models for lossless data compression", 2005) on a keyboard.

use crate::note::Key;

/// Notes that are remembered; older ones are forgotten.
const MEMORY: usize = 1 << 15;
/// Slots of a follower's index, by hash of the latest keys.
const SLOTS: usize = 1 << 14;
/// How far ahead of the expected note another is still recognised: notes of a chord change places.
const REACH: usize = 4;

/// A remembered note: its symbols.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// Index of the key.
    pub key: u8,
    /// Coarse bin of the shift before it.
    pub shift: u8,
    /// Velocity bin.
    pub velocity: u8,
    /// Coarse bin of its duration.
    pub duration: u8,
}

/// The notes heard so far and the two followers.
pub struct Recall {
    /// A ring of `MEMORY` notes: note `n` is at `n % MEMORY`.
    notes: Vec<Heard>,
    count: usize,
    followers: [Follower; 2],
}

impl Recall {
    /// How many vectors [`Recall::write_expected`] writes.
    pub const FOLLOWERS: usize = 2;

    /// Nothing heard yet.
    pub fn new() -> Recall {
        Recall { notes: Vec::new(), count: 0, followers: [Follower::new(6, true), Follower::new(3, false)] }
    }

    /// Remembers a note.
    pub fn hear(&mut self, note: Heard) {
        for follower in &mut self.followers {
            follower.compare(note.key, expected(&self.notes, self.count, follower.place));
        }
        match self.notes.get_mut(self.count % MEMORY) {
            Some(slot) => *slot = note,
            None => self.notes.push(note),
        }
        self.count += 1;
        for follower in &mut self.followers {
            follower.search(&self.notes, self.count);
        }
    }

    /// The note that the surer follower expects next.
    pub fn next(&self) -> Option<Heard> {
        self.followers.iter().find_map(|follower| expected(&self.notes, self.count, follower.place))
    }

    /// The earlier note on `key` that a follower expects about now.
    pub fn of_key(&self, key: u8) -> Option<Heard> {
        self.followers.iter().find_map(|follower| self.ahead(follower).find(|heard| heard.key == key))
    }

    /// For each follower a value per key: how much it expects that key next, 0 to 1.
    pub fn write_expected(&self, out: &mut [f32]) {
        out.fill(0.0);
        for (follower, out) in self.followers.iter().zip(out.chunks_exact_mut(Key::COUNT)) {
            let mut weight = follower.confidence();
            for heard in self.ahead(follower) {
                out[heard.key as usize] += weight;
                weight *= 0.5;
            }
        }
    }

    fn ahead(&self, follower: &Follower) -> impl Iterator<Item = Heard> {
        let place = follower.place;
        (0..REACH).map_while(move |i| expected(&self.notes, self.count, place.map(|place| place + i)))
    }
}

/// The note at `place`, if it is still remembered.
fn expected(notes: &[Heard], count: usize, place: Option<usize>) -> Option<Heard> {
    place.filter(|&place| place < count && place + MEMORY > count).map(|place| notes[place % MEMORY])
}

/// Walks along an earlier passage.
struct Follower {
    /// Latest keys that must agree to begin following.
    order: usize,
    /// Whether it stays with a passage that mostly agrees, rather than always taking the latest match.
    steady: bool,
    /// The note expected next, counted from the first ever heard.
    place: Option<usize>,
    /// Which of the last eight expectations came true, the latest in the lowest bit.
    hits: u8,
    /// For a hash of `order` keys, the place after their latest occurrence; 0 for none.
    index: Vec<u32>,
}

impl Follower {
    fn new(order: usize, steady: bool) -> Follower {
        Follower { order, steady, place: None, hits: 0, index: vec![0; SLOTS] }
    }

    fn confidence(&self) -> f32 {
        self.hits.count_ones() as f32 / 8.0
    }

    /// Checks the expectation against the key that came, and gives up a passage that mostly disagrees.
    fn compare(&mut self, key: u8, expected: Option<Heard>) {
        let Some(heard) = expected else {
            self.place = None;
            return;
        };
        self.hits = self.hits << 1 | u8::from(heard.key == key);
        self.place = self.place.map(|place| place + 1).filter(|_| self.hits.count_ones() >= 3);
    }

    /// Looks for an earlier occurrence of the latest keys, and notes this one.
    fn search(&mut self, notes: &[Heard], count: usize) {
        if count < self.order {
            return;
        }
        let key_before = |place: usize, back: usize| notes[(place - back) % MEMORY].key;
        let hash = (1..=self.order).fold(0u32, |hash, back| {
            (hash ^ u32::from(key_before(count, back))).wrapping_mul(0x9E37_79B1).rotate_left(7)
        });
        let slot = &mut self.index[(hash >> 8) as usize % SLOTS];
        let found = *slot as usize;
        *slot = count as u32;
        if self.steady && self.place.is_some() {
            return;
        }
        let remembered = found >= self.order && found + MEMORY > count + self.order;
        if remembered && (1..=self.order).all(|back| key_before(found, back) == key_before(count, back)) {
            if self.place != Some(found) {
                self.hits = 0xF8;
            }
            self.place = Some(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(recall: &mut Recall, keys: &[u8]) {
        for &key in keys {
            recall.hear(Heard { key, velocity: key / 4, ..Default::default() });
        }
    }

    #[test]
    fn a_passage_heard_before_is_expected_to_go_on_as_it_did() {
        let mut recall = Recall::new();
        hear(&mut recall, &[40, 44, 47, 52, 56, 59, 64, 30, 31, 32, 40, 44, 47, 52, 56, 59]);
        assert_eq!(recall.next().map(|heard| heard.key), Some(64));
        assert_eq!(
            recall.of_key(30).map(|heard| heard.velocity),
            Some(7),
            "notes shortly ahead are found too"
        );
        let mut expected = [0.0; 2 * Key::COUNT];
        recall.write_expected(&mut expected);
        assert!(expected[64] > expected[30] && expected[30] > expected[31] && expected[31] > 0.0);
    }

    #[test]
    fn following_survives_two_notes_of_a_chord_that_change_places() {
        let mut recall = Recall::new();
        let theme: Vec<u8> = (0..24).map(|i| 20 + i * 7 % 40).collect();
        hear(&mut recall, &theme);
        hear(&mut recall, &theme[..10]);
        hear(&mut recall, &[theme[11], theme[10]]);
        assert_eq!(recall.next().map(|heard| heard.key), Some(theme[12]));
    }

    #[test]
    fn unrelated_music_recalls_nothing() {
        let mut recall = Recall::new();
        hear(&mut recall, &(0..88).collect::<Vec<_>>());
        assert_eq!(recall.next(), None);
    }

    #[test]
    fn memory_is_bounded_and_old_places_are_forgotten() {
        let mut recall = Recall::new();
        for i in 0..3 * MEMORY {
            recall.hear(Heard { key: (i * i / 7 % 88) as u8, ..Default::default() });
        }
        assert_eq!(recall.notes.len(), MEMORY);
    }
}

//! One keyboard: a key sounds one note at a time.

use super::{Key, Note};

/// Makes notes, in whole ticks, playable on one keyboard: sorted by onset, then by key; notes of one key at one tick
/// become one, as loud as the loudest and as long as the longest; a note still sounding when its key is struck again
/// ends there.
pub(crate) fn on_one_keyboard(notes: &mut Vec<Note<u64>>) {
    sort(notes);
    notes.dedup_by(|later, earlier| {
        let same = (later.onset, later.key) == (earlier.onset, earlier.key);
        if same {
            earlier.velocity = earlier.velocity.max(later.velocity);
            earlier.duration = earlier.duration.max(later.duration);
        }
        same
    });
    let mut next_onset = [u64::MAX; Key::COUNT];
    for note in notes.iter_mut().rev() {
        let next = &mut next_onset[note.key.index()];
        note.duration = note.duration.min(*next - note.onset);
        *next = note.onset;
    }
}

/// Lets a key that several voices hold at once stay down until the last of them lets go: a note struck while another
/// voice holds its key lasts at least as long as that one. Sorts by onset, then by key.
pub(crate) fn hold_across_voices(notes: &mut [Note<u64>]) {
    sort(notes);
    let mut held_until = [0u64; Key::COUNT];
    for note in notes {
        let held = &mut held_until[note.key.index()];
        note.duration = note.duration.max(held.saturating_sub(note.onset));
        *held = note.onset + note.duration;
    }
}

/// Sorts by onset, then by key. Most notes come sorted by onset already, and a chord is short.
fn sort(notes: &mut [Note<u64>]) {
    if !notes.is_sorted_by_key(|note| note.onset) {
        notes.sort_by_key(|note| note.onset);
    }
    for chord in notes.chunk_by_mut(|one, next| one.onset == next.onset) {
        chord.sort_by_key(|note| note.key);
    }
}

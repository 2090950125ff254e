//! Leaving out files that hold the same performance.

use std::collections::HashMap;

use etude_pianist::note::{Key, Note, Performance};

use super::reading::{Music, Reason, Skipped};
use crate::corpus::{Packed, Split};

/// Onsets that differ by less than this, in seconds or quarter notes, may be one onset in files of different
/// resolution; nobody hears the difference.
const SAME_TIME: f64 = 0.02;

/// What files of the same performance have in common whatever their resolution: how hard each key is struck, time
/// after time.
pub fn fingerprint(performance: &Performance<f64>) -> u64 {
    let mix = |hash: u64, value: u64| (hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mut keys = [0; Key::COUNT];
    for note in &performance.notes {
        let key = &mut keys[note.key.index()];
        *key = mix(*key, note.velocity.midi().into());
    }
    keys.into_iter().fold(0, mix)
}

/// Takes out all but one of the performances that have the same notes: the first for validation, or else the first.
pub fn remove(music: &mut Vec<Music>) -> Vec<Skipped> {
    let mut same_print: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut copy_of = vec![None; music.len()];
    let (valid, train): (Vec<usize>, _) =
        (0..music.len()).partition(|&index| music[index].split == Split::Valid);
    for index in valid.into_iter().chain(train) {
        let kept = same_print.entry(music[index].fingerprint).or_default();
        let original = kept.iter().find(|&&kept| same_notes(&music[kept].packed, &music[index].packed));
        match original {
            Some(&original) => copy_of[index] = Some(music[original].name.clone()),
            None => kept.push(index),
        }
    }
    let mut copies = Vec::new();
    let mut copy_of = copy_of.into_iter();
    music.retain(|music| {
        let original = copy_of.next().flatten();
        copies.extend(original.as_ref().map(|original| Skipped {
            name: music.name.clone(),
            reason: Reason::Duplicate,
            detail: format!("as {original}"),
        }));
        original.is_none()
    });
    copies
}

fn same_notes(a: &Packed, b: &Packed) -> bool {
    let (a, b) = (by_key(a), by_key(b));
    let same = |(a, b): (&Note<f64>, &Note<f64>)| {
        (a.key, a.velocity) == (b.key, b.velocity) && (a.onset - b.onset).abs() < SAME_TIME
    };
    a.len() == b.len() && a.iter().zip(&b).all(same)
}

fn by_key(packed: &Packed) -> Vec<Note<f64>> {
    let mut notes = packed.performance().notes;
    notes.sort_by_key(|note| note.key);
    notes
}

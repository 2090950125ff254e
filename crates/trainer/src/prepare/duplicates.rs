//! Leaving out duplicates: files that hold a performance, or a part of one, that another file holds too.
//!
//! Competitions publish whole recitals beside their single pieces, so a duplicate may be an excerpt. Duplicates are found by a
//! few short passages of each performance (its anchors), looked for in all others; where one turns up, the notes
//! around it are compared.

use std::cmp::Reverse;
use std::collections::HashMap;

use etude_pianist::note::Note;
use rayon::prelude::*;

use super::reading::{Music, Reason, Skipped};
use crate::corpus::{Packed, Split};

/// Notes in a passage. Nobody plays eight notes twice with the same velocities.
const PASSAGE: usize = 8;
/// Passages of each performance that are looked for. More than one, as two files of different resolution may order a
/// chord differently.
const ANCHORS: usize = 4;
/// How many places of a performance are compared with another: all, unless both repeat themselves without end.
const PLACES: usize = 32;
/// Onsets that differ by less than this, in seconds or quarter notes, may be one onset in files of different
/// resolution; nobody hears the difference.
const SAME_TIME: f64 = 0.02;

/// Takes out the duplicates. Of two performances that share notes the one for validation stays; within a split the longer
/// one; of equals the first.
pub fn remove(music: &mut Vec<Music>) -> Vec<Skipped> {
    let mut original_of = vec![None; music.len()];
    let excerpts = excerpts(music);
    let (apart, together): (Vec<_>, _) =
        excerpts.into_iter().partition(|&(part, whole)| music[part].split != music[whole].split);
    for (part, whole) in apart {
        let (train, valid) = if music[part].split == Split::Train { (part, whole) } else { (whole, part) };
        original_of[train] = Some(valid);
    }
    for (part, whole) in together {
        if original_of[part].is_none() && original_of[whole].is_none() {
            original_of[part] = Some(whole);
        }
    }
    take_out(music, &original_of)
}

/// Pairs of a performance and one that has all its notes; the longest of the latter come first, so that what is taken
/// out as a part of something has no parts of its own yet to come.
fn excerpts(music: &[Music]) -> Vec<(usize, usize)> {
    let mut anchors: HashMap<Passage, Vec<Anchor>> = HashMap::new();
    for (index, found) in
        music.par_iter().map(|music| anchors_of(&music.packed)).collect::<Vec<_>>().iter().enumerate()
    {
        for &(passage, time) in found {
            anchors.entry(passage).or_default().push(Anchor { index, time });
        }
    }
    let filter = Filter::new(anchors.keys());
    let mut excerpts: Vec<_> = (0..music.len())
        .into_par_iter()
        .flat_map_iter(|whole| {
            parts_of(whole, music, &anchors, &filter).into_iter().map(move |part| (part, whole))
        })
        .collect();
    excerpts.sort_by_key(|&(part, whole)| (Reverse(music[whole].packed.note_count()), whole, part));
    excerpts
}

/// Keys and velocities of [`PASSAGE`] notes in a row, 14 bits each.
type Passage = u128;

/// Where a performance has a passage that is looked for in others.
struct Anchor {
    index: usize,
    /// In seconds or quarter notes.
    time: f64,
}

/// All passages of a performance, with the time of their last note.
fn passages(packed: &Packed) -> impl Iterator<Item = (Passage, f64)> {
    let mut passage = 0;
    let with_last = packed.notes().map(move |note| {
        let last = (note.key.index() << 7) as Passage | Passage::from(note.velocity.midi());
        passage = (passage << 14 | last) & ((1 << (14 * PASSAGE)) - 1);
        (passage, note.onset)
    });
    with_last.skip(PASSAGE - 1)
}

/// The passages that come first in an order that is as good as chance, but the same in every file.
fn anchors_of(packed: &Packed) -> Vec<(Passage, f64)> {
    let mut smallest: Vec<(u64, Passage, f64)> = Vec::with_capacity(ANCHORS + 1);
    for (passage, time) in passages(packed) {
        let lot = spread(passage);
        if smallest.len() == ANCHORS && smallest[ANCHORS - 1].0 <= lot {
            continue;
        }
        if smallest.iter().all(|other| other.1 != passage) {
            let place = smallest.partition_point(|other| other.0 <= lot);
            smallest.insert(place, (lot, passage, time));
            smallest.truncate(ANCHORS);
        }
    }
    smallest.into_iter().map(|(_, passage, time)| (passage, time)).collect()
}

/// The performances whose notes are all in `whole`; of equals, those that come later.
fn parts_of(
    whole: usize,
    music: &[Music],
    anchors: &HashMap<Passage, Vec<Anchor>>,
    filter: &Filter,
) -> Vec<usize> {
    let mut tried: HashMap<usize, usize> = HashMap::new();
    let mut parts = Vec::new();
    let size = |index: usize| music[index].packed.note_count();
    let smaller = |part: usize| (size(part), whole) < (size(whole), part);
    for (passage, time) in passages(&music[whole].packed).filter(|(passage, _)| filter.may_contain(*passage))
    {
        for anchor in anchors.get(&passage).into_iter().flatten().filter(|anchor| smaller(anchor.index)) {
            let tries = tried.entry(anchor.index).or_default();
            *tries += 1;
            let part = &music[anchor.index].packed;
            if *tries <= PLACES
                && !parts.contains(&anchor.index)
                && is_part(part, &music[whole].packed, time - anchor.time)
            {
                parts.push(anchor.index);
            }
        }
    }
    parts
}

/// Whether `whole` has, `offset` later, the notes of `part` and no others in between.
fn is_part(part: &Packed, whole: &Packed, offset: f64) -> bool {
    let mut part: Vec<Note<f64>> = part.notes().collect();
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return false };
    let from = first.onset + offset - SAME_TIME;
    let to = last.onset + offset + SAME_TIME;
    let around = whole.notes().skip_while(|note| note.onset < from).take_while(|note| note.onset <= to);
    let mut around: Vec<Note<f64>> = around.take(part.len() + 1).collect();
    part.sort_by_key(|note| note.key);
    around.sort_by_key(|note| note.key);
    let same = |(a, b): (&Note<f64>, &Note<f64>)| {
        (a.key, a.velocity) == (b.key, b.velocity) && (a.onset + offset - b.onset).abs() < SAME_TIME
    };
    part.len() == around.len() && part.iter().zip(&around).all(same)
}

fn take_out(music: &mut Vec<Music>, original_of: &[Option<usize>]) -> Vec<Skipped> {
    let duplicate = |(index, original): (usize, &Option<usize>)| {
        original.map(|original| Skipped {
            name: music[index].name.clone(),
            reason: Reason::Duplicate,
            detail: format!("shares its notes with {}", music[original].name),
        })
    };
    let duplicates = original_of.iter().enumerate().filter_map(duplicate).collect();
    let mut original_of = original_of.iter();
    music.retain(|_| original_of.next().is_none_or(|original| original.is_none()));
    duplicates
}

/// Says of almost all passages that they are none of those looked for, faster than a hash map can.
struct Filter(Vec<bool>);

impl Filter {
    const BITS: u32 = 18;

    fn new<'a>(passages: impl Iterator<Item = &'a Passage>) -> Filter {
        let mut filter = Filter(vec![false; 1 << Filter::BITS]);
        passages.for_each(|&passage| filter.0[Filter::place(passage)] = true);
        filter
    }

    fn may_contain(&self, passage: Passage) -> bool {
        self.0[Filter::place(passage)]
    }

    fn place(passage: Passage) -> usize {
        (spread(passage) >> (64 - Filter::BITS)) as usize
    }
}

/// A number as good as chance, but always the same for the same passage.
fn spread(passage: Passage) -> u64 {
    let folded = (passage >> 56) as u64 ^ (passage as u64).rotate_left(32);
    let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

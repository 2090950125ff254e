//! A pianist's card as far as training knows what belongs there.

use std::collections::HashSet;
use std::path::Path;

use etude_pianist::card::Card;

use crate::corpus::{Corpus, Entry, Split};

const NO_VALIDATION: &str = "no performances for validation";

/// The card of the pianist at `output`, which `card` may have completed, without what was measured of its weights; the
/// rest, and of a pianist that is not there yet all, is a draft. `from` is what it began with, if not with nothing.
pub(super) fn card(output: &Path, from: Option<&Path>, corpus: &Corpus) -> Card {
    // A checkpoint has no card, but the pianist of its run has one.
    let parent = from.and_then(|path| Card::read_file(path.with_extension("safetensors")).ok());
    let draft = draft(output, parent.unwrap_or_default(), corpus);
    // A damaged file has nothing to keep, and is about to be replaced by a good one.
    let Ok(written) = Card::read_file(output) else { return draft };
    Card {
        data: if is_drafted(&written.data) { draft.data } else { written.data },
        split: if is_drafted(&written.split) { draft.split } else { written.split },
        validation: None,
        copied: None,
        ..written
    }
}

/// Whether a text is an earlier draft's: of a corpus that may have had other music.
fn is_drafted(text: &str) -> bool {
    let forms = [
        "# performances, # notes",
        "# performances, # notes of other pieces for validation",
        "# performances, # notes for validation; the pieces of # of them are in the training data, too",
        NO_VALIDATION,
    ];
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let form: Vec<&str> = text.split(' ').map(|word| if is_number(word) { "#" } else { word }).collect();
    text.is_empty() || forms.contains(&form.join(" ").as_str())
}

/// What a pianist began with binds it, too: who may use that, and what it learned from.
fn draft(output: &Path, parent: Card, corpus: &Corpus) -> Card {
    let training = corpus.performances(Split::Train);
    let known = |text: &str, words: String| if text.is_empty() { String::new() } else { words };
    let Card { name, data, licence, .. } = parent;
    Card {
        licence: known(&licence, format!("That of `{name}`, with which it began: {licence}")),
        notes: known(&data, format!("It began as `{name}`, which learned from this: {data}")),
        name: output.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        data: format!("{} performances, {} notes", training.len(), notes(training)),
        split: split(corpus),
        ..Card::default()
    }
}

/// How the validation pieces were set aside, as far as the corpus tells.
fn split(corpus: &Corpus) -> String {
    let valid = corpus.performances(Split::Valid);
    if valid.len() == 0 {
        return NO_VALIDATION.to_owned();
    }
    let known: HashSet<u32> = corpus.performances(Split::Train).map(|entry| entry.piece()).collect();
    let in_both = valid.clone().filter(|entry| known.contains(&entry.piece())).count();
    let performances = format!("{} performances, {} notes", valid.len(), notes(valid));
    match in_both {
        0 => format!("{performances} of other pieces for validation"),
        _ => format!(
            "{performances} for validation; the pieces of {in_both} of them are in the training data, too"
        ),
    }
}

fn notes<'a>(entries: impl Iterator<Item = Entry<'a>>) -> usize {
    entries.map(|entry| entry.note_count()).sum()
}

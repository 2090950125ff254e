//! The window, used with mouse and keyboard.

use std::collections::HashSet;
use std::io::{Write, stderr};
use std::path::Path;
use std::time::Instant;

use etude_pianist::midi;
use etude_rehearsal::bundle::bundles;
use etude_rehearsal::screen::ScreenError;
use etude_rehearsal::standalone::{PATIENCE, Standalone, WindowError, keep};

use crate::common::QUARTERS;

#[test]
fn a_click_on_generate_makes_another_take_and_a_key_saves_it() {
    let mut standalone = match Standalone::open() {
        Err(WindowError::Screen(error @ ScreenError::NotInstalled)) => {
            // Unlike what is printed, this is seen although the test passes.
            return writeln!(stderr(), "The window is not tested: {error}").unwrap();
        }
        opened => opened.unwrap_or_else(|error| panic!("{error}")),
    };
    let first = saved_take(&mut standalone, None);
    standalone.generate().unwrap();
    saved_take(&mut standalone, Some(&first));

    let picture = standalone.picture().unwrap();
    let path = bundles().with_file_name("editor.png");
    keep(&picture, &path).unwrap();
    writeln!(stderr(), "The window looks like {}", path.display()).unwrap();
    let mut image =
        png::Decoder::new(std::io::Cursor::new(std::fs::read(&path).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; image.output_buffer_size().unwrap()];
    image.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, picture.pixels.as_flattened(), "the file holds the picture");
    let colours: HashSet<_> = picture.pixels.iter().collect();
    assert!(colours.len() > 100, "a picture of {} colours shows no editor", colours.len());
}

/// Saves clips until one is of another take than `not` and has music in it; checks it, and says which take it is of.
fn saved_take(standalone: &mut Standalone, not: Option<&str>) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let path = standalone.save_clip().unwrap_or_else(|error| panic!("{error}"));
        let recording = midi::read_file(&path).unwrap();
        let notes = &recording.performance.notes;
        let ends = notes.iter().map(|note| recording.beat_map.to_quarters(note.onset + note.duration));
        let end = ends.fold(0.0, f64::max);
        assert!(end <= f64::from(QUARTERS) + 1e-6, "{} ends after {end} quarter notes", path.display());
        let take = take_of(&path);
        if notes.len() > 16 && Some(take.as_str()) != not {
            return take;
        }
        assert!(
            Instant::now() < deadline,
            "no other take than {take} in {PATIENCE:?}; {} notes of it",
            notes.len()
        );
    }
}

/// The pianist and the seed, which a clip's name begins with.
fn take_of(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    name.split(" - ").next().unwrap_or_default().to_owned()
}

//! The pianists under models/: each can be read, is small enough, and is the one that its card describes.

#[path = "common/hash.rs"]
mod hash;

use std::fs;
use std::path::{Path, PathBuf};

use etude_pianist::model_file::Pianist;
use hash::sha256;

/// The most that a shipped pianist may weigh.
const LARGEST: usize = 32 << 20;

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("models/ can be listed").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors")).collect()
}

#[test]
fn every_shipped_pianist_is_the_one_on_its_card() {
    for path in shipped() {
        let bytes = fs::read(&path).expect("it was listed");
        assert!(bytes.len() <= LARGEST, "{} has more than 32 MiB", path.display());
        Pianist::read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));

        let page = path.with_extension("md");
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let hash = sha256(&bytes);
        assert!(text.contains(&hash), "{} does not name the hash {hash} of its pianist", page.display());
        for row in ["Data", "Licence", "Split", "Training", "Copied passages"] {
            assert!(text.contains(&format!("| {row} | ")), "{} has no row `{row}`", page.display());
        }
        assert!(!text.contains("not measured"), "{} has a measurement left to do", page.display());
    }
}

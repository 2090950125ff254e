//! README.md keeps its word: its commands exist, and a newcomer who types them gets a pianist that plays.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use etude_pianist::midi::{self, Clip};
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::TimeSignature;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const README: &str = include_str!("../../../README.md");
/// The section whose commands a newcomer types one after another.
const NEWCOMER: &str = "\n## Train your own\n";
/// Its commands take minutes; with these values in place of its own they take seconds.
const HASTE: [(&str, &str); 2] = [("--minutes", "0.02"), ("--hidden", "8")];

/// The arguments of every `etude-trainer` command in the shell blocks of a page.
fn commands(page: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for block in page.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n")) {
        for line in block.replace("\\\n", " ").lines() {
            let mut words = line.split_whitespace().map(str::to_owned);
            if words.next().as_deref() == Some("etude-trainer") {
                commands.push(words.collect());
            }
        }
    }
    commands
}

fn etude_trainer(arguments: &[String], folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_etude-trainer"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the trainer was just built");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "etude-trainer {}:\n{said}{complaint}", arguments.join(" "));
    said
}

#[test]
fn every_command_and_flag_exists() {
    let mut help = BTreeMap::new();
    for arguments in commands(README) {
        let command = &arguments[0];
        let help = help
            .entry(command.clone())
            .or_insert_with(|| etude_trainer(&[command.clone(), "--help".to_owned()], Path::new(".")));
        for flag in arguments.iter().filter(|word| word.starts_with("--")) {
            assert!(help.split_whitespace().any(|word| word == flag), "`{command}` knows no {flag}");
        }
    }
    assert!(["prepare", "train", "evaluate", "generate"].iter().all(|&name| help.contains_key(name)));
}

#[test]
fn a_newcomer_who_types_the_commands_gets_a_pianist_that_plays() {
    let folder = tempfile::tempdir().expect("a place to work");
    write_collection(&folder.path().join("my-midi"));
    let section = README.split_once(NEWCOMER).expect("the section is there").1;
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    for mut arguments in commands(section) {
        for (flag, value) in HASTE {
            if let Some(at) = arguments.iter().position(|word| word == flag) {
                arguments[at + 1] = value.to_owned();
            }
        }
        etude_trainer(&arguments, folder.path());
    }
    for made in ["mine.corpus", "mine.safetensors", "mine.md", "mine.csv", "mine.png", "clip.mid", "clip.png"]
    {
        assert!(folder.path().join(made).exists(), "the commands leave no {made}");
    }
    let width = |name| png_width(&folder.path().join(name));
    assert!(
        width("mine.png") != width("clip.png"),
        "the loss over time is still there beside the piano roll"
    );
}

fn png_width(path: &Path) -> u32 {
    let file = std::io::BufReader::new(fs::File::open(path).expect("a picture"));
    png::Decoder::new(file).read_info().expect("a PNG file").info().width
}

/// Six MIDI files that have nothing in common, 32 bars each.
fn write_collection(folder: &Path) {
    fs::create_dir(folder).expect("an empty folder to work in");
    for seed in 0..6 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let note = |i: u32| Note {
            onset: f64::from(i) / 2.0,
            duration: 0.5,
            key: Key::from_midi(random.random_range(40..90)).expect("on the keyboard"),
            velocity: Velocity::new(random.random_range(40..100)),
        };
        let clip = Clip {
            name: format!("Piece {seed}"),
            tempo: 100.0,
            time_signature: TimeSignature::default(),
            quarters: 128.0,
            performance: Performance { notes: (0..256).map(note).collect(), pedal: Vec::new() },
        };
        fs::write(folder.join(format!("{seed}.mid")), midi::write(&clip)).expect("a writable folder");
    }
}

//! The built program, as shells and scripts meet it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use etude_pianist::alphabet::Alphabet;
use etude_pianist::midi::{self, Clip};
use etude_pianist::model_file::Pianist;
use etude_pianist::note::{Key, Note, Performance, Velocity};
use etude_pianist::time::{Bar, TimeBase, TimeSignature};
use etude_trainer::corpus::{self, Draft, Packed, Split};

/// A scale up and down for `bars` bars.
fn music(bars: usize) -> Performance<f64> {
    let note = |i: usize| Note {
        onset: i as f64 / 2.0,
        duration: 0.5,
        key: Key::from_midi(60 + [0, 2, 4, 5, 7, 5, 4, 2][i % 8]).expect("on the keyboard"),
        velocity: Velocity::new(70),
    };
    Performance { notes: (0..8 * bars).map(note).collect(), pedal: Vec::new() }
}

fn write_corpus(folder: &Path) {
    let bars = [Bar::new(0.0, TimeSignature::default())];
    let draft = |name: &str, piece, split| Draft {
        name: name.to_owned(),
        split,
        piece,
        packed: Packed::new(&music(40), &bars, TimeBase::Beats).expect("short enough"),
    };
    let drafts = [draft("a.mid", 0, Split::Train), draft("b.mid", 1, Split::Valid)];
    corpus::write(&folder.join("tiny.corpus"), Alphabet::Notes, TimeBase::Beats, &drafts).expect("a corpus");
}

fn etude_trainer(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etude-trainer"));
    command.args(arguments.split_whitespace()).current_dir(folder);
    command
}

const TRAIN: &str =
    "train --corpus tiny.corpus --layers 1 --hidden 8 --minutes 0.03 --output tiny.safetensors";

/// Runs the program with both outputs going to readers that have left, and says whether it was content.
fn unread(folder: &Path, arguments: &str) -> bool {
    let mut command = etude_trainer(folder, arguments);
    let mut program =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it was just built");
    drop((program.stdout.take(), program.stderr.take()));
    program.wait().expect("it ends").success()
}

/// Waits until a file is there.
fn wait_for(file: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !file.exists() {
        assert!(Instant::now() < deadline, "{} does not appear", file.display());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_reader_who_leaves_ends_no_work() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let there = |name: &str| folder.path().join(name).exists();
    write_corpus(folder.path());
    assert!(unread(folder.path(), TRAIN));
    assert!(
        ["tiny.safetensors", "tiny.md", "tiny.csv", "tiny.png", "tiny.checkpoint"].into_iter().all(there)
    );
    let learned =
        Pianist::read_file(folder.path().join("tiny.safetensors")).expect("a pianist").card.training;
    assert!(learned.notes > 0);
    assert!(fs::read_to_string(folder.path().join("tiny.csv")).expect("a curve").lines().count() > 1);

    assert!(unread(folder.path(), "generate --model tiny.safetensors --bars 2 --count 2 --output clip.mid"));
    assert!(there("clip-1.mid") && there("clip-2.mid"));
    for form in ["", "--json"] {
        let evaluate = format!("evaluate --model tiny.safetensors --corpus tiny.corpus --compare 1 {form}");
        assert!(unread(folder.path(), &evaluate), "evaluate {form}");
    }
    let clip = Clip {
        quarters: 0.0,
        name: "a".to_owned(),
        tempo: 100.0,
        time_signature: TimeSignature::default(),
        performance: music(16),
    };
    fs::create_dir(folder.path().join("in")).expect("a writable folder");
    fs::write(folder.path().join("in/a.mid"), midi::write(&clip)).expect("a writable folder");
    let prepare = "prepare --input in --alphabet notes --time-base beats --output new.corpus";
    assert!(unread(folder.path(), prepare) && there("new.corpus"));
    assert!(unread(folder.path(), "card --model tiny.safetensors --licence mine"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_is_lost_on_a_full_disk_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_corpus(folder.path());
    assert!(unread(folder.path(), TRAIN));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let evaluate = "evaluate --model tiny.safetensors --corpus tiny.corpus --compare 0 --json";
    let ended = etude_trainer(folder.path(), evaluate).stdout(full).output().expect("it was just built");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && said.contains("report"), "{said}");
}

#[test]
fn a_command_that_lacks_something_says_what() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_corpus(folder.path());
    assert!(unread(folder.path(), TRAIN));
    fs::create_dir(folder.path().join("midi")).expect("a writable folder");
    for (arguments, advice) in [
        ("evaluate --model tiny.safetensors", "--data <DIR>...|--corpus <FILE>"),
        ("card --model tiny.safetensors", "--data <TEXT>|--licence <TEXT>"),
        ("train --corpus midi --output new.safetensors", "midi is a folder"),
        ("prepare --input nowhere --time-base beats --output new.corpus", "nowhere"),
    ] {
        let ended = etude_trainer(folder.path(), arguments).output().expect("it was just built");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && said.contains(advice), "{arguments}: {said}");
    }
}

#[test]
fn a_run_that_has_learned_for_all_its_time_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_corpus(folder.path());
    assert!(unread(folder.path(), TRAIN));
    let resumed = etude_trainer(folder.path(), TRAIN).arg("--resume").output().expect("it was just built");
    let said = String::from_utf8_lossy(&resumed.stdout).into_owned();
    assert!(resumed.status.success() && said.contains("--minutes") && !said.contains("Wrote"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_run_that_is_stopped_at_once_can_be_resumed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_corpus(folder.path());
    let mut command = etude_trainer(folder.path(), &TRAIN.replace("0.03", "60"));
    let mut program = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it was just built");
    wait_for(&folder.path().join("tiny.csv"));
    let stop = Command::new("kill").arg(program.id().to_string()).status().expect("every Unix has it");
    assert!(stop.success() && program.wait().expect("it ends").success());
    let resumed = etude_trainer(folder.path(), TRAIN).arg("--resume").output().expect("it was just built");
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
}

#[test]
fn clips_are_written_before_more_are_composed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_corpus(folder.path());
    assert!(unread(folder.path(), TRAIN));
    let generate = "generate --model tiny.safetensors --bars 64 --count 1000 --output clip.mid";
    let mut command = etude_trainer(folder.path(), generate);
    let mut program = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it was just built");
    wait_for(&folder.path().join("clip-1.mid"));
    let composing = program.try_wait().expect("it was started").is_none();
    program.kill().and_then(|()| program.wait()).expect("it was started");
    assert!(composing && !folder.path().join("clip-1000.mid").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_on_one_thread_takes_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_corpus(folder.path());
    let mut command = etude_trainer(folder.path(), &TRAIN.replace("0.03", "60"));
    command
        .args(["--threads", "1"])
        .env("RAYON_NUM_THREADS", "9")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut program = command.spawn().expect("it was just built");
    wait_for(&folder.path().join("tiny.csv"));
    thread::sleep(Duration::from_secs(1));
    let threads = fs::read_dir(format!("/proc/{}/task", program.id())).expect("it runs").count();
    program.kill().and_then(|()| program.wait()).expect("it was running");
    // The first one, which waits, the one that trains, and the one that listens for Ctrl-C.
    assert!(threads <= 3, "{threads} threads");
}

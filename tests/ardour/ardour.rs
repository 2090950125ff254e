//! Ardour without a window, with a home of its own.

use std::env;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// Major versions that have what session.lua needs.
const VERSIONS: [u32; 3] = [9, 8, 7];
/// Name of the session, and of its file.
const NAME: &str = "etude";
/// Samples in a second of the session.
pub const SAMPLE_RATE: f64 = 48_000.0;
/// Ticks in a quarter note of the session.
pub const TICKS: f64 = 1920.0;
/// How long a step may take, in seconds: more than what session.lua waits for.
const PATIENCE: &str = "600";

/// An Ardour that knows Etude, and a session's place.
pub struct Ardour {
    home: TempDir,
    version: u32,
}

impl Ardour {
    /// The newest one that is installed, if one is. It gets the VST3 that was built last.
    pub fn find() -> Option<Ardour> {
        let version = VERSIONS.into_iter().find(|version| libraries(*version).is_dir())?;
        let ardour = Ardour { home: tempfile::tempdir().unwrap(), version };
        ardour.install();
        Some(ardour)
    }

    /// Runs a step of session.lua, and gives what it prints.
    ///
    /// Ardour 7 crashes once in some fifty recordings that jump: its threads add to `DiskWriter::capture_info` at once. So
    /// what ends by such a signal runs a second time, on the session as it was.
    pub fn run(&self, step: &str, numbers: &[f64]) -> String {
        let (session, before) = (self.folder(), self.home.path().join("before"));
        if session.exists() {
            copy(&session, &before);
        }
        let mut output = self.try_to_run(step, numbers);
        if has_crashed(&output) && before.exists() {
            fs::remove_dir_all(&session).unwrap();
            copy(&before, &session);
            output = self.try_to_run(step, numbers);
        }
        let _ = fs::remove_dir_all(&before);
        check(step, &output);
        String::from_utf8(output.stdout).unwrap()
    }

    fn try_to_run(&self, step: &str, numbers: &[f64]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ardour/session.lua");
        let mut command = Command::new("timeout");
        command
            .arg(PATIENCE)
            .arg(format!("ardour{}-lua", self.version))
            .arg(script)
            .arg(step)
            .arg(self.folder());
        command.args(numbers.iter().map(f64::to_string)).env("HOME", self.home.path());
        command.output().unwrap()
    }

    /// The session's file.
    pub fn session(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Gives the session a loop, in quarter notes from its start, which its Lua can't.
    pub fn repeat(&self, range: &Range<f64>) {
        let [start, end] = [range.start, range.end].map(|place| (place * TICKS).round());
        let looped = format!(
            "<Location id=\"9001\" name=\"Loop\" start=\"b{start}\" end=\"b{end}\" flags=\"IsAutoLoop\" locked=\"0\" \
             lock-style=\"AudioTime\" timestamp=\"0\"/>"
        );
        let session = self.session();
        let changed = session.replace("<Locations/>", &format!("<Locations>{looped}</Locations>"));
        assert_ne!(session, changed, "the session has places already");
        fs::write(self.file(), changed).unwrap();
    }

    /// Lays a MIDI file on the only track of the session, as Ardour keeps one that was imported.
    pub fn lay(&self, file: &[u8]) {
        let clip = self.midi_files().join("clip.mid");
        fs::write(clip, file).unwrap();
        let region = format!(
            "<Region name=\"clip\" muted=\"0\" opaque=\"1\" locked=\"0\" whole-file=\"0\" start=\"b0\" length=\"b{TICKS}@b0\" \
             layering-index=\"0\" id=\"9002\" type=\"midi\" first-edit=\"nothing\" source-0=\"9001\" \
             master-source-0=\"9001\"/>"
        );
        let source = "<Source name=\"clip.mid\" type=\"midi\" flags=\"\" id=\"9001\"/>";
        let session = self.session();
        let (before, after) = session.split_once(" combine-ops=\"0\"/>").expect("the session has a playlist");
        let laid = format!("{before} combine-ops=\"0\">{region}</Playlist>{after}");
        fs::write(self.file(), laid.replace("<Sources/>", &format!("<Sources>{source}</Sources>"))).unwrap();
    }

    /// The MIDI files of the session, in the order in which they were recorded.
    pub fn recordings<const COUNT: usize>(&self) -> [PathBuf; COUNT] {
        let files = fs::read_dir(self.midi_files()).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|file| fs::metadata(file).unwrap().len() > 0).collect();
        files.sort();
        files.try_into().unwrap_or_else(|files| panic!("recorded {files:?}"))
    }

    fn midi_files(&self) -> PathBuf {
        self.folder().join("interchange").join(NAME).join("midifiles")
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join(NAME)
    }

    fn file(&self) -> PathBuf {
        self.folder().join(NAME).with_extension("ardour")
    }

    /// Puts the VST3 where Ardour looks, and lets Ardour look at it.
    fn install(&self) {
        let target = env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
        let built = target.join("bundled/Etude.vst3");
        assert!(built.exists(), "run `cargo xtask bundle etude` first (`cargo xtask test` does)");
        let bundle = self.home.path().join(".vst3/Etude.vst3");
        copy(&built, &bundle);
        let libraries = libraries(self.version);
        let mut scan = Command::new(libraries.join("ardour-vst3-scanner"));
        scan.arg("-f").arg(&bundle).env("HOME", self.home.path());
        let output =
            scan.env("LD_LIBRARY_PATH", &libraries).env("ARDOUR_DLL_PATH", &libraries).output().unwrap();
        check("the scan", &output);
    }
}

fn libraries(version: u32) -> PathBuf {
    PathBuf::from(format!("/usr/lib/ardour{version}"))
}

/// Copies a folder. Ardour scans a plugin anew that is not older than what it knows of it, in whole seconds.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copied = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &copied);
        } else {
            fs::copy(entry.path(), &copied).unwrap();
            let before = SystemTime::now() - Duration::from_secs(60);
            fs::File::options().write(true).open(&copied).unwrap().set_modified(before).unwrap();
        }
    }
}

#[cfg(unix)]
fn has_crashed(output: &Output) -> bool {
    const SIGSEGV: i32 = 11;
    std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(SIGSEGV)
}

/// Where Ardour does not run without a window.
#[cfg(not(unix))]
fn has_crashed(_: &Output) -> bool {
    false
}

fn check(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    let failed = said.lines().any(|line| line.starts_with("Error: "));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && !failed,
        "{what} ended with {}, printed {printed:?} and said:\n{said}",
        output.status
    );
}

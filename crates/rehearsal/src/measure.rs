//! How fast and how big the built plugin is.

use std::fs;
use std::time::{Duration, Instant};

use crate::bundle::Format;
use crate::plugin::{HostError, Message, Plugin, Setup};
use crate::script::{Script, Stretch};

/// Samples in a second.
const SAMPLE_RATE: f64 = 48_000.0;
/// Quarter notes per minute.
const TEMPO: f64 = 120.0;
/// Length of a new plugin's take, 8 bars, at that tempo, in seconds.
const TAKE: u64 = 16;
/// Length of the music that is played to time `process`, in seconds.
const MUSIC: u64 = 600;
/// Instances that are made after the first.
const INSTANCES: usize = 16;

/// What was measured: its name, and the number with its unit.
pub type Row = (String, String);

/// Measures everything. To be called first in a process, which has loaded nothing yet.
///
/// # Errors
/// If the plugin can't be loaded or can't play.
pub fn all(format: Format) -> Result<Vec<Row>, HostError> {
    let mut rows = Vec::new();
    let empty = resident_set();
    let (plugin, first) = born(format)?;
    rows.push(("Load the file, make the first instance".into(), milliseconds(first.made)));
    rows.extend(first.rows("first instance"));
    let one = resident_set();
    let (mut plugins, mut births) = (vec![plugin], Vec::new());
    for _ in 0..INSTANCES {
        let (plugin, birth) = born(format)?;
        plugins.push(plugin);
        births.push(birth);
    }
    let many = resident_set();
    let middle = |part: fn(&Birth) -> Duration| median(births.iter().map(part).collect());
    let birth = Birth {
        made: middle(|birth| birth.made),
        first_note: middle(|birth| birth.first_note),
        take: middle(|birth| birth.take),
    };
    rows.push(("Make a further instance, median".into(), milliseconds(birth.made)));
    rows.extend(birth.rows("further instance, median"));
    rows.push((
        "Memory of the first instance, with the plugin's code and weights".into(),
        growth(empty, one, 1),
    ));
    rows.push(("Memory of each further instance".into(), growth(one, many, INSTANCES)));
    plugins.truncate(1);
    for samples in [64, 1024] {
        rows.extend(process(&mut *plugins[0], samples)?);
    }
    rows.extend(deaths(format)?);
    Ok(rows)
}

/// How long an instance took until it had its take.
struct Birth {
    /// To make it.
    made: Duration,
    /// From before it was activated to its first note.
    first_note: Duration,
    /// From before it was activated to the end of its take.
    take: Duration,
}

impl Birth {
    fn rows(&self, whose: &str) -> [Row; 2] {
        [
            (format!("Activate to the first note, {whose}"), milliseconds(self.first_note)),
            (format!("Activate to a take of 8 bars, {whose}"), milliseconds(self.take)),
        ]
    }
}

/// Makes an instance and bounces its take: in a bounce the plugin waits for music that is not composed yet.
fn born(format: Format) -> Result<(Box<dyn Plugin>, Birth), HostError> {
    let started = Instant::now();
    let mut plugin = format.open()?;
    let made = started.elapsed();
    let block = 256;
    let blocks = roll(TAKE).blocks(&[block]);
    // A VST3 is told of a bounce one activation late.
    plugin.activate(&setup(block, true))?;
    plugin.deactivate();
    let started = Instant::now();
    plugin.activate(&setup(block, true))?;
    let activated = started.elapsed();
    let mut times = Vec::with_capacity(blocks.len());
    let events = plugin.play_timed(&blocks, &mut times)?;
    plugin.deactivate();
    let note = events.iter().find(|event| matches!(event.message, Message::On(..)));
    let note = note.ok_or_else(|| HostError::Misbehaved("composed no note".into()))?;
    let until = (note.sample / u64::from(block)) as usize;
    let first_note = activated + times.iter().take(until + 1).sum::<Duration>();
    let take = activated + times.iter().sum::<Duration>();
    Ok((plugin, Birth { made, first_note, take }))
}

/// Plays a finished take again and again in blocks of `samples`, as fast as possible.
fn process(plugin: &mut dyn Plugin, samples: u32) -> Result<[Row; 3], HostError> {
    let blocks = roll(MUSIC).blocks(&[samples]);
    let mut times = Vec::with_capacity(blocks.len());
    plugin.activate(&setup(samples, false))?;
    plugin.play_timed(&blocks, &mut times)?;
    plugin.deactivate();
    times.sort();
    let block = f64::from(samples) / SAMPLE_RATE;
    let row = |name: &str, time: Duration| {
        let (micros, share) = (1e6 * time.as_secs_f64(), 100.0 * time.as_secs_f64() / block);
        (
            format!("`process`, {samples} samples, {name}"),
            format!("{micros:.2} µs, {share:.3} % of the block"),
        )
    };
    let at = |rank: usize| times.get(rank).copied().unwrap_or_default();
    Ok([
        row("median", at(times.len() / 2)),
        row("9,999 of 10,000 within", at(times.len() - 1 - times.len() / 10_000)),
        row("worst", at(times.len() - 1)),
    ])
}

/// Destroys instances soon after they began to compose.
fn deaths(format: Format) -> Result<[Row; 2], HostError> {
    let mut times = Vec::new();
    for instance in 0..INSTANCES {
        let mut plugin = format.open()?;
        plugin.activate(&setup(480, false))?;
        plugin.play(&roll(1).blocks(&[480]))?;
        // Somewhere between the beginning and the middle of its take.
        std::thread::sleep(Duration::from_millis(5 * instance as u64));
        let started = Instant::now();
        drop(plugin);
        times.push(started.elapsed());
    }
    let worst = times.iter().max().copied().unwrap_or_default();
    Ok([
        ("Destroy an instance that composes, median".into(), milliseconds(median(times))),
        ("Destroy an instance that composes, worst".into(), milliseconds(worst)),
    ])
}

/// So many seconds from the project's start on.
fn roll(seconds: u64) -> Script {
    Script::new(SAMPLE_RATE, [Stretch::roll(seconds * SAMPLE_RATE as u64, TEMPO, 0.0)])
}

fn setup(longest_block: u32, offline: bool) -> Setup {
    Setup { sample_rate: SAMPLE_RATE, longest_block, offline }
}

/// The memory of this process that is in use, in bytes, if the system tells (Linux does).
fn resident_set() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kilobytes.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| 1024 * kilobytes)
}

/// How much memory each of the `instances` added.
fn growth(before: Option<u64>, after: Option<u64>, instances: usize) -> String {
    match (before, after) {
        (Some(before), Some(after)) => {
            format!("{:.2} MB", (after as f64 - before as f64) / instances as f64 / 1e6)
        }
        _ => "not known on this system".into(),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", 1e3 * time.as_secs_f64())
}

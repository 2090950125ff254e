//! Pianists that can't be read and devices that break: said, and survived.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use etude::params::{EtudeParams, Mode};
use etude::pianists;
use etude::session::View;
use etude_pianist::alphabet::Alphabet;
use etude_pianist::engine::{CpuEngine, Device, Engine, Precision};
use etude_pianist::model_file::Pianist;
use etude_pianist::time::TimeBase;
use nice_plug::prelude::Params;

use crate::common::random_pianist;
use crate::disguised::{Call, Disguised};
use crate::failing::failing;
use crate::instance::{Instance, turn};

fn tiny() -> Pianist {
    random_pianist(Alphabet::Notes, TimeBase::Beats, 0.1, 1)
}

/// Writes a pianist's file, and gives the name that it is chosen by.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> (PathBuf, String) {
    let path = folder.join(name).with_extension("safetensors");
    std::fs::write(&path, bytes).unwrap();
    (path, folder.join(name).to_str().unwrap().to_owned())
}

#[test]
fn a_bad_pianist_file_gives_a_message_and_the_one_in_use_plays_on() {
    let folder = tempfile::tempdir().unwrap();
    let whole = tiny().to_bytes().unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 0x80;
    let bad: [(&str, &[u8]); 4] = [
        ("empty", b""),
        ("text", b"not a pianist"),
        ("half", &whole[..whole.len() / 2]),
        ("damaged", &damaged),
    ];
    let instance = Instance::new();
    let session = &instance.params.session;
    let first = instance.takes(1);
    let refuses = |name: &str, file: &str| {
        session.choose_pianist(name);
        let says = |view: &View| view.error.as_ref().is_some_and(|error| error.contains(file));
        let view = instance.wait(says);
        assert_eq!((view.pianist.name.as_str(), view.history.len()), ("songbook", 1), "{:?}", view.error);
        assert_eq!(view.take.as_ref().map(|take| take.id()), first.take.as_ref().map(|take| take.id()));
    };
    for (name, bytes) in bad {
        let (_, chosen) = write(folder.path(), name, bytes);
        refuses(&chosen, &format!("{name}.safetensors"));
    }
    refuses(folder.path().join("missing").to_str().unwrap(), "missing.safetensors");

    session.generate();
    let view = instance.takes(2);
    assert_eq!((view.history[1].pianist.as_str(), &view.error), ("songbook", &None));
}

#[test]
fn a_message_stays_while_a_take_grows() {
    let params = Arc::new(EtudeParams::default());
    turn(&params.mode, Mode::Endless);
    let mut instance = Instance::with(params);
    let decided = |view: &View| view.take.as_ref().map_or(0.0, |take| take.decided());
    let first = decided(&instance.wait_in_any_case(|view| decided(view) > 28.0));
    instance.params.session.choose_pianist("missing");
    instance.wait_in_any_case(|view| view.error.is_some());
    instance.roll(20.0);
    let grown = instance.wait_in_any_case(|view| decided(view) > first + 8.0);
    assert!(grown.error.as_ref().is_some_and(|error| error.contains("missing.safetensors")));
}

#[test]
fn what_a_pianist_that_is_gone_could_not_compose_is_said_once_and_the_take_plays_on() {
    let instance = Instance::new();
    let first = instance.takes(1).take.clone().unwrap();
    let mut saved = instance.saved();
    let session = saved.get_mut("session").unwrap();
    *session = session.replacen("\"pianist\":\"songbook\"", "\"pianist\":\"missing\"", 1);
    let params = Arc::new(EtudeParams::default());
    params.deserialize_fields(&saved);
    let instance = Instance::with(params);
    let session = &instance.params.session;
    let in_another_manner = |velocity| {
        let played = |view: &View| view.take.as_ref().unwrap().played().clone();
        let before = played(&session.view());
        turn(&instance.params.velocity, velocity);
        instance.wait(move |view| played(view) != before)
    };
    in_another_manner(150.0);
    session.generate();
    let says = |words: &'static str| {
        move |view: &View| view.error.as_ref().is_some_and(|error| error.contains(words))
    };
    instance.wait(says("missing.safetensors"));

    let softer = in_another_manner(50.0);
    assert_eq!((softer.take.as_ref().unwrap().music(), softer.history.len()), (first.music(), 1));

    (0..8).for_each(|bar| session.lock_bar(bar, true));
    session.vary();
    instance.wait(says("all bars are locked"));
}

#[test]
fn a_device_that_fails_in_mid_take_is_named_and_the_take_loses_no_note() {
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = write(folder.path(), "tiny", &tiny().to_bytes().unwrap());
    let compose = |device: &Device| {
        let params = Arc::new(EtudeParams::default());
        turn(&params.seed, 7);
        // The tiny pianist takes its time: it strikes few keys in a bar.
        turn(&params.bars, 64);
        let instance = Instance::with(params);
        instance.takes(1);
        instance.params.session.choose_device(device.clone());
        instance.params.session.choose_pianist(&name);
        instance.takes(2)
    };
    let healthy = compose(&Device::Cpu);
    let music = |view: &View| view.take.as_ref().unwrap().music().clone();
    assert_eq!(healthy.warning, None);

    let fragile = Device::Gpu(Some("fragile".to_owned()));
    for calls in [0, 1, 20, 61] {
        let engine = || CpuEngine::new(tiny(), Precision::default());
        let fails: Arc<dyn Engine> = Arc::new(failing(engine(), engine(), calls).0);
        pianists::share(&path.as_path().into(), &fragile, &fails);
        let view = compose(&fragile);
        assert_eq!(
            view.warning.as_deref(),
            Some("GPU: it was unplugged; the processor went on"),
            "{calls} calls"
        );
        assert!(view.device.contains("CPU") && view.error.is_none(), "{}", view.device);
        assert_eq!(music(&view), music(&healthy), "{calls} calls");
    }
}

#[test]
fn who_leaves_waits_for_no_device_that_hangs_in_mid_take() {
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = write(folder.path(), "tiny", &tiny().to_bytes().unwrap());
    let (device, is_stuck) = (Device::Gpu(Some("stuck".to_owned())), Arc::new(AtomicBool::default()));
    let hanging = is_stuck.clone();
    let act = move |call, _| {
        if call == Call::Advance {
            hanging.store(true, SeqCst);
            thread::sleep(Duration::from_secs(5));
        }
        Ok(())
    };
    let engine = CpuEngine::new(tiny(), Precision::default());
    let hangs: Arc<dyn Engine> = Arc::new(Disguised::new("GPU", engine, None, act));
    pianists::share(&path.as_path().into(), &device, &hangs);
    let instance = Instance::new();
    instance.takes(1);
    instance.params.session.choose_device(device);
    instance.params.session.choose_pianist(&name);
    instance.wait_in_any_case(|_| is_stuck.load(SeqCst));
    let started = Instant::now();
    drop(instance);
    assert!(started.elapsed() < Duration::from_secs(2), "it left after {:?}", started.elapsed());
}

/// Run by the test after it, in a process of its own, whose drivers are found through a pipe that nothing comes out of.
#[test]
#[ignore = "needs a driver that hangs"]
fn a_driver_that_hangs_while_it_is_opened_keeps_nobody_waiting() {
    let on_graphics = || {
        let instance = Instance::new();
        instance.takes(1);
        instance.params.session.choose_device(Device::Gpu(None));
        instance.params.session.generate();
        instance
    };
    let (patient, leaving) = (on_graphics(), on_graphics());
    patient.params.session.find_adapters();
    // They compose on the processor, one meanwhile and the other in the end.
    Instance::new().takes(1);
    let started = Instant::now();
    drop(leaving);
    assert!(started.elapsed() < Duration::from_secs(2), "it left after {:?}", started.elapsed());
    let view = patient.takes(2);
    let warning = view.warning.as_deref().unwrap();
    assert_eq!(warning, "gpu: its driver doesn't answer; the processor composes instead");
    let adapters = patient.wait(|view| view.adapters.is_some()).adapters.clone().unwrap();
    assert_eq!(adapters.unwrap_err().reason, "its driver doesn't answer");
}

#[test]
#[cfg(target_os = "linux")]
fn composing_goes_on_when_a_driver_hangs_while_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let driver = folder.path().join("hangs.json");
    assert!(Command::new("mkfifo").arg(&driver).status().unwrap().success());
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--ignored", "a_driver_that_hangs_while_it_is_opened_keeps_nobody_waiting"]);
    alone.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver).stdout(Stdio::piped());
    let mut process = alone.spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("test result:") && output.read_line(&mut printed).unwrap() > 0 {}
    // The driver would not let it end.
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(printed.contains("1 passed"), "{printed}");
}

//! A graphics processor computes what the processor does, within its limits. What happens where one fails is tested in
//! `engine/gpu/faults.rs`.
//!
//! Any adapter will do, in software too: Mesa's is in Debian's package `mesa-vulkan-drivers`. Without one, the tests say
//! that they are skipped.
#![cfg(feature = "gpu")]

#[path = "common/sized.rs"]
mod sized;
#[path = "common/steps.rs"]
mod steps;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::composer::{Composer, Request, Take};
use etude_pianist::engine::{CpuEngine, Device, Engine, GpuEngine, Precision, adapters, step_time};
use etude_pianist::model_file::Pianist;
use sized::sized_pianist as pianist;
use steps::{assert_company_makes_no_difference, step};

/// `false`, and a word on the terminal, if this machine has no adapter.
fn there_is_an_adapter() -> bool {
    let found = !adapters().unwrap().is_empty();
    if !found {
        #[expect(clippy::explicit_write, reason = "the test harness swallows what `eprintln` says")]
        writeln!(io::stderr(), "SKIPPED: no driver for a graphics processor, not even in software").unwrap();
    }
    found
}

fn gpu(pianist: &Pianist) -> GpuEngine {
    GpuEngine::new(pianist.clone(), None, Precision::F32).unwrap()
}

/// Lets some of several streams hear dozens of steps on both devices, and compares all logits.
fn assert_close(pianist: &Pianist, streams: usize, steps: usize, tolerance: f32) {
    let (cpu, gpu) = (CpuEngine::new(pianist.clone(), Precision::F32), gpu(pianist));
    let (mut expected, mut got) = (cpu.batch(streams).unwrap(), gpu.batch(streams).unwrap());
    for t in 0..steps {
        let hearing: Vec<usize> =
            (0..streams).filter(|stream| (stream + t) % 4 != 0 || streams == 1).collect();
        let expected = step(pianist, &mut *expected, t, &hearing).concat();
        let got = step(pianist, &mut *got, t, &hearing).concat();
        for (got, expected) in got.iter().zip(&expected) {
            let error = (got - expected).abs();
            assert!(error < tolerance, "{}, step {t}: {got}, not {expected}", gpu.device());
        }
    }
}

#[test]
fn it_computes_what_the_processor_computes_whatever_the_shape() {
    if !there_is_an_adapter() {
        return;
    }
    for (layers, units, streams) in [(1, 1, 1), (2, 9, 5), (1, 64, 4), (3, 67, 13), (2, 130, 64)] {
        for alphabet in [Alphabet::Notes, Alphabet::Events] {
            assert_close(&pianist(alphabet, layers, units, 0.2), streams, 24, 0.01);
        }
    }
}

#[test]
fn it_plays_every_shipped_pianist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors")) {
        if there_is_an_adapter() {
            assert_close(&Pianist::read_file(&path).unwrap(), 5, 40, 0.05);
        }
    }
}

#[test]
fn a_stream_hears_the_same_whoever_shares_its_batch() {
    if !there_is_an_adapter() {
        return;
    }
    let pianist = pianist(Alphabet::Notes, 2, 33, 0.3);
    assert_company_makes_no_difference(&pianist, &gpu(&pianist));
}

#[test]
fn extreme_weights_give_numbers_and_weights_beyond_f16_are_refused() {
    if !there_is_an_adapter() {
        return;
    }
    let wild = pianist(Alphabet::Notes, 2, 20, 1000.0);
    let mut batch = gpu(&wild).batch(2).unwrap();
    for t in 0..8 {
        assert!(step(&wild, &mut *batch, t, &[0, 1]).concat().iter().all(|logit| logit.is_finite()));
    }
    let error = GpuEngine::new(pianist(Alphabet::Notes, 1, 4, 1e6), None, Precision::F32).err().unwrap();
    assert!(error.reason.contains("too large for f16"), "{error}");
}

#[test]
fn more_streams_than_fit_are_refused() {
    if !there_is_an_adapter() {
        return;
    }
    let engine = gpu(&pianist(Alphabet::Notes, 1, 8, 0.2));
    let error = engine.batch(65).err().unwrap();
    assert!(error.reason.contains("64 are the most"), "{error}");
    assert!(engine.batch(64).is_ok() && engine.batch(0).is_ok());
}

fn requests() -> Vec<Request> {
    (1..4).map(|seed| Request { seed, bars: 2, tempo: 15.0, ..Request::default() }).collect()
}

fn compose(engine: Arc<dyn Engine>) -> Vec<Take> {
    Composer::new(engine, &requests()).unwrap().finish()
}

#[test]
fn a_seed_gives_the_same_take_each_time_on_one_device() {
    if there_is_an_adapter() {
        let pianist = pianist(Alphabet::Notes, 2, 40, 0.2);
        assert_eq!(compose(Arc::new(gpu(&pianist))), compose(Arc::new(gpu(&pianist))));
    }
}

#[test]
fn engines_come_and_go() {
    if !there_is_an_adapter() {
        return;
    }
    let pianist = pianist(Alphabet::Notes, 1, 16, 0.2);
    for round in 0..24 {
        let engine = gpu(&pianist);
        let mut batch = engine.batch(3).unwrap();
        // A batch outlives its engine, and either may go unused.
        drop(engine);
        if round % 2 == 0 {
            step(&pianist, &mut *batch, round, &[0, 2]);
        }
    }
}

#[test]
fn adapters_are_asked_for_by_place_or_name() {
    let names = adapters().unwrap();
    let pianist = pianist(Alphabet::Notes, 1, 8, 0.2);
    let engine = |device: Device| device.engine(pianist.clone(), Precision::F32);
    for (place, name) in names.iter().enumerate() {
        assert!(engine(Device::Gpu(Some(place.to_string()))).unwrap().device().starts_with(name));
        assert!(engine(Device::Gpu(Some(name.to_uppercase()))).is_ok());
    }
    let error = engine(Device::Gpu(Some("Voodoo 2".to_owned()))).err().unwrap();
    assert_eq!(error.device, "gpu:Voodoo 2");
    assert!(names.iter().all(|name| error.reason.contains(name)), "{error}");
}

#[test]
fn auto_takes_a_device_that_plays_and_default_is_the_processor() {
    let pianist = pianist(Alphabet::Notes, 1, 8, 0.2);
    let engine = Device::Auto.engine(pianist.clone(), Precision::default()).unwrap();
    assert!(step_time(&*engine, 2).unwrap().as_nanos() > 0);
    let engine = Device::default().engine(pianist, Precision::default()).unwrap();
    assert!(engine.device().starts_with("CPU"));
}

/// Run by the test after it, in a process of its own.
#[test]
#[ignore = "looks for a machine without drivers"]
fn a_machine_without_drivers_has_no_adapter() {
    let pianist = pianist(Alphabet::Notes, 1, 8, 0.2);
    assert_eq!(adapters(), Ok(Vec::new()));
    let error = GpuEngine::new(pianist.clone(), None, Precision::F32).err().unwrap();
    assert!(error.to_string().starts_with("gpu: no driver"), "{error}");
    let engine = Device::Auto.engine(pianist, Precision::F32).unwrap();
    assert!(engine.device().starts_with("CPU"));
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_driver_there_is_an_error_and_no_panic() {
    let missing = "/nonexistent/driver.json";
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "a_machine_without_drivers_has_no_adapter"])
        .envs([("VK_DRIVER_FILES", missing), ("VK_ICD_FILENAMES", missing)])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

//! Devices that fail: whatever happens, the take goes on with every note that it has.
//!
//! These tests work from inside the engine, because no driver hangs or runs out of memory when it is asked to. They use
//! an adapter in software: a hung one of another kind would take the screen with it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use wgpu::{
    Adapter, Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor,
    ComputePipelineDescriptor, DeviceType, Limits, PipelineCompilationOptions, ShaderModuleDescriptor,
    ShaderSource,
};

use super::batch::MAX_STREAMS;
use super::connection::Connection;
use super::opening::{Opened, adapters, first};
use super::program::Program;
use super::{GpuEngine, Weights, adapter, limits};
use crate::alphabet::Alphabet;
use crate::card::Card;
use crate::composer::{Composer, Request, Take};
use crate::engine::{CpuEngine, DeviceError, Engine, Precision};
use crate::model_file::{MAX_LAYERS, MAX_UNITS, Pianist};
use crate::network::Layout;
use crate::time::TimeBase;

/// The adapter in software; if there is none, a word on the terminal.
fn software() -> Option<Adapter> {
    let found = adapter::find().into_iter().find(|adapter| adapter.get_info().device_type == DeviceType::Cpu);
    if found.is_none() {
        // The test harness swallows what `eprintln` says.
        writeln!(io::stderr(), "SKIPPED: no driver for a graphics processor in software").unwrap();
    }
    found
}

fn pianist() -> Pianist {
    let (layers, units) = (2, 24);
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let count = Layout::new(&Alphabet::Notes.blueprint(layers, units)).len();
    let parameters = (0..count).map(|_| random.next_u32() as f32 / u32::MAX as f32 * 0.4 - 0.2).collect();
    Pianist::new(Alphabet::Notes, TimeBase::Seconds, layers, units, parameters, Card::default())
}

fn open(adapter: &Adapter) -> Result<Opened, DeviceError> {
    Opened::new(adapter, limits(&pianist().blueprint))
}

fn engine(adapter: &Adapter) -> GpuEngine {
    let weights = Weights::upload(open(adapter).unwrap(), &pianist()).unwrap();
    let fallback = Arc::new(CpuEngine::new(pianist(), Precision::Int8));
    GpuEngine { weights: Arc::new(weights), fallback }
}

fn requests() -> Vec<Request> {
    (1..4).map(|seed| Request { seed, bars: 2, tempo: 15.0, ..Request::default() }).collect()
}

fn compose(engine: Arc<dyn Engine>) -> Vec<Take> {
    Composer::new(engine, &requests()).unwrap().finish()
}

/// Lets `engine` break as `fault` says in the midst of takes, which lose nothing by it; gives the reason that they name.
fn break_in_mid_take(engine: GpuEngine, fault: impl FnOnce(&Connection)) -> String {
    let engine = Arc::new(engine);
    let healthy = compose(engine.clone());
    let mut composer = Composer::new(engine.clone(), &requests()).unwrap();
    composer.advance(4.0);
    assert_eq!((composer.failure(), engine.failure()), (None, None));
    let decided = composer.decided();
    fault(&engine.weights.connection);
    composer.advance(f64::INFINITY);
    let failure = composer.failure().expect("the device failed").clone();
    assert!(engine.device().starts_with(&failure.device), "{failure}");
    assert!(composer.is_complete() && composer.device().starts_with("CPU"));
    for (take, healthy) in composer.finish().iter().zip(&healthy) {
        let begun = |take: &Take| -> Vec<_> {
            let notes = take.performance.notes.iter().filter(|note| note.onset < decided);
            notes.map(|note| (note.onset.to_bits(), note.key, note.velocity)).collect()
        };
        assert_eq!(begun(take), begun(healthy));
    }
    assert!(engine.batch(1).is_err(), "a device that failed stays failed");
    assert_eq!(engine.failure(), Some(failure.clone()));
    failure.reason
}

#[test]
fn where_an_adapter_cant_be_opened_or_takes_no_weights_the_next_one_is_tried() {
    let Some(adapter) = software() else { return };
    let mut tried = 0;
    let load = |adapter: &Adapter| {
        tried += 1;
        let beyond = Limits { max_bind_groups: u32::MAX, ..limits(&pianist().blueprint) };
        let opened = if tried == 1 { Opened::new(adapter, beyond) } else { open(adapter) }?;
        if tried == 2 {
            opened.connection.device.destroy();
        }
        Weights::upload(opened, &pianist())
    };
    assert!(first(vec![adapter.clone(), adapter.clone(), adapter], load).is_ok());
    assert_eq!(tried, 3);
}

#[test]
fn where_no_adapter_can_do_it_the_best_one_says_why() {
    let Some(adapter) = software() else { return };
    let mut reasons = vec!["of the other", "of the best"];
    let refuse = |_: &Adapter| -> Result<(), DeviceError> {
        Err(DeviceError { device: String::new(), reason: reasons.pop().unwrap().to_owned() })
    };
    assert_eq!(first(vec![adapter.clone(), adapter], refuse).unwrap_err().reason, "of the best");
}

#[test]
fn a_device_lost_in_mid_take_costs_no_note() {
    if let Some(adapter) = software() {
        let reason = break_in_mid_take(engine(&adapter), |connection| connection.device.destroy());
        assert!(reason.contains("lost"), "{reason}");
    }
}

#[test]
fn a_device_that_refuses_what_it_is_sent_costs_no_note() {
    if let Some(adapter) = software() {
        let reason = break_in_mid_take(engine(&adapter), |connection| {
            let beyond = connection.device.limits().max_buffer_size + 4;
            let usage = BufferUsages::STORAGE;
            let descriptor = BufferDescriptor { label: None, size: beyond, usage, mapped_at_creation: false };
            let _ = connection.device.create_buffer(&descriptor);
        });
        assert!(reason.starts_with("it refused its work (Buffer size"), "{reason}");
    }
}

#[test]
fn a_device_that_hangs_in_mid_take_costs_no_note_and_nobody_waits_for_it() {
    let Some(adapter) = software() else { return };
    let mut engine = engine(&adapter);
    Arc::get_mut(&mut engine.weights).unwrap().connection.patience = Duration::from_secs(1);
    let reason = break_in_mid_take(engine, hang);
    assert!(reason.contains("doesn't answer"), "{reason}");
}

/// Runs what takes the device much longer than anybody waits. One loop without an end would be cut short by drivers that
/// fear it.
fn hang(connection: &Connection) {
    const SLOW: &str = "
        @group(0) @binding(0) var<storage, read_write> end: atomic<u32>;
        @compute @workgroup_size(64)
        fn wait() {
            for (var i = 0u; i < 60000u; i++) {
                if atomicAdd(&end, 1u) == 0xffffffffu { break; }
            }
        }";
    let device = &connection.device;
    let source = ShaderSource::Wgsl(SLOW.into());
    let module = device.create_shader_module(ShaderModuleDescriptor { label: None, source });
    let pipeline = device.create_compute_pipeline(&ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: PipelineCompilationOptions::default(),
        cache: None,
    });
    let end = connection.room(1, BufferUsages::STORAGE).unwrap();
    let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
    let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &Program::bind(connection, &pipeline, &[(0, &end)]), &[]);
    let many = MAX_STREAMS as u32;
    pass.dispatch_workgroups(many, many, many);
    drop(pass);
    let answered = Arc::new(AtomicBool::new(false));
    let answer = answered.clone();
    encoder.on_submitted_work_done(move || answer.store(true, Ordering::Relaxed));
    let results = connection.room(1, BufferUsages::MAP_READ).unwrap();
    assert!(connection.run(encoder.finish(), &results, &mut [0.0]).is_err());
    assert!(!answered.load(Ordering::Relaxed), "it was waited for until the device was done");
}

/// Run by the test after it, in a process of its own, whose memory it limits.
#[test]
#[ignore = "leaves its process without memory"]
fn a_device_without_memory_refuses_takes_and_goes_on_with_others() {
    let Some(adapter) = software() else { return };
    let engine = Arc::new(engine(&adapter));
    let connection = &engine.weights.connection;
    let healthy = compose(engine.clone());
    let mut begun = Composer::new(engine.clone(), &requests()).unwrap();
    begun.advance(4.0);

    let all = exhaust(connection);
    let refused = Composer::new(engine.clone(), &requests()).unwrap();
    let failure = refused.failure().expect("there is no memory");
    assert!(failure.reason.contains("no memory left"), "{failure}");
    assert!(refused.device().starts_with("CPU"));
    assert_eq!(refused.finish(), compose(engine.fallback.clone()));
    let error = connection.upload(&[0; 1 << 16], BufferUsages::STORAGE).unwrap_err();
    assert!(error.reason.contains("no memory left"), "{error}");

    drop(all);
    begun.advance(f64::INFINITY);
    assert_eq!(begun.failure(), None);
    assert_eq!(begun.finish(), healthy);
    assert_eq!(compose(engine), healthy, "there is memory again");
}

/// Allots all memory that the device has, which is that of this process: 64 MiB more than it uses.
fn exhaust(connection: &Connection) -> Vec<Buffer> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let size =
        status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")).unwrap();
    let limit = format!("--as={}", (size.parse::<u64>().unwrap() << 10) + (64 << 20));
    let process = process::id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap().success());
    // For the processor to go on with.
    let reserve = vec![1u8; 4 << 20];
    let words = [1 << 16, 1 << 12, 1 << 8, 1 << 4];
    let room = |words| connection.room(words, BufferUsages::STORAGE).ok();
    let all = words.into_iter().flat_map(|words| std::iter::from_fn(move || room(words))).collect();
    drop(reserve);
    all
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_out_of_memory_costs_no_note() {
    run_alone("a_device_without_memory_refuses_takes_and_goes_on_with_others", &[]);
}

/// Run by the test after it, in a process of its own, whose drivers are found through a pipe that nothing comes out of.
#[test]
#[ignore = "needs a driver that hangs"]
fn a_driver_that_hangs_while_it_is_opened_is_given_up() {
    thread::scope(|scope| {
        let named = scope.spawn(|| GpuEngine::new(pianist(), Some("Voodoo"), Precision::Int8).err().unwrap());
        let auto = scope.spawn(|| GpuEngine::beside_cpu(pianist(), Precision::Int8).1.is_none());
        assert_eq!(adapters().unwrap_err().to_string(), "gpu: its driver doesn't answer");
        assert_eq!(named.join().unwrap().to_string(), "gpu:Voodoo: its driver doesn't answer");
        assert!(auto.join().unwrap());
    });
}

#[test]
#[cfg(target_os = "linux")]
fn nobody_waits_for_a_driver_that_hangs_while_it_is_opened() {
    let driver = env::temp_dir().join(format!("etude-{}-hangs.json", process::id()));
    assert!(Command::new("mkfifo").arg(&driver).status().unwrap().success());
    let test = "a_driver_that_hangs_while_it_is_opened_is_given_up";
    run_alone(test, &[("VK_DRIVER_FILES", driver.as_os_str()), ("VK_ICD_FILENAMES", driver.as_os_str())]);
    fs::remove_file(driver).unwrap();
}

/// Runs an ignored test in a process of its own.
#[cfg(target_os = "linux")]
fn run_alone(test: &str, variables: &[(&str, &OsStr)]) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", test]).envs(variables.iter().copied()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("test result:") && output.read_line(&mut printed).unwrap() > 0 {}
    // A driver that hangs would not let it end.
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(printed.contains("1 passed"), "{printed}");
}

#[test]
fn a_pianist_beyond_an_adapters_limits_is_refused() {
    let Some(adapter) = software() else { return };
    let largest = limits(&Alphabet::Notes.blueprint(MAX_LAYERS, MAX_UNITS));
    if largest.max_storage_buffer_binding_size <= adapter.limits().max_storage_buffer_binding_size {
        assert!(Connection::open(&adapter, largest).is_ok());
    } else {
        let error = Connection::open(&adapter, largest).err().unwrap();
        assert!(error.reason.contains("can't run this pianist"), "{error}");
    }
}

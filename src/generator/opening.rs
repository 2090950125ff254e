//! Getting what composes ready.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use etude_pianist::engine::{Device, DeviceError, Engine};

use crate::handover::GeneratorEnd;
use crate::pianists::{self, EngineError, Source};

/// How often who waits for a driver looks whether the end has come.
const LOOK_UP: Duration = Duration::from_millis(10);

/// The pianist on the device, ready for so many streams; or on the processor where that can't be had, and why.
pub(super) fn engine(
    pianist: &Source,
    device: &Device,
    streams: usize,
    end: &GeneratorEnd,
) -> Result<(Arc<dyn Engine>, Option<String>), EngineError> {
    let opened = match device {
        Device::Cpu => pianists::engine(pianist, device),
        _ => open(pianist, device, streams, end),
    };
    match opened {
        Err(EngineError::Device(error)) if !end.is_over() => {
            let warning = format!("{error}; the processor composes instead");
            Ok((pianists::engine(pianist, &Device::Cpu)?, Some(warning)))
        }
        opened => opened.map(|engine| (engine, None)),
    }
}

/// The pianist on a device whose driver may take its time: on a thread of its own, so that nobody waits for it at the end.
fn open(
    pianist: &Source,
    device: &Device,
    streams: usize,
    end: &GeneratorEnd,
) -> Result<Arc<dyn Engine>, EngineError> {
    end.be_driven();
    let (send, opened) = mpsc::channel();
    let (source, wanted) = (pianist.clone(), device.clone());
    thread::spawn(move || {
        let engine = pianists::engine(&source, &wanted);
        // Devices are timed here, where nobody waits for them.
        let _ = engine.as_ref().map(|engine| engine.fastest_for(streams));
        // At the end, nobody listens any more.
        let _ = send.send(engine);
    });
    let error =
        |reason: &str| Err(DeviceError { device: device.to_string(), reason: reason.to_owned() }.into());
    let engine = loop {
        match opened.recv_timeout(LOOK_UP) {
            Ok(engine) => break engine,
            Err(RecvTimeoutError::Timeout) if !end.is_over() => {}
            Err(RecvTimeoutError::Timeout) => break error("nobody needs it any more"),
            Err(RecvTimeoutError::Disconnected) => break error("its driver broke"),
        }
    };
    // Whoever woke this thread meanwhile woke it from waiting here, and has to be heeded still.
    thread::current().unpark();
    engine
}

//! Opening graphics drivers: some hang at it, and nobody waits for those for ever.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use wgpu::{Adapter, Limits};

use super::adapter;
use super::connection::Connection;
use super::program::Program;
use crate::engine::DeviceError;

/// Loading a driver and letting it compile takes a second or two; one that needs so much longer hangs. Shorter, and a busy
/// machine would be told of a fault; longer, and a musician would wait for nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A device that is ready for a network's weights.
pub(super) struct Opened {
    /// For a status line.
    pub(super) device: String,
    pub(super) connection: Connection,
    pub(super) program: Program,
}

impl Opened {
    /// Opens an adapter for what `limits` say, however long that takes.
    pub(super) fn new(adapter: &Adapter, limits: Limits) -> Result<Opened, DeviceError> {
        let connection = Connection::open(adapter, limits)?;
        let info = adapter.get_info();
        let device = format!("{} ({:?}, f16)", info.name, info.backend);
        Ok(Opened { device, program: Program::new(&connection)?, connection })
    }
}

/// What `load` makes of the first of `adapters` that can do it: one that can't must not keep the next from trying.
///
/// # Errors
/// If there is none, or none that can: what the first said.
pub(super) fn first<T>(
    adapters: Vec<Adapter>,
    mut load: impl FnMut(&Adapter) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    let mut refusal = None;
    for adapter in adapters {
        match load(&adapter) {
            Ok(loaded) => return Ok(loaded),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| adapter::missing("gpu", &[])))
}

/// The names of the graphics processors that can be asked for, the best first. This loads their drivers.
///
/// # Errors
/// If one of these doesn't answer.
pub fn adapters() -> Result<Vec<String>, DeviceError> {
    patiently("gpu", || adapter::find().iter().map(|adapter| adapter.get_info().name).collect())
}

/// Lets drivers do something on a thread of its own, which is left behind if they hang.
pub(super) fn patiently<T: Send + 'static>(
    device: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DeviceError> {
    let (send, done) = mpsc::channel();
    let error = |reason: String| DeviceError { device: device.to_owned(), reason };
    stay_loaded();
    let work = move || {
        // If it is too late, what was opened is closed again.
        let _ = send.send(work());
    };
    let spawned = thread::Builder::new().name("etude graphics".to_owned()).spawn(work);
    spawned.map_err(|cause| error(format!("there is no thread to open it on ({cause})")))?;
    done.recv_timeout(PATIENCE).map_err(|cause| match cause {
        RecvTimeoutError::Timeout => error("its driver doesn't answer".to_owned()),
        RecvTimeoutError::Disconnected => error("its driver broke".to_owned()),
    })
}

/// Keeps this code in memory for as long as the process lives: a thread that is left behind may still come back to it when
/// the plugin was unloaded. Other systems do not unload what threads were begun in.
fn stay_loaded() {
    #[cfg(windows)]
    {
        use std::ffi::c_void;
        use std::ptr;

        const PIN: u32 = 1;
        const OF_ADDRESS: u32 = 4;
        unsafe extern "system" {
            fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
        }
        let (address, mut module) = (stay_loaded as fn() as *const c_void, ptr::null_mut());
        // SAFETY: the address is one of this module, and there is room for a handle. If it fails, nothing changes.
        unsafe { GetModuleHandleExW(PIN | OF_ADDRESS, address, &mut module) };
    }
}

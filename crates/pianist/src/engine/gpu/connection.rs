//! An open GPU, and what went wrong with it.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use wgpu::{
    Adapter, Buffer, BufferDescriptor, BufferUsages, CommandBuffer, Device, DeviceDescriptor, ErrorFilter,
    Limits, MapMode, MemoryHints, PollError, PollType, Queue, SubmissionIndex,
};

use crate::engine::DeviceError;

/// A step takes milliseconds; a device that does not answer for so long hangs. Shorter, and a busy one would be given
/// up; longer, and a take would stand still.
const PATIENCE: Duration = Duration::from_secs(5);

/// A device that commands are sent to. Once it failed, it stays failed.
pub(super) struct Connection {
    name: String,
    pub(super) device: Device,
    pub(super) queue: Queue,
    /// How long it may take to answer.
    pub(super) patience: Duration,
    /// Held by who waits for an answer: some drivers let those who send more wait for ever behind what hangs.
    turn: Mutex<()>,
    /// What happened first.
    failure: Arc<Mutex<Option<String>>>,
}

impl Connection {
    /// Opens `adapter` for work within `limits`.
    pub(super) fn open(adapter: &Adapter, limits: Limits) -> Result<Connection, DeviceError> {
        let name = adapter.get_info().name;
        let descriptor = DeviceDescriptor {
            required_limits: limits,
            // A pianist takes some MiB; what games are given takes hundreds.
            memory_hints: MemoryHints::MemoryUsage,
            ..DeviceDescriptor::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| {
            DeviceError { device: name.clone(), reason: format!("it can't run this pianist: {error}") }
        })?;
        let failure = Arc::new(Mutex::new(None));
        // Without a handler of ours, wgpu panics.
        let first = failure.clone();
        device.on_uncaptured_error(Arc::new(move |error| {
            let error = error.to_string();
            // Before the last line there is only where in wgpu it happened.
            let cause = error.trim_end().lines().last().unwrap_or_default().trim();
            record(&first, format!("it refused its work ({cause})"));
        }));
        let first = failure.clone();
        device.set_device_lost_callback(move |_, message| record(&first, format!("it was lost ({message})")));
        Ok(Connection { name, device, queue, patience: PATIENCE, turn: Mutex::new(()), failure })
    }

    /// An error of this device.
    pub(super) fn error(&self, reason: impl Into<String>) -> DeviceError {
        DeviceError { device: self.name.clone(), reason: reason.into() }
    }

    /// Nothing, or the failure that happened since the device was opened.
    pub(super) fn check(&self) -> Result<(), DeviceError> {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(reason) => Err(self.error(reason)),
        }
    }

    /// Room for `words` 32-bit words, zeros at first.
    ///
    /// # Errors
    /// If there is no room for them; what was made before works as it did.
    pub(super) fn room(&self, words: usize, usage: BufferUsages) -> Result<Buffer, DeviceError> {
        let scope = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&BufferDescriptor {
            label: None,
            size: 4 * words.max(4) as u64,
            usage: usage | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        match pollster::block_on(scope.pop()) {
            None => self.check().map(|()| buffer),
            Some(_) => Err(self.error("it has no memory left")),
        }
    }

    /// A buffer of `words`.
    ///
    /// # Errors
    /// If there is no room for them.
    pub(super) fn upload(&self, words: &[u32], usage: BufferUsages) -> Result<Buffer, DeviceError> {
        let buffer = self.room(words.len(), usage)?;
        self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
        self.check().map(|()| buffer)
    }

    /// Waits until everything that was uploaded is there.
    ///
    /// # Errors
    /// If the device failed, or doesn't answer.
    pub(super) fn settle(&self) -> Result<(), DeviceError> {
        let _turn = self.turn()?;
        self.wait(self.queue.submit([]))
    }

    /// Runs `commands`, waits for them and copies the first values of `results` to `out`.
    ///
    /// # Errors
    /// If the device failed, or doesn't answer.
    pub(super) fn run(
        &self,
        commands: CommandBuffer,
        results: &Buffer,
        out: &mut [f32],
    ) -> Result<(), DeviceError> {
        let _turn = self.turn()?;
        let submission = self.queue.submit([commands]);
        self.check()?;
        let slice = results.slice(..4 * out.len() as u64);
        let (sender, mapped) = mpsc::channel();
        slice.map_async(MapMode::Read, move |result| {
            // Nobody listens any more if it comes too late.
            let _ = sender.send(result);
        });
        self.wait(submission)?;
        let view = match mapped.try_recv() {
            Ok(Ok(())) => slice.get_mapped_range().ok(),
            _ => None,
        };
        let Some(view) = view else {
            record(&self.failure, "its results can't be read".to_owned());
            return self.check();
        };
        out.copy_from_slice(bytemuck::cast_slice(&view));
        drop(view);
        results.unmap();
        self.check()
    }

    /// Waits until nobody else waits for the device.
    fn turn(&self) -> Result<MutexGuard<'_, ()>, DeviceError> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.check().map(|()| turn)
    }

    /// Waits for a submission, but not for ever.
    fn wait(&self, submission: SubmissionIndex) -> Result<(), DeviceError> {
        let wait = PollType::Wait { submission_index: Some(submission), timeout: Some(self.patience) };
        // wgpu panics if the device gets lost while it waits.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(wait))) {
            Ok(Ok(_)) => {}
            Ok(Err(PollError::Timeout)) => self.abandon("it doesn't answer any more"),
            // The device did not take the commands.
            Ok(Err(PollError::WrongSubmissionIndex(..))) => record(&self.failure, "it was lost".to_owned()),
            Err(_) => self.abandon("it was lost"),
        }
        self.check()
    }

    /// Gives the device up without ever waiting for it again: closing it would.
    fn abandon(&self, reason: &str) {
        record(&self.failure, reason.to_owned());
        mem::forget((self.device.clone(), self.queue.clone()));
    }
}

/// Keeps the first failure: those that follow come from it.
fn record(failure: &Mutex<Option<String>>, reason: String) {
    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
}

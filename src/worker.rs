//! The framework's worker thread, which all VST3 instances share.
//!
//! On Linux it tells the editor of every knob that the host turned. If it comes to a task of an instance that is gone, it
//! ends, and the last instance that goes panics because of that. So no instance may go before its tasks are done.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nice_plug::prelude::AsyncExecutor;

use crate::Etude;

/// How long to wait for tasks: long, because going too early ends the host, and because a busy machine may let the
/// worker wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait for a worker that was waited for in vain before: it may be a new one.
const DOUBT: Duration = Duration::from_millis(100);
/// How long to wait before the next try when the worker's queue is full.
const FULL: Duration = Duration::from_millis(1);
/// After a task, the worker holds the instance for a few instructions more.
const LETTING_GO: Duration = Duration::from_millis(8);

/// Something to do on the worker, or on the main thread.
pub struct Task(Box<dyn FnOnce() + Send>);

impl Task {
    pub(crate) fn new(work: impl FnOnce() + Send + 'static) -> Task {
        Task(Box::new(work))
    }

    /// Does it. To be called on its thread.
    pub(crate) fn run(self) {
        (self.0)();
    }
}

/// Waits until the worker has done all tasks that there are by now, but not for ever. To be called on the main thread.
pub(crate) fn finish(worker: &AsyncExecutor<Etude>) {
    static IN_VAIN: AtomicBool = AtomicBool::new(false);
    if cfg!(target_os = "linux") {
        wait(worker, &IN_VAIN);
    }
}

/// Waits for the worker; `in_vain` says whether the last wait was, so that one that has ended holds nobody up again.
fn wait(worker: &AsyncExecutor<Etude>, in_vain: &AtomicBool) {
    let patience = if in_vain.load(Relaxed) { DOUBT } else { PATIENCE };
    let deadline = Instant::now() + patience;
    let mut reached = is_reached(worker, deadline);
    while !reached && Instant::now() < deadline {
        thread::sleep(FULL);
        reached = is_reached(worker, deadline);
    }
    in_vain.store(!reached, Relaxed);
    thread::sleep(LETTING_GO);
}

/// Whether the turn of a new task came before the deadline; a full queue drops it at once.
fn is_reached(worker: &AsyncExecutor<Etude>, deadline: Instant) -> bool {
    let (reached, mark) = mpsc::channel();
    worker.execute_background(Task::new(move || {
        // If nobody waits any more, it is late, but no mistake.
        let _ = reached.send(());
    }));
    mark.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    fn executor(work: impl Fn(Task) + Send + Sync + 'static) -> AsyncExecutor<Etude> {
        AsyncExecutor::new(Arc::new(work), Arc::new(|_| unreachable!("the main thread has nothing to do")))
    }

    #[test]
    fn it_waits_until_the_worker_comes_to_its_task() {
        let done = Arc::new(AtomicUsize::new(0));
        let count = done.clone();
        let in_vain = AtomicBool::new(false);
        wait(
            &executor(move |task| {
                let count = count.clone();
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(50));
                    count.fetch_add(1, SeqCst);
                    task.run();
                });
            }),
            &in_vain,
        );
        assert_eq!(done.load(SeqCst), 1);
    }

    #[test]
    fn it_tries_again_as_long_as_the_workers_queue_is_full() {
        let tries = Arc::new(AtomicUsize::new(0));
        let count = tries.clone();
        let in_vain = AtomicBool::new(false);
        wait(
            &executor(move |task| {
                if count.fetch_add(1, SeqCst) == 20 {
                    task.run();
                }
            }),
            &in_vain,
        );
        assert_eq!(tries.load(SeqCst), 21);
    }

    #[test]
    fn it_does_not_wait_for_ever_and_only_once_for_a_worker_that_has_ended() {
        let in_vain = AtomicBool::new(false);
        let waits = || {
            let begun = Instant::now();
            wait(&executor(std::mem::forget), &in_vain);
            begun.elapsed()
        };
        assert!(waits() >= PATIENCE);
        assert!(waits() < PATIENCE / 2);
        wait(&executor(Task::run), &in_vain);
        assert!(!in_vain.load(Relaxed), "there is another one");
    }
}

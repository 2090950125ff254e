//! The framework's worker thread, which all VST3 instances share.
//!
//! On Linux it tells the editor of every knob that the host turned. If it comes to a task of an instance that is gone, it
//! ends, and the last instance that goes panics because of that. So no instance may go before its tasks are done.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nice_plug::prelude::AsyncExecutor;

use crate::Etude;

/// How long to wait for tasks.
const PATIENCE: Duration = Duration::from_millis(100);
/// After a task, the worker holds the instance for a few instructions more.
const LETTING_GO: Duration = Duration::from_millis(1);

/// A task that does nothing: it is dropped when its turn comes.
pub struct Mark {
    _dropped: mpsc::Sender<()>,
}

/// Waits until the worker has done all tasks that there are by now, but not for long. To be called on the main thread.
pub(crate) fn finish(worker: &AsyncExecutor<Etude>) {
    if cfg!(target_os = "linux") {
        let (dropped, mark) = mpsc::channel();
        worker.execute_background(Mark { _dropped: dropped });
        // Nothing is ever sent: it ends when the mark is dropped.
        let _ = mark.recv_timeout(PATIENCE);
        thread::sleep(LETTING_GO);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    use super::*;

    fn executor(work: impl Fn(Mark) + Send + Sync + 'static) -> AsyncExecutor<Etude> {
        AsyncExecutor::new(Arc::new(work), Arc::new(|_| unreachable!("the main thread has nothing to do")))
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn it_waits_until_the_worker_comes_to_the_mark() {
        let done = Arc::new(AtomicBool::new(false));
        let worker = executor({
            let done = done.clone();
            move |mark| {
                let done = done.clone();
                thread::spawn(move || {
                    thread::sleep(PATIENCE / 10);
                    done.store(true, SeqCst);
                    drop(mark);
                });
            }
        });
        finish(&worker);
        assert!(done.load(SeqCst));
    }

    #[test]
    fn it_does_not_wait_for_ever() {
        finish(&executor(std::mem::forget));
    }
}

//! The generator: one thread for each instance of the plugin. Orders in, takes out.
//!
//! It composes until a take is complete, or far enough ahead of the playhead, and sleeps otherwise. Music is handed
//! over as it grows, so that the first notes can be heard before the last ones are composed.

mod job;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use etude_pianist::composer::Request;

use crate::handover::{EditorEnd, GeneratorEnd, PlayerEnd, handover};
use crate::pianists::Source;
use crate::take::{Place, Take};
use job::Job;

/// A take to be composed.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who composes it.
    pub pianist: Source,
    /// Where the take lies. One that is endless has more bars than its request says: as many as can be.
    pub place: Place,
    /// What it shall be like, all in all. A primer is heard before its first bar.
    pub request: Request,
    /// A take whose first bars, so many, are kept; they are what the rest continues.
    pub after: Option<(Arc<Take>, u32)>,
}

/// A running generator; it ends when this is dropped.
pub struct Generator {
    editor: EditorEnd,
    thread: Option<JoinHandle<()>>,
}

impl Generator {
    /// Starts one, and gives the player's end of its hand-over.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub fn start() -> std::io::Result<(Generator, PlayerEnd)> {
        let (editor, generator, player) = handover();
        let work = move || work(generator);
        let thread = thread::Builder::new().name("etude generator".to_owned()).spawn(work)?;
        editor.introduce(thread.thread().clone());
        Ok((Generator { editor, thread: Some(thread) }, player))
    }

    /// Where to give orders.
    pub fn editor(&self) -> EditorEnd {
        self.editor.clone()
    }
}

impl Drop for Generator {
    /// Ends the thread, in the midst of a take too, and waits for it: the plugin's code may be unloaded next.
    fn drop(&mut self) {
        self.editor.dismiss();
        if let Some(thread) = self.thread.take() {
            // If it panicked, that was said already.
            let _ = thread.join();
        }
    }
}

fn work(mut end: GeneratorEnd) {
    let mut job: Option<Job> = None;
    while !end.is_over() {
        if let Some((number, order)) = end.newest_order() {
            match Job::new(number, order) {
                Ok(new) => job = Some(new),
                Err(error) => {
                    job = None;
                    end.refuse(number, error.to_string());
                }
            }
        }
        match &mut job {
            Some(job) if job.wants_step(end.playhead()) => job.step(&mut end),
            Some(job) => end.sleep_until(job.wake_at()),
            None => end.sleep_until(i64::MAX),
        }
    }
}

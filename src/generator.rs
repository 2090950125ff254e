//! The generator: one thread for each instance of the plugin. Orders in, takes out.
//!
//! It composes until a take is complete, or far enough ahead of the playhead, and sleeps otherwise. Music is handed
//! over as it grows, so that the first notes can be heard before the last ones are composed.

pub(crate) mod bars;
mod job;
mod opening;
mod work;

use std::ops::Range;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use etude_pianist::composer::Request;
use etude_pianist::engine::{Device, Engine};

use crate::bell::Bell;
use crate::handover::{EditorEnd, GeneratorEnd, PlayerEnd, handover};
use crate::pianists::Source;
use crate::take::{Place, Take};
use job::Job;

/// How long who leaves waits for a generator that may wait for a graphics driver itself. Less, and one that was about to end
/// would be left behind; more, and a project would be slow to close.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// How often who leaves looks whether the generator ended.
const LOOK_UP: Duration = Duration::from_millis(1);

/// A take to be composed, or to be played again.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who composes it.
    pub pianist: Source,
    /// What computes. Where there is no such device, the processor does, with a warning.
    pub device: Device,
    /// Where the take lies. One that is endless has more bars than its request says: as many as can be.
    pub place: Place,
    /// What it shall be like, all in all. A primer is heard before its first bar.
    pub request: Request,
    /// What is kept of another take. Only what is missing is composed.
    pub keep: Option<Kept>,
    /// How many takes to compose, the best of which is played; 1 to 16. More than one are played when all are complete,
    /// so that an endless take is composed alone.
    pub ideas: u32,
}

/// Bars of a take that are kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The take.
    pub take: Arc<Take>,
    /// Its bars, counted from 0, in order.
    pub bars: Vec<Range<u32>>,
}

/// What the generator's thread does beside composing: asked whenever the bell rings, music was handed over, or the time
/// that it asked for is over. Gives orders, and says when to be asked again.
pub type Attend = Box<dyn FnMut(&EditorEnd) -> Option<Duration> + Send>;

/// A running generator; it ends when this is dropped.
pub struct Generator {
    editor: EditorEnd,
    thread: Option<JoinHandle<()>>,
}

impl Generator {
    /// Starts one that is on its own, and gives the player's end of its hand-over.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub fn start() -> std::io::Result<(Generator, PlayerEnd)> {
        Generator::start_attended(Arc::default(), Box::new(|_| None))
    }

    /// Starts one that looks after something else, too.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub fn start_attended(bell: Arc<Bell>, attend: Attend) -> std::io::Result<(Generator, PlayerEnd)> {
        let (editor, generator, player) = handover();
        let attention =
            Attention { editor: editor.clone(), attend, due: Some(Instant::now()), bell, heard: 0 };
        let work = move || work(generator, attention);
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
    /// Ends the thread, in the midst of a take too, and waits for it: the plugin's code may be unloaded next. One that a
    /// driver holds is left behind: where drivers were opened, the code stays.
    fn drop(&mut self) {
        self.editor.dismiss();
        let Some(thread) = self.thread.take() else { return };
        let started = Instant::now();
        while self.editor.is_driven() && !thread.is_finished() {
            if started.elapsed() > LAST_WAIT {
                return;
            }
            thread::sleep(LOOK_UP);
        }
        // If it panicked, that was said already.
        let _ = thread.join();
    }
}

/// When to look after the rest.
struct Attention {
    editor: EditorEnd,
    attend: Attend,
    due: Option<Instant>,
    bell: Arc<Bell>,
    /// How many of its rings were heard.
    heard: u64,
}

impl Attention {
    fn pay(&mut self) {
        self.heard = self.bell.count();
        self.due = (self.attend)(&self.editor).map(|patience| Instant::now() + patience);
    }

    /// How many rings of the bell led to what they were for, unless one still waits for its time.
    fn heeded(&self) -> Option<u64> {
        self.due.is_none().then_some(self.heard)
    }

    fn is_due(&self) -> bool {
        self.bell.count() != self.heard || self.due.is_some_and(|due| due <= Instant::now())
    }
}

fn work(mut end: GeneratorEnd, mut attention: Attention) {
    let mut job: Option<Job> = None;
    // Kept, so that it need not be read again for the next order.
    let mut ready = None;
    attention.bell.introduce(thread::current());
    while !end.is_over() {
        if attention.is_due() {
            attention.pay();
        }
        let heeded = attention.heeded();
        if let Some(manner) = end.new_manner() {
            end.play_again(manner);
        }
        if let Some((number, order)) = end.newest_order() {
            job = begin(number, order, &mut ready, &mut end);
            attention.pay();
        }
        if let Some(rings) = heeded {
            end.heed(rings);
        }
        let handed_over = match &mut job {
            Some(job) if job.wants_step(end.playhead()) => job.step(&mut end),
            rest => {
                end.sleep_while(rest.as_ref().map_or(i64::MIN..i64::MAX, Job::rest), attention.due);
                true
            }
        };
        if handed_over {
            attention.pay();
        }
    }
}

fn begin(
    number: u64,
    order: Order,
    ready: &mut Option<Arc<dyn Engine>>,
    end: &mut GeneratorEnd,
) -> Option<Job> {
    let kept = order.keep.as_ref().map(|kept| kept.take.clone());
    match Job::new(number, order, ready, end) {
        Ok(job) => Some(job),
        Err(error) => {
            end.refuse(number, kept, error.to_string());
            None
        }
    }
}

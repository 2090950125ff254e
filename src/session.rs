//! What an instance is about beside its knobs: takes, locks, the pianist, and where the host is. Shared by the editor,
//! the generator's thread and the project's saved state.
//!
//! Commands return at once; the generator's thread obeys them. The audio thread only touches what is atomic.

mod conductor;
mod host;
mod listener;
mod orders;
mod saved;
mod state;

pub use conductor::attend;
pub use host::{DEFAULT_TEMPO, Host, News};
pub use saved::Saved;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use etude_pianist::composer::Knobs;
use etude_pianist::engine::{Device, DeviceError};
use nice_plug::params::persist::PersistentField;

use crate::bell::Bell;
use crate::ear::Ear;
use crate::handover::{EditorEnd, Status};
use crate::pianists::{self, Known};
use crate::take::Take;
use state::{Command, State};

/// Most takes to choose from.
pub const MAX_IDEAS: u32 = 16;

/// What an instance is about.
pub struct Session {
    /// Where the host is, as far as the plugin was told.
    pub host: Host,
    /// What is played into the plugin.
    pub ear: Ear,
    bell: Arc<Bell>,
    generator: OnceLock<EditorEnd>,
    state: Mutex<State>,
}

/// A take of the history.
#[derive(Debug, Clone)]
pub struct Entry {
    /// A number that no other entry of this session has.
    pub id: u64,
    /// The take, as far as it is composed.
    pub take: Arc<Take>,
    /// Who composed it.
    pub pianist: String,
    /// What it was asked to be like.
    pub knobs: Knobs,
    /// Whether the user wants to keep it.
    pub starred: bool,
}

/// All that an editor draws, but for what moves all the time.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The take that is played, as far as it is composed.
    pub take: Option<Arc<Take>>,
    /// The last takes, oldest first.
    pub history: Vec<Entry>,
    /// The bars that a variation keeps, counted from 0.
    pub locks: BTreeSet<u32>,
    /// The pianists that were found.
    pub pianists: Vec<Known>,
    /// The one in use.
    pub pianist: Known,
    /// What shall compute.
    pub wanted_device: Device,
    /// The graphics processors, or why they can't be told, once somebody [asked](Session::find_adapters) for them.
    pub adapters: Option<Result<Vec<String>, DeviceError>>,
    /// Whether there is more to come.
    pub composing: bool,
    /// Whether there is a take to go back to.
    pub can_undo: bool,
    /// What went wrong last.
    pub error: Option<String>,
    /// Why the device that was asked for does not compose, if another had to.
    pub warning: Option<String>,
    /// How fast the pianist composes, 0 until it is known.
    pub steps_per_second: f64,
    /// What it composes on.
    pub device: String,
}

impl Session {
    /// A session without takes, whose commands ring `bell`.
    pub fn new(bell: Arc<Bell>) -> Session {
        let mut state = State::default();
        state.pianist.0.name = pianists::EMBEDDED_NAME.to_owned();
        Session {
            host: Host::default(),
            ear: Ear::default(),
            bell,
            generator: OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    /// What there is to see.
    pub fn view(&self) -> Arc<View> {
        self.with(|state| {
            let status = self.status();
            let composing = status.composing;
            let (pace, device) = (status.pace.unwrap_or(0.0), status.device.clone());
            state.record(status);
            Arc::new(View {
                take: state.current().map(|entry| entry.take.clone()),
                history: state.history.clone(),
                locks: state.locks.clone(),
                pianists: state.pianists.iter().map(|(known, _)| known.clone()).collect(),
                pianist: state.pianist.0.clone(),
                composing,
                can_undo: !state.before.is_empty(),
                wanted_device: state.device.clone(),
                adapters: state.adapters.clone(),
                error: state.error.clone(),
                warning: state.warning.clone(),
                steps_per_second: pace,
                device,
            })
        })
    }

    /// Composes another take.
    pub fn generate(&self) {
        self.command(Command::Generate(1));
    }

    /// Composes some takes to choose from, at most [`MAX_IDEAS`], and plays the best.
    pub fn ideas(&self, count: u32) {
        self.command(Command::Generate(count.clamp(1, MAX_IDEAS)));
    }

    /// Remakes the bars that are not locked.
    pub fn vary(&self) {
        self.command(Command::Vary);
    }

    /// Continues the take by as many bars as the knob says.
    pub fn extend(&self) {
        self.command(Command::Extend);
    }

    /// Plays a take of the history.
    pub fn audition(&self, id: u64) {
        self.command(Command::Show(id));
    }

    /// Goes back to the take that was played before.
    pub fn undo(&self) {
        self.command(Command::Undo);
    }

    /// Keeps a take, or lets it go with the others. Says so if no more can be kept.
    pub fn star(&self, id: u64, starred: bool) {
        self.with(|state| state.star(id, starred));
    }

    /// Locks a bar, counted from 0, or unlocks it.
    pub fn lock_bar(&self, bar: u32, locked: bool) {
        self.with(|state| {
            state.error.take_if(|error| error == state::ALL_LOCKED);
            if locked {
                state.locks.insert(bar);
            } else {
                state.locks.remove(&bar);
            }
        });
    }

    /// Lets another pianist play, by its name; it begins with a take of its own.
    pub fn choose_pianist(&self, name: &str) {
        self.command(Command::Choose(name.to_owned()));
    }

    /// Looks for pianists that were added or taken away; [`View::pianists`] has them soon.
    pub fn find_pianists(&self) {
        self.with(|state| state.wants_pianists = true);
        self.bell.ring();
    }

    /// Composes on a device from the next take on. One that failed before is tried again.
    pub fn choose_device(&self, device: Device) {
        pianists::try_again();
        self.with(|state| state.device = device);
    }

    /// Finds out which graphics processors there are, which loads their drivers; [`View::adapters`] has them soon.
    pub fn find_adapters(&self) {
        self.with(|state| state.wants_adapters = !matches!(state.adapters, Some(Ok(_))));
        self.bell.ring();
    }

    /// Whether a saved project was put back whose take the generator has not seen yet.
    pub(crate) fn is_restoring(&self) -> bool {
        self.with(|state| state.current.is_some() && state.draft.is_none())
    }

    /// What wakes the generator.
    pub fn bell(&self) -> Arc<Bell> {
        self.bell.clone()
    }

    /// Wakes the generator. For the audio thread, too.
    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// How often the generator was woken. For the audio thread, too.
    pub(crate) fn rings(&self) -> u64 {
        self.bell.count()
    }

    fn command(&self, command: Command) {
        self.with(|state| state.commands.push(command));
        self.bell.ring();
    }

    /// What the generator is about. To be asked with the session's lock, so that nothing newer is recorded already.
    fn status(&self) -> Status {
        self.generator.get().map(EditorEnd::status).unwrap_or_default()
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a> PersistentField<'a, Saved> for Arc<Session> {
    /// Puts a saved session back, unless it makes no sense.
    fn set(&self, saved: Saved) {
        if let Some(restored) = saved.restore() {
            self.with(|state| state.restore(restored));
            self.bell.ring();
        }
    }

    fn map<F, R>(&self, look: F) -> R
    where
        F: Fn(&Saved) -> R,
    {
        look(&self.with(|state| {
            state.record(self.status());
            Saved::of(state)
        }))
    }
}

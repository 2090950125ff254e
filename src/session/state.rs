//! The session's own data, behind its lock.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use etude_pianist::composer::Knobs;
use etude_pianist::engine::{Device, DeviceError};

use super::{Entry, MAX_IDEAS};
use crate::handover::Status;
use crate::pianists::{Known, Source};
use crate::take::Take;

/// Most takes without a star that are kept.
const MOST_TAKES: usize = 32;
/// The highest seed that is taken unasked: with those of more ideas, still one that can be asked for.
const LAST_FRESH_SEED: u64 = 9_900;
/// Most takes at all.
pub(super) const MOST_ENTRIES: usize = 64;

/// Said of a variation that would change nothing.
pub(super) const ALL_LOCKED: &str = "all bars are locked: there is nothing to vary";

/// Most takes with a star: one place stays for what is composed next.
const MOST_STARRED: usize = MOST_ENTRIES - 1;

/// What the generator's thread shall do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// Compose so many takes.
    Generate(u32),
    Vary,
    Extend,
    /// Play this entry.
    Show(u64),
    Undo,
    /// Use this pianist.
    Choose(String),
    /// Play the entry that was current when the project was saved.
    Restored(Option<u64>),
}

/// What an order will become in the history.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// The order's number.
    pub(super) order: u64,
    /// The entry that it makes, once it did, or that it goes on with.
    pub(super) entry: Option<u64>,
    pub(super) pianist: String,
    pub(super) knobs: Knobs,
    /// The entry whose place it takes, unless that is starred by then: one of the same turn of knobs.
    pub(super) replaces: Option<u64>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) history: Vec<Entry>,
    pub(super) current: Option<u64>,
    /// Entries that were played before, for undo.
    pub(super) before: Vec<u64>,
    pub(super) locks: BTreeSet<u32>,
    pub(super) commands: Vec<Command>,
    pub(super) draft: Option<Draft>,
    /// The bar that takes were asked to begin with when one was last ordered.
    pub(super) placed: Option<u32>,
    pub(super) pianist: (Known, Source),
    pub(super) pianists: Vec<(Known, Source)>,
    /// Whether somebody asks which pianists there are by now.
    pub(super) wants_pianists: bool,
    pub(super) device: Device,
    /// Whether somebody asks for the graphics processors.
    pub(super) wants_adapters: bool,
    /// The graphics processors, once they are known, or why they are not.
    pub(super) adapters: Option<Result<Vec<String>, DeviceError>>,
    /// What went wrong, until something is ordered.
    pub(super) error: Option<String>,
    pub(super) warning: Option<String>,
    /// The last order whose answer was taken down.
    answered: Option<u64>,
    /// The take that was recorded last.
    recorded: Option<u64>,
    next_id: u64,
}

/// What a saved project puts back.
pub(super) struct Restored {
    pub(super) history: Vec<Entry>,
    pub(super) current: Option<u64>,
    pub(super) locks: BTreeSet<u32>,
    pub(super) pianist: (Known, Source),
    pub(super) device: Device,
}

impl State {
    pub(super) fn current(&self) -> Option<&Entry> {
        self.entry(self.current?)
    }

    pub(super) fn entry(&self, id: u64) -> Option<&Entry> {
        self.history.iter().find(|entry| entry.id == id)
    }

    /// Notes what was ordered.
    pub(super) fn expect(&mut self, draft: Draft) {
        (self.draft, self.error) = (Some(draft), None);
    }

    /// Makes an entry the current one.
    pub(super) fn show(&mut self, id: u64) {
        if let Some(before) = self.current.replace(id).filter(|before| *before != id) {
            self.before.push(before);
        }
    }

    /// Keeps an entry, or lets it go with the others.
    pub(super) fn star(&mut self, id: u64, starred: bool) {
        let others = self.history.iter().filter(|entry| entry.starred && entry.id != id).count();
        if starred && others >= MOST_STARRED {
            self.error = Some(format!("{MOST_STARRED} takes have a star, and there is no room for more"));
            return;
        }
        self.history.iter_mut().filter(|entry| entry.id == id).for_each(|entry| entry.starred = starred);
    }

    /// Whether the last order has neither music nor a refusal yet.
    pub(super) fn is_waiting(&self, status: &Status) -> bool {
        status.composing && self.draft.as_ref().is_some_and(|draft| draft.order != status.order)
    }

    /// The next command. Continue goes on from the music of the order before, so it waits for that; anything else that is
    /// commanded meanwhile makes both vain.
    pub(super) fn next_command(&mut self, status: &Status) -> Option<Command> {
        if self.is_waiting(status) {
            let other = self.commands.iter().position(|command| *command != Command::Extend)?;
            self.commands.drain(..other);
        }
        (!self.commands.is_empty()).then(|| self.commands.remove(0))
    }

    /// Takes down what the generator made.
    pub(super) fn record(&mut self, status: Status) {
        let Some(draft) = self.draft.clone().filter(|draft| draft.order == status.order) else { return };
        if self.answered.replace(status.order) != Some(status.order) && status.error.is_some() {
            self.error = status.error.clone();
        }
        let Some(take) = status.take.filter(|take| self.recorded != Some(take.id())) else { return };
        self.warning = status.warning;
        self.recorded = Some(take.id());
        // What was refused is no take: what is played is the one before, or what was kept of it.
        let refused = status.error.is_some().then_some(self.current).flatten();
        match draft.entry.or(refused) {
            Some(id) => self.history.iter_mut().filter(|entry| entry.id == id).for_each(|entry| {
                entry.take = take.clone();
            }),
            None if status.error.is_some() => {}
            None => {
                for other in status.others.iter().rev() {
                    self.add(other.clone(), &draft);
                }
                let id = self.add(take, &draft);
                self.show(id);
                self.history.retain(|entry| Some(entry.id) != draft.replaces || entry.starred);
                self.draft = Some(Draft { entry: Some(id), ..draft });
                self.forget();
            }
        }
    }

    /// A seed that no take of the history has, another one in each instance.
    pub(super) fn fresh_seed(&self) -> u64 {
        // The system's randomness, which the standard library hands out for its hash tables.
        let chance = || 1 + RandomState::new().build_hasher().finish() % LAST_FRESH_SEED;
        let ideas = |seed: u64| seed..seed + u64::from(MAX_IDEAS);
        let is_new =
            |seed: &u64| self.history.iter().all(|entry| !ideas(*seed).contains(&entry.take.music().seed));
        std::iter::repeat_with(chance).find(is_new).expect("a history is short")
    }

    fn add(&mut self, take: Arc<Take>, draft: &Draft) -> u64 {
        self.next_id += 1;
        let Draft { pianist, knobs, .. } = draft.clone();
        self.history.push(Entry { id: self.next_id, take, pianist, knobs, starred: false });
        self.next_id
    }

    /// Lets the oldest takes go.
    fn forget(&mut self) {
        let is_kept = |entry: &Entry, current| entry.starred || Some(entry.id) == current;
        loop {
            let free = self.history.iter().filter(|entry| !is_kept(entry, self.current)).count();
            if free <= MOST_TAKES && self.history.len() <= MOST_ENTRIES {
                break;
            }
            let oldest = self.history.iter().position(|entry| !is_kept(entry, self.current));
            self.history.remove(oldest.unwrap_or(0));
        }
        let history = &self.history;
        self.before.retain(|id| history.iter().any(|entry| entry.id == *id));
        // What was played in between is gone, so there is nothing to go back from.
        while self.before.last().is_some_and(|before| Some(*before) == self.current) {
            self.before.pop();
        }
    }

    /// Puts a saved session in the place of this one.
    pub(super) fn restore(&mut self, restored: Restored) {
        let Restored { history, current, locks, pianist, device } = restored;
        self.next_id = history.iter().map(|entry| entry.id).max().unwrap_or(0);
        (self.history, self.locks) = (history, locks);
        self.before.clear();
        self.commands.clear();
        (self.draft, self.current, self.error, self.warning) = (None, current, None, None);
        self.commands.push(Command::Restored(current));
        (self.pianist, self.device) = (pianist, device);
    }
}

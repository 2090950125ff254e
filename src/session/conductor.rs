//! When commands and turned knobs become orders: runs on the generator's thread.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use etude_pianist::engine;

use super::Session;
use super::listener::Listener;
use super::orders::Orders;
use super::state::Command;
use crate::generator::Attend;
use crate::handover::EditorEnd;
use crate::params::{EtudeParams, Settings};
use crate::pianists::{self, Source};

/// How long knobs may go on turning before the take follows.
const SETTLE: Duration = Duration::from_millis(60);
/// Knobs that turn again sooner than this after a take followed them go on with one turn, and its takes are one entry.
const TURN: Duration = Duration::from_secs(1);
/// How long the first take waits for a host to say its tempo.
const FIRST: Duration = Duration::from_millis(300);

/// Lets a generator serve the session and the knobs of `params`.
pub fn attend(params: Arc<EtudeParams>) -> Attend {
    let mut conductor = Conductor {
        params,
        begun: Instant::now(),
        asked: false,
        applied: None,
        turned: None,
        followed: None,
        listener: Listener::default(),
        // Its card is known from the start.
        read: Source::Embedded,
    };
    Box::new(move |editor| conductor.attend(editor))
}

struct Conductor {
    params: Arc<EtudeParams>,
    begun: Instant,
    /// Whether the first take is ordered, or was saved.
    asked: bool,
    /// What the knobs said when they were last heeded.
    applied: Option<Settings>,
    /// Since when they say something else.
    turned: Option<Instant>,
    /// When a take last followed them, if nothing was commanded since.
    followed: Option<Instant>,
    listener: Listener,
    /// The pianist whose card was read last.
    read: Source,
}

impl Conductor {
    fn attend(&mut self, editor: &EditorEnd) -> Option<Duration> {
        let session = self.params.session.clone();
        let mut settings = self.params.settings();
        self.listener.listen(&session.ear, self.params.listen.value());
        settings.knobs.pitch_classes = self.listener.chord();
        if session.generator.get().is_none() {
            let _ = session.generator.set(editor.clone());
            let found = pianists::found();
            session.with(|state| {
                // A project that was loaded brought its own.
                state.pianist = pianists::named(&state.pianist.0.name, &found);
                state.pianists = found;
            });
        }
        look_around(&session);
        session.with(|state| state.record(editor.status()));
        self.play_in_manner(&settings, editor);
        while let Some(command) = session.with(|state| state.next_command(&editor.status())) {
            (self.asked, self.followed) = (true, None);
            if matches!(command, Command::Restored(_)) {
                // The knobs were restored, too: nobody turned them.
                (self.applied, self.turned) = (None, None);
                session.with(|state| state.placed = Some(settings.start_bar));
            }
            if matches!(command, Command::Generate(_)) {
                // The new take heeds them.
                (self.applied, self.turned) = (Some(settings.clone()), None);
            }
            self.obey(&session, command, &settings, editor);
        }
        if !self.asked {
            let waited = self.begun.elapsed();
            if !session.host.is_known() && waited < FIRST {
                return Some(FIRST - waited);
            }
            self.asked = true;
            self.obey(&session, Command::Generate(1), &settings, editor);
        }
        self.read_card(&session);
        self.heed_knobs(&session, settings, editor)
    }

    /// Reads what is to be known of a pianist that came back with a project: that has only its name.
    fn read_card(&mut self, session: &Session) {
        let (known, source) = session.with(|state| state.pianist.clone());
        if self.read != source
            && known.licence.is_empty()
            && let Ok(known) = pianists::known(&source)
        {
            session.with(|state| {
                if state.pianist.1 == source {
                    state.pianist.0 = known;
                }
            });
        }
        self.read = source;
    }

    fn play_in_manner(&mut self, settings: &Settings, editor: &EditorEnd) {
        if self.applied.as_ref().is_none_or(|applied| applied.manner != settings.manner) {
            editor.set_manner(settings.manner);
        }
    }

    /// Composes anew from the next bar when knobs were turned; gives the time until it will.
    fn heed_knobs(&mut self, session: &Session, settings: Settings, editor: &EditorEnd) -> Option<Duration> {
        let Some(applied) = &mut self.applied else {
            self.applied = Some(settings);
            return None;
        };
        applied.manner = settings.manner;
        if self.params.hold.value() || *applied == settings {
            (self.applied, self.turned) = (Some(settings), None);
            return None;
        }
        let turned = *self.turned.get_or_insert_with(Instant::now);
        let since = turned.elapsed();
        // An order at work comes first: else it would be lost, and of knobs that never rest, nothing would be heard.
        let waits = since < SETTLE || session.with(|state| state.is_waiting(&editor.status()));
        if waits && !editor.is_hurried() {
            return Some(SETTLE.checked_sub(since).unwrap_or(SETTLE));
        }
        // Counted from when it was turned, not from when it could be followed.
        let goes_on = |before| turned.duration_since(before) < TURN;
        let same_turn = self.followed.replace(Instant::now()).is_some_and(goes_on);
        session.with(|state| {
            let made = state.draft.as_ref().and_then(|draft| draft.entry.or(draft.replaces));
            let mut orders = Orders { state, host: &session.host, settings: &settings, editor };
            orders.follow(applied);
            if let Some(draft) = orders.state.draft.as_mut().filter(|_| same_turn) {
                draft.replaces = made;
            }
        });
        (self.applied, self.turned) = (Some(settings), None);
        None
    }

    fn obey(&mut self, session: &Session, command: Command, settings: &Settings, editor: &EditorEnd) {
        if let Command::Choose(name) = &command {
            return choose(session, name, settings, editor);
        }
        session.with(|state| {
            let current = state.current().cloned();
            let mut orders = Orders { state, host: &session.host, settings, editor };
            match (command, current) {
                (Command::Restored(None), _) => orders.begin(),
                (Command::Generate(ideas), _) => {
                    let host = &session.host;
                    // Played while the host stands still, it begins on a bar.
                    let bar_line = |onset| if host.rolling() { host.bar_line_before(onset) } else { onset };
                    orders.generate(ideas, self.listener.primer(bar_line));
                }
                (Command::Vary, Some(entry)) => orders.vary(&entry),
                (Command::Extend, Some(entry)) => orders.extend(&entry),
                (Command::Show(id) | Command::Restored(Some(id)), _) => orders.show(id),
                (Command::Undo, _) => {
                    if let Some(before) = orders.state.before.pop() {
                        orders.state.current = Some(before);
                        orders.show(before);
                    }
                }
                (Command::Vary | Command::Extend, None) | (Command::Choose(_), _) => {}
            }
        });
    }
}

/// Finds what somebody asked for, without the session's lock: disks and drivers take their time. Drivers may hang, too, and
/// composing does not wait for them.
fn look_around(session: &Arc<Session>) {
    if session.with(|state| std::mem::take(&mut state.wants_pianists)) {
        let pianists = pianists::found();
        session.with(|state| state.pianists = pianists);
    }
    if session.with(|state| std::mem::take(&mut state.wants_adapters)) {
        let session = session.clone();
        thread::spawn(move || {
            let adapters = engine::adapters();
            session.with(|state| state.adapters = Some(adapters));
            session.ring();
        });
    }
}

/// Lets another pianist play, or says why it can't.
fn choose(session: &Session, name: &str, settings: &Settings, editor: &EditorEnd) {
    let (_, source) = session.with(|state| pianists::named(name, &state.pianists));
    // The whole file, so that a bad one does not take the place of the one in use; without the session's lock, so that the
    // editor goes on drawing.
    let known = pianists::read(&source).and_then(|_| pianists::known(&source));
    session.with(|state| match known {
        Ok(known) => Orders { state, host: &session.host, settings, editor }.choose((known, source)),
        Err(error) => state.error = Some(error.to_string()),
    });
}

//! From commands and turned knobs to orders: runs on the generator's thread.

use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use etude_pianist::composer::{MAX_QUARTERS, Request};
use etude_pianist::engine;

use super::listener::Listener;
use super::state::{ALL_LOCKED, Command, Draft, State};
use super::{Entry, Session};
use crate::generator::{Attend, Kept, Order};
use crate::handover::EditorEnd;
use crate::params::{EtudeParams, Mode, Settings};
use crate::pianists::{self, Source};
use crate::take::{Place, Take};
use crate::ticks;

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
            follow(state, session, &settings, applied, editor);
            if let Some(draft) = state.draft.as_mut().filter(|_| same_turn) {
                draft.replaces = made;
            }
        });
        (self.applied, self.turned) = (Some(settings), None);
        None
    }

    fn obey(&mut self, session: &Session, command: Command, settings: &Settings, editor: &EditorEnd) {
        let request = request(session, settings);
        if let Command::Choose(name) = &command {
            return choose(session, name, settings, request, editor);
        }
        session.with(|state| {
            let current = state.current().cloned();
            match (command, current) {
                (Command::Restored(None), _) => {
                    let request = Request { seed: next_seed(state, settings), ..request };
                    compose(state, session, settings, request, None, 1, editor);
                }
                (Command::Generate(ideas), _) => {
                    let bar = request.time_signature.quarters_per_bar();
                    let primer = self.listener.primer(bar, session.host.rolling());
                    let request = Request { seed: next_seed(state, settings), primer, ..request };
                    state.locks.clear();
                    compose(state, session, settings, request, None, ideas, editor);
                }
                (Command::Vary, Some(entry)) => {
                    let request = Request { seed: next_seed(state, settings), ..request };
                    vary(state, session, settings, request, &entry, editor);
                }
                (Command::Extend, Some(entry)) => {
                    let request = Request { seed: next_seed(state, settings), ..request };
                    extend(state, session, settings, request, &entry, editor);
                }
                (Command::Show(id) | Command::Restored(Some(id)), _) => show(state, id, settings, editor),
                (Command::Undo, _) => {
                    if let Some(before) = state.before.pop() {
                        state.current = Some(before);
                        show(state, before, settings, editor);
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

/// Lets another pianist play, from a take of its own on.
fn choose(session: &Session, name: &str, settings: &Settings, request: Request, editor: &EditorEnd) {
    let (_, source) = session.with(|state| pianists::named(name, &state.pianists));
    // The whole file, so that a bad one does not take the place of the one in use; without the session's lock, so that the
    // editor goes on drawing.
    let known = pianists::read(&source).and_then(|_| pianists::known(&source));
    session.with(|state| match known {
        Ok(known) => {
            state.pianist = (known, source);
            state.locks.clear();
            let request = Request { seed: next_seed(state, settings), ..request };
            compose(state, session, settings, request, None, 1, editor);
        }
        Err(error) => state.error = Some(error.to_string()),
    });
}

/// What the knobs and the host ask for.
fn request(session: &Session, settings: &Settings) -> Request {
    Request {
        seed: 0,
        bars: settings.bars,
        tempo: session.host.tempo(),
        time_signature: session.host.time_signature(),
        knobs: settings.knobs.clone(),
        primer: None,
    }
}

fn next_seed(state: &State, settings: &Settings) -> u64 {
    settings.seed.unwrap_or_else(|| state.fresh_seed())
}

/// How many bars of a take go on sounding as they are when knobs are turned. One that repeats is remade as a whole; the
/// change waits for a bar line by itself.
fn bars_until_now(take: &Take, session: &Session) -> u32 {
    let Place { anchor, mode } = take.place();
    if mode == crate::take::Mode::Loop {
        return 0;
    }
    let since = session.host.quarters() - ticks::quarters(anchor);
    let bars = since / take.music().time_signature.quarters_per_bar();
    let begun = if session.host.rolling() { bars.floor() + 1.0 } else { bars.ceil() };
    (begun.max(0.0) as u32).min(take.bars())
}

/// Remakes the current take from the next bar on as knobs say that said something else before.
fn follow(state: &mut State, session: &Session, settings: &Settings, before: &Settings, editor: &EditorEnd) {
    let Some(entry) = state.current().cloned() else {
        // The first one could not be composed.
        let request = Request { seed: next_seed(state, settings), ..request(session, settings) };
        return compose(state, session, settings, request, None, 1, editor);
    };
    let take = &entry.take;
    let taste = (&before.knobs, before.seed) != (&settings.knobs, settings.seed);
    let until_now = if taste { bars_until_now(take, session) } else { take.bars() };
    let heard = (until_now > 0).then_some(0..until_now);
    let bars = heard.into_iter().chain(locked(state, &entry, until_now..u32::MAX)).collect();
    let length = length(take).filter(|_| before.bars == settings.bars).unwrap_or(settings.bars);
    let seed = settings.seed.unwrap_or(take.music().seed);
    let request = Request { seed, bars: length, ..request(session, settings) };
    compose(state, session, settings, request, Some(Kept { take: take.clone(), bars }), 1, editor);
}

/// Adds bars at the end.
fn extend(
    state: &mut State,
    session: &Session,
    settings: &Settings,
    request: Request,
    entry: &Entry,
    editor: &EditorEnd,
) {
    let take = &entry.take;
    let composed = take.bars();
    let first = (composed > 0).then_some(0..composed);
    let bars = first.into_iter().chain(locked(state, entry, composed..u32::MAX)).collect();
    let most = (MAX_QUARTERS / take.music().time_signature.quarters_per_bar()) as u32;
    let longer = (length(take).unwrap_or(composed) + settings.bars).min(most);
    let keep = Kept { take: take.clone(), bars };
    compose(state, session, settings, Request { bars: longer, ..request }, Some(keep), 1, editor);
}

/// Remakes what is not locked. Without locks, the take is an answer to itself.
fn vary(
    state: &mut State,
    session: &Session,
    settings: &Settings,
    request: Request,
    entry: &Entry,
    editor: &EditorEnd,
) {
    let bars = length(&entry.take).unwrap_or(entry.take.bars()).max(1);
    let keep = Kept { take: entry.take.clone(), bars: locked(state, entry, 0..bars).collect() };
    if settings.mode == Mode::Loop && keep.bars.len() == bars as usize {
        state.error = Some(ALL_LOCKED.to_owned());
        return;
    }
    let primer = Some(entry.take.music().performance.clone());
    let request = Request { bars, primer, ..request };
    compose(state, session, settings, request, Some(keep), 1, editor);
}

/// How many bars a take that repeats has when it is whole.
fn length(take: &Take) -> Option<u32> {
    let music = take.music();
    let bars = (music.quarters / music.time_signature.quarters_per_bar()).round() as u32;
    (take.place().mode == crate::take::Mode::Loop).then_some(bars)
}

/// The locked ones among `bars` that the entry has, each by itself: what is composed, and what was kept for it.
fn locked(state: &State, entry: &Entry, bars: Range<u32>) -> impl Iterator<Item = Range<u32>> {
    let composed = entry.take.bars();
    let draft = state.draft.as_ref().filter(|draft| draft.entry == Some(entry.id));
    let kept = draft.map_or(&[][..], |draft| &draft.kept);
    let has = move |bar: u32| bar < composed || kept.iter().any(|run| run.contains(&bar));
    state.locks.range(bars).filter(move |bar| has(**bar)).map(|bar| *bar..bar + 1)
}

/// Orders a take that becomes an entry of its own.
fn compose(
    state: &mut State,
    session: &Session,
    settings: &Settings,
    mut request: Request,
    keep: Option<Kept>,
    ideas: u32,
    editor: &EditorEnd,
) {
    let start_turned = state.placed.replace(settings.start_bar) != Some(settings.start_bar);
    let mut anchor = session.host.bar_line(settings.start_bar);
    if let Some(kept) = &keep {
        // What is kept lies on bars of its own length, and stays where it is.
        request.time_signature = kept.take.music().time_signature;
        request.tempo = kept.take.music().tempo;
        if !start_turned {
            anchor = kept.take.place().anchor;
        }
    }
    if let Err(error) = request.check() {
        // Said before it is ordered, so that what is being composed is not lost for it.
        state.error = Some(error.to_string());
        return;
    }
    let kept = keep.as_ref().map_or_else(Vec::new, |keep| keep.bars.clone());
    // There is no choosing among takes that are never complete.
    let ideas = if settings.mode == Mode::Endless { 1 } else { ideas };
    let knobs = request.knobs.clone();
    let place = Place { anchor, mode: settings.mode.into() };
    let (known, pianist) = state.pianist.clone();
    let order = editor.order(Order { pianist, device: state.device.clone(), place, request, keep, ideas });
    state.draft = Some(Draft { order, entry: None, pianist: known.name, knobs, kept, replaces: None });
}

/// Orders an entry as it is; one without end goes on with what the knobs say now.
fn show(state: &mut State, id: u64, settings: &Settings, editor: &EditorEnd) {
    let Some(Entry { take, pianist, knobs, .. }) = state.entry(id).cloned() else { return };
    state.show(id);
    let music = take.music();
    let request = Request {
        seed: music.seed,
        // One without end gets as many as there can be.
        bars: length(&take).unwrap_or(1).max(1),
        tempo: music.tempo,
        time_signature: music.time_signature,
        knobs: settings.knobs.clone(),
        primer: None,
    };
    let whole = (take.bars() > 0).then_some(0..take.bars());
    let kept: Vec<Range<u32>> = whole.into_iter().collect();
    let keep = Some(Kept { take: take.clone(), bars: kept.clone() });
    let (_, source) = pianists::named(&pianist, &state.pianists);
    let order = editor.order(Order {
        pianist: source,
        device: state.device.clone(),
        place: take.place(),
        request,
        keep,
        ideas: 1,
    });
    state.draft = Some(Draft { order, entry: Some(id), pianist, knobs, kept, replaces: None });
}

//! What is ordered from the generator, and what becomes of it in the history.

use std::ops::Range;

use etude_pianist::composer::{MAX_QUARTERS, Request};
use etude_pianist::note::Performance;

use super::Entry;
use super::host::Host;
use super::state::{ALL_LOCKED, Draft, State};
use crate::generator::{Kept, Order};
use crate::handover::EditorEnd;
use crate::params::{Mode, Settings};
use crate::pianists::{self, Known, Source};
use crate::take::{Place, Take};
use crate::ticks;

/// Gives orders, as the knobs say and where the host is.
pub(super) struct Orders<'a> {
    pub(super) state: &'a mut State,
    pub(super) host: &'a Host,
    pub(super) settings: &'a Settings,
    pub(super) editor: &'a EditorEnd,
}

impl Orders<'_> {
    /// Composes a take.
    pub(super) fn begin(&mut self) {
        self.compose(self.request(), None, 1);
    }

    /// Composes some takes to choose from, or another one; what was played in comes before its first bar.
    pub(super) fn generate(&mut self, ideas: u32, primer: Option<Performance<f64>>) {
        self.state.locks.clear();
        self.compose(Request { primer, ..self.request() }, None, ideas);
    }

    /// Lets another pianist play, from a take of its own on.
    pub(super) fn choose(&mut self, pianist: (Known, Source)) {
        self.state.pianist = pianist;
        self.state.locks.clear();
        self.begin();
    }

    /// Remakes the current take from the next bar on as knobs say that said something else `before`.
    pub(super) fn follow(&mut self, before: &Settings) {
        let Some(entry) = self.state.current().cloned() else {
            // The first one could not be composed.
            return self.begin();
        };
        let (take, settings) = (&entry.take, self.settings);
        let taste = (&before.knobs, before.seed) != (&settings.knobs, settings.seed);
        let until_now = if taste { self.bars_until_now(take) } else { take.bars() };
        let bars = self.kept(&entry, until_now);
        let length = length(take).filter(|_| before.bars == settings.bars).unwrap_or(settings.bars);
        let seed = settings.seed.unwrap_or(take.music().seed);
        let request = Request { seed, bars: length, ..self.request() };
        self.compose(request, Some(Kept { take: take.clone(), bars }), 1);
    }

    /// Adds bars at the end.
    pub(super) fn extend(&mut self, entry: &Entry) {
        let take = &entry.take;
        let bars = self.kept(entry, take.bars());
        let most = (MAX_QUARTERS / take.music().time_signature.quarters_per_bar()) as u32;
        let longer = (length(take).unwrap_or(take.bars()) + self.settings.bars).min(most);
        let request = Request { bars: longer, ..self.request() };
        self.compose(request, Some(Kept { take: take.clone(), bars }), 1);
    }

    /// Remakes what is not locked. Without locks, the take is an answer to itself.
    pub(super) fn vary(&mut self, entry: &Entry) {
        let take = &entry.take;
        let bars = length(take).unwrap_or(take.bars()).max(1);
        let keep = Kept { take: take.clone(), bars: self.locked(entry, 0..bars).collect() };
        if self.settings.mode == Mode::Loop && keep.bars.len() == bars as usize {
            self.state.error = Some(ALL_LOCKED.to_owned());
            return;
        }
        let primer = Some(take.music().performance.clone());
        self.compose(Request { bars, primer, ..self.request() }, Some(keep), 1);
    }

    /// Plays an entry as it is; one without end goes on with what the knobs say now.
    pub(super) fn show(&mut self, id: u64) {
        let Some(Entry { take, pianist, knobs, .. }) = self.state.entry(id).cloned() else { return };
        self.state.show(id);
        let music = take.music();
        let request = Request {
            seed: music.seed,
            // One without end gets as many as there can be.
            bars: length(&take).unwrap_or(1).max(1),
            tempo: music.tempo,
            time_signature: music.time_signature,
            knobs: self.settings.knobs.clone(),
            primer: None,
        };
        let (_, source) = pianists::named(&pianist, &self.state.pianists);
        let (place, device) = (take.place(), self.state.device.clone());
        let keep = Some(Kept { bars: take.runs(), take });
        let order = self.editor.order(Order { pianist: source, device, place, request, keep, ideas: 1 });
        self.state.expect(Draft { order, entry: Some(id), pianist, knobs, replaces: None });
    }

    /// A request as the knobs and the host say.
    fn request(&self) -> Request {
        Request {
            seed: self.settings.seed.unwrap_or_else(|| self.state.fresh_seed()),
            bars: self.settings.bars,
            tempo: self.host.tempo(),
            time_signature: self.host.time_signature(),
            knobs: self.settings.knobs.clone(),
            primer: None,
        }
    }

    /// Orders a take that becomes an entry of its own.
    fn compose(&mut self, mut request: Request, keep: Option<Kept>, ideas: u32) {
        let Orders { state, host, settings, editor } = self;
        let start_turned = state.placed.replace(settings.start_bar) != Some(settings.start_bar);
        let mut anchor = host.bar_line(settings.start_bar);
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
        // There is no choosing among takes that are never complete.
        let ideas = if settings.mode == Mode::Endless { 1 } else { ideas };
        let knobs = request.knobs.clone();
        let place = Place { anchor, mode: settings.mode };
        let (known, pianist) = state.pianist.clone();
        let order =
            editor.order(Order { pianist, device: state.device.clone(), place, request, keep, ideas });
        state.expect(Draft { order, entry: None, pianist: known.name, knobs, replaces: None });
    }

    /// The first `bars` of an entry, and the locked ones after them.
    fn kept(&self, entry: &Entry, bars: u32) -> Vec<Range<u32>> {
        first(bars).chain(self.locked(entry, bars..u32::MAX)).collect()
    }

    /// The locked ones among `bars` that the entry has, each by itself.
    fn locked(&self, entry: &Entry, bars: Range<u32>) -> impl Iterator<Item = Range<u32>> {
        let runs = entry.take.runs();
        let has = move |bar: u32| runs.iter().any(|run| run.contains(&bar));
        self.state.locks.range(bars).filter(move |bar| has(**bar)).map(|bar| *bar..bar + 1)
    }

    /// How many bars of a take go on sounding as they are when knobs are turned. One that repeats is remade as a whole;
    /// the change waits for a bar line by itself.
    fn bars_until_now(&self, take: &Take) -> u32 {
        let Place { anchor, mode } = take.place();
        if mode == Mode::Loop {
            return 0;
        }
        let since = self.host.quarters() - ticks::quarters(anchor);
        let bars = since / take.music().time_signature.quarters_per_bar();
        let begun = if self.host.rolling() { bars.floor() + 1.0 } else { bars.ceil() };
        (begun.max(0.0) as u32).min(take.bars())
    }
}

/// The first `bars`, if there are any.
fn first(bars: u32) -> impl Iterator<Item = Range<u32>> {
    (bars > 0).then_some(0..bars).into_iter()
}

/// How many bars a take that repeats has when it is whole.
fn length(take: &Take) -> Option<u32> {
    let music = take.music();
    let bars = (music.quarters / music.time_signature.quarters_per_bar()).round() as u32;
    (take.place().mode == Mode::Loop).then_some(bars)
}

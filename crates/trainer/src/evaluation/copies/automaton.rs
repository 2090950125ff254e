//! A suffix automaton: which sequences occur in a text.

/// Knows every sequence of symbols that occurs in a text.
pub struct Automaton {
    states: Vec<State>,
    /// The state of the whole text.
    last: usize,
}

/// How much of the end of what was followed occurs in the text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    state: usize,
    /// That many symbols.
    pub length: usize,
}

/// A set of sequences that occur at the same places of the text. They are the ends of one another.
#[derive(Clone)]
struct State {
    /// Length of the longest of them.
    length: usize,
    /// The state of the longest end that also occurs elsewhere; the root's is itself.
    link: usize,
    /// How many symbols of the text there are up to the end of their first occurrence.
    end: usize,
    /// The state that each symbol leads to, sorted by symbol.
    next: Vec<(i8, usize)>,
}

/// The state of the empty sequence.
const ROOT: usize = 0;

impl Automaton {
    /// The automaton of the empty text.
    pub fn new() -> Automaton {
        Automaton { states: vec![State { length: 0, link: ROOT, end: 0, next: Vec::new() }], last: ROOT }
    }

    /// Adds a symbol to the end of the text, in constant time on average.
    pub fn push(&mut self, symbol: i8) {
        let end = self.states[self.last].length + 1;
        let mut before = self.last;
        self.last = self.add(State { length: end, link: ROOT, end, next: Vec::new() });
        let met = loop {
            if let Some(met) = self.next(before, symbol) {
                break met;
            }
            self.lead(before, symbol, self.last);
            if before == ROOT {
                return;
            }
            before = self.states[before].link;
        };
        let link = if self.states[met].length == self.states[before].length + 1 {
            met
        } else {
            self.split(before, symbol, met)
        };
        self.states[self.last].link = link;
    }

    /// Follows one more symbol of other music.
    pub fn follow(&self, place: &mut Place, symbol: i8) {
        loop {
            if let Some(state) = self.next(place.state, symbol) {
                *place = Place { state, length: place.length + 1 };
                return;
            }
            if place.state == ROOT {
                return;
            }
            let state = self.states[place.state].link;
            *place = Place { state, length: self.states[state].length };
        }
    }

    /// Where in the text the sequence at `place` first starts.
    pub fn start(&self, place: Place) -> usize {
        self.states[place.state].end - place.length
    }

    /// Parts the sequences of `met` that occur at more places from now on, those that end at `before` and `symbol`,
    /// from the longer ones that do not; returns their state.
    fn split(&mut self, mut before: usize, symbol: i8, met: usize) -> usize {
        let length = self.states[before].length + 1;
        let shorter = self.add(State { length, ..self.states[met].clone() });
        self.states[met].link = shorter;
        while self.next(before, symbol) == Some(met) {
            self.lead(before, symbol, shorter);
            before = self.states[before].link;
        }
        shorter
    }

    fn add(&mut self, state: State) -> usize {
        self.states.push(state);
        self.states.len() - 1
    }

    fn next(&self, state: usize, symbol: i8) -> Option<usize> {
        let next = &self.states[state].next;
        next.binary_search_by_key(&symbol, |entry| entry.0).ok().map(|found| next[found].1)
    }

    /// Lets `symbol` lead from one state to another.
    fn lead(&mut self, from: usize, symbol: i8, to: usize) {
        let next = &mut self.states[from].next;
        match next.binary_search_by_key(&symbol, |entry| entry.0) {
            Ok(found) => next[found].1 = to,
            Err(place) => next.insert(place, (symbol, to)),
        }
    }
}

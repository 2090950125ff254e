//! Chance: from the network's logits to a symbol.
//!
//! A softmax is split by [`Hand`] into kinds of symbols. A hand's own temperature changes the choice within its kind,
//! never how often that kind is chosen; the master temperature then bends the whole. Where a head has one kind only,
//! as in the `notes` alphabet, that is division by the product of both. After the temperature, `min_p` drops symbols
//! that are far less likely than the likeliest, and `top_p` keeps the likeliest few that together are likely enough.

use std::cmp::Reverse;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::kernel::{Kernel, LANES, Precision, exp, ln};
use crate::vectorised;

/// What a symbol decides. Each has a temperature of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// Which key (or the pedal, where it is a key's alternative).
    Pitch,
    /// When the next note comes.
    Time,
    /// How loud it is.
    Dynamics,
    /// When it ends.
    Length,
}

/// Temperatures: 1 follows the pianist's own probabilities, less is safer, more is wilder, 0 always takes the
/// likeliest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Temperatures {
    /// Bends every choice, on top of the hand's own temperature.
    pub master: f32,
    /// Of [`Hand::Pitch`].
    pub pitch: f32,
    /// Of [`Hand::Time`].
    pub time: f32,
    /// Of [`Hand::Dynamics`].
    pub dynamics: f32,
    /// Of [`Hand::Length`].
    pub length: f32,
}

impl Default for Temperatures {
    fn default() -> Temperatures {
        Temperatures { master: 1.0, pitch: 1.0, time: 1.0, dynamics: 1.0, length: 1.0 }
    }
}

impl Temperatures {
    fn of(&self, hand: Hand) -> f32 {
        match hand {
            Hand::Pitch => self.pitch,
            Hand::Time => self.time,
            Hand::Dynamics => self.dynamics,
            Hand::Length => self.length,
        }
    }
}

/// How freely to choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freedom {
    /// How much chance bends the probabilities.
    pub temperatures: Temperatures,
    /// The likeliest symbols that together have this probability are kept; 1 keeps all, 0 only the likeliest.
    pub top_p: f32,
    /// Symbols with less than this share of the likeliest one's probability are dropped; 0 drops none, 1 all but it.
    pub min_p: f32,
}

impl Default for Freedom {
    fn default() -> Freedom {
        Freedom { temperatures: Temperatures::default(), top_p: 1.0, min_p: 0.0 }
    }
}

/// Draws symbols: the same seed and the same logits give the same symbols.
pub struct Sampler {
    kernel: Kernel,
    random: Pcg64Mcg,
    /// Log-probabilities, then probabilities, of the head at work.
    weights: Vec<f32>,
    /// The symbols to choose from.
    kept: Vec<Ranked>,
}

/// A symbol and how likely it is, in one number: weights that are not negative rank as their bits do, and of equals the
/// lower symbol ranks higher. Such numbers are sorted several times as fast as symbols that are compared by their weights.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked(u64);

impl Ranked {
    fn new(symbol: u16, weight: f32) -> Ranked {
        Ranked(u64::from(weight.to_bits()) << 16 | u64::from(!symbol))
    }

    fn symbol(self) -> u16 {
        !(self.0 as u16)
    }

    fn weight(self) -> f32 {
        f32::from_bits((self.0 >> 16) as u32)
    }
}

impl Sampler {
    /// A sampler whose chance comes from `seed` alone.
    pub fn new(seed: u64) -> Sampler {
        Sampler {
            kernel: Kernel::best(Precision::F32),
            random: Pcg64Mcg::seed_from_u64(seed),
            weights: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Chooses one of the `allowed` symbols. `kinds` splits the symbols in runs: hand and number of symbols. Draws
    /// exactly one random number, whatever the arguments.
    ///
    /// # Panics
    /// If nothing is allowed, or the lengths differ.
    pub fn choose(
        &mut self,
        logits: &[f32],
        allowed: &[bool],
        kinds: &[(Hand, usize)],
        freedom: &Freedom,
    ) -> u16 {
        assert_eq!(logits.len(), allowed.len());
        assert_eq!(logits.len(), kinds.iter().map(|kind| kind.1).sum::<usize>());
        let chance = (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        self.weights.clear();
        self.weights.extend(logits.iter().zip(allowed).map(|(logit, allowed)| match allowed {
            true if logit.is_finite() => *logit,
            true => f32::MIN,
            false => f32::NEG_INFINITY,
        }));
        bend_kinds(self.kernel, &mut self.weights, kinds, &freedom.temperatures);
        divide(self.kernel, &mut self.weights, freedom.temperatures.master);
        exponentiate(self.kernel, &mut self.weights);
        self.gather(freedom);
        self.draw(chance)
    }

    /// Gathers the symbols that `freedom` keeps, at least the likeliest.
    fn gather(&mut self, freedom: &Freedom) {
        let Sampler { weights, kept, .. } = self;
        let least = highest(weights) * freedom.min_p.min(1.0);
        let likely = (0..).zip(&*weights).filter(|&(_, &weight)| weight > 0.0 && weight >= least);
        kept.clear();
        kept.extend(likely.map(|(symbol, &weight)| Ranked::new(symbol, weight)));
        assert!(!kept.is_empty(), "no symbol is allowed");

        if freedom.top_p < 1.0 {
            kept.sort_unstable_by_key(|&symbol| Reverse(symbol));
            let wanted = kept.iter().map(|symbol| symbol.weight()).sum::<f32>() * freedom.top_p;
            let mut sum = 0.0;
            let enough = kept.iter().position(|symbol| {
                sum += symbol.weight();
                sum >= wanted
            });
            kept.truncate(enough.map_or(kept.len(), |last| last + 1));
        }
    }

    /// The symbol where `chance` falls if all that are kept lie one after another, likeliest first.
    fn draw(&mut self, chance: f64) -> u16 {
        /// So few are ranked at once.
        const FEW: usize = 32;
        let weigh = |symbols: &[Ranked]| symbols.iter().map(|symbol| f64::from(symbol.weight())).sum::<f64>();
        let mut rest = &mut self.kept[..];
        let mut left = chance * weigh(rest);
        // To rank all would take longer than to part them again and again: into halves, one of which matters.
        while rest.len() > FEW {
            let middle = rest.len() / 2;
            rest.select_nth_unstable_by_key(middle, |&symbol| Reverse(symbol));
            let (likely, others) = rest.split_at_mut(middle);
            let weight = weigh(likely);
            if left < weight {
                rest = likely;
            } else {
                left -= weight;
                rest = others;
            }
        }
        rest.sort_unstable_by_key(|&symbol| Reverse(symbol));
        let chosen = rest.iter().find(|symbol| {
            left -= f64::from(symbol.weight());
            left < 0.0
        });
        chosen.unwrap_or(&rest[0]).symbol()
    }
}

/// Bends the distribution within each kind by its hand's temperature, and leaves the kind's share as it was.
fn bend_kinds(kernel: Kernel, logits: &mut [f32], kinds: &[(Hand, usize)], temperatures: &Temperatures) {
    let mut rest = logits;
    for &(hand, count) in kinds {
        let (kind, after) = rest.split_at_mut(count);
        rest = after;
        let temperature = temperatures.of(hand);
        if temperature == 1.0 {
            continue;
        }
        let share = log_sum_exp(kind);
        if share > f32::NEG_INFINITY {
            divide(kernel, kind, temperature);
            let change = share - log_sum_exp(kind);
            kind.iter_mut().for_each(|logit| *logit += change);
        }
    }
}

vectorised! {
/// Divides log-probabilities by a temperature, the highest first moved to 0.
fn divide(logits: &mut [f32], temperature: f32) {
    /// Below this, all but the likeliest vanish anyway. Not a number counts as this too.
    const COLDEST: f32 = 1e-6;
    let temperature = temperature.max(COLDEST);
    let highest = highest(logits);
    if highest > f32::NEG_INFINITY {
        logits.iter_mut().for_each(|logit| *logit = (*logit - highest) / temperature);
    }
}
}

vectorised! {
/// Turns log-probabilities, the highest of which is 0, into weights; what is not allowed weighs nothing.
fn exponentiate(logits: &mut [f32]) {
    logits.iter_mut().for_each(|logit| {
        let weight = exp(*logit);
        *logit = if *logit > -80.0 { weight } else { 0.0 };
    });
}
}

fn log_sum_exp(logits: &[f32]) -> f32 {
    let highest = highest(logits);
    if highest == f32::NEG_INFINITY {
        return highest;
    }
    highest + ln(logits.iter().map(|logit| exp(*logit - highest)).sum::<f32>())
}

/// The highest of numbers.
#[inline(always)]
fn highest(logits: &[f32]) -> f32 {
    let mut highest = [f32::NEG_INFINITY; LANES];
    for logits in logits.chunks(LANES) {
        for (highest, logit) in highest.iter_mut().zip(logits) {
            *highest = if *logit > *highest { *logit } else { *highest };
        }
    }
    highest.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

//! Chance: from the network's logits to a symbol.
//!
//! A softmax is split by [`Hand`] into kinds of symbols. A hand's own temperature changes the choice within its kind,
//! never how often that kind is chosen; the master temperature then bends the whole. Where a head has one kind only,
//! as in the `notes` alphabet, that is division by the product of both. After the temperature, `min_p` drops symbols
//! that are far less likely than the likeliest, and `top_p` keeps the likeliest few that together are likely enough.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::kernel::{exp, ln};

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
    random: Pcg64Mcg,
    /// Log-probabilities, then probabilities, of the head at work.
    weights: Vec<f32>,
    /// Symbols, likeliest first.
    ranked: Vec<u16>,
}

impl Sampler {
    /// A sampler whose chance comes from `seed` alone.
    pub fn new(seed: u64) -> Sampler {
        Sampler { random: Pcg64Mcg::seed_from_u64(seed), weights: Vec::new(), ranked: Vec::new() }
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
        bend_kinds(&mut self.weights, kinds, &freedom.temperatures);
        divide(&mut self.weights, freedom.temperatures.master);
        let total = exponentiate(&mut self.weights);
        assert!(total > 0.0, "no symbol is allowed");
        self.rank(freedom);
        self.draw(chance)
    }

    /// Ranks the symbols that `freedom` keeps, at least the likeliest; of equals the lower symbol comes first.
    fn rank(&mut self, freedom: &Freedom) {
        let Sampler { weights, ranked, .. } = self;
        ranked.clear();
        ranked.extend((0..weights.len() as u16).filter(|&symbol| weights[usize::from(symbol)] > 0.0));
        let weight = |symbol: u16| weights[usize::from(symbol)];
        ranked.sort_unstable_by(|&a, &b| weight(b).total_cmp(&weight(a)).then(a.cmp(&b)));
        let least = weight(ranked[0]) * freedom.min_p.min(1.0);
        let likely = ranked.partition_point(|&symbol| weight(symbol) >= least);
        ranked.truncate(likely.max(1));

        let wanted = ranked.iter().map(|&symbol| weight(symbol)).sum::<f32>() * freedom.top_p;
        if freedom.top_p < 1.0 {
            let mut sum = 0.0;
            let enough = ranked.iter().position(|&symbol| {
                sum += weight(symbol);
                sum >= wanted
            });
            ranked.truncate(enough.map_or(ranked.len(), |last| last + 1));
        }
    }

    fn draw(&self, chance: f64) -> u16 {
        let weight = |symbol: u16| f64::from(self.weights[usize::from(symbol)]);
        let mut left = chance * self.ranked.iter().map(|&symbol| weight(symbol)).sum::<f64>();
        let chosen = self.ranked.iter().find(|&&symbol| {
            left -= weight(symbol);
            left < 0.0
        });
        *chosen.unwrap_or(&self.ranked[0])
    }
}

/// Bends the distribution within each kind by its hand's temperature, and leaves the kind's share as it was.
fn bend_kinds(logits: &mut [f32], kinds: &[(Hand, usize)], temperatures: &Temperatures) {
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
            divide(kind, temperature);
            let change = share - log_sum_exp(kind);
            kind.iter_mut().for_each(|logit| *logit += change);
        }
    }
}

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

/// Turns log-probabilities, the highest of which is 0, into weights; what is not allowed weighs nothing. Returns the
/// sum.
fn exponentiate(logits: &mut [f32]) -> f32 {
    logits.iter_mut().for_each(|logit| *logit = if *logit > -80.0 { exp(*logit) } else { 0.0 });
    logits.iter().sum()
}

fn log_sum_exp(logits: &[f32]) -> f32 {
    let highest = highest(logits);
    if highest == f32::NEG_INFINITY {
        return highest;
    }
    highest + ln(logits.iter().map(|logit| exp(*logit - highest)).sum::<f32>())
}

fn highest(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

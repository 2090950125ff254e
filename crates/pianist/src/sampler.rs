//! Chance: from the network's logits to a symbol.
//!
//! A softmax is split by [`Attribute`] into kinds of symbols. An attribute's temperature changes the choice within its kind,
//! never how often that kind is chosen; the master temperature then bends the whole. Where a head has one kind only,
//! as in the `notes` alphabet, that is division by the product of both. After the temperature, `min_p` drops symbols
//! that are far less likely than the likeliest, and `top_p` keeps the likeliest few that together are likely enough.

use std::cmp::Reverse;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::kernel::{Kernel, LANES, Precision, exp, ln, load};
use crate::vectorised;

/// The side of the music that a symbol decides. Each has a temperature of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
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
    /// Bends every choice, on top of the attribute's own temperature.
    pub master: f32,
    /// Of [`Attribute::Pitch`].
    pub pitch: f32,
    /// Of [`Attribute::Time`].
    pub time: f32,
    /// Of [`Attribute::Dynamics`].
    pub dynamics: f32,
    /// Of [`Attribute::Length`].
    pub length: f32,
}

impl Temperatures {
    /// The pianist's own probabilities.
    pub const AS_LEARNED: Temperatures =
        Temperatures { master: 1.0, pitch: 1.0, time: 1.0, dynamics: 1.0, length: 1.0 };

    fn of(&self, attribute: Attribute) -> f32 {
        match attribute {
            Attribute::Pitch => self.pitch,
            Attribute::Time => self.time,
            Attribute::Dynamics => self.dynamics,
            Attribute::Length => self.length,
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

impl Freedom {
    /// What has less than a fiftieth of the likeliest symbol's probability hardly ever sounds right, and each is rare, but
    /// together they are enough for several wrong notes in a take.
    const MIN_P: f32 = 0.02;

    /// All that the pianist thinks possible, as often as it thinks.
    pub const AS_LEARNED: Freedom =
        Freedom { temperatures: Temperatures::AS_LEARNED, top_p: 1.0, min_p: 0.0 };
}

impl Default for Freedom {
    /// As learned, without what is least likely.
    fn default() -> Freedom {
        Freedom { min_p: Freedom::MIN_P, ..Freedom::AS_LEARNED }
    }
}

/// Draws symbols: the same seed and the same logits give the same symbols.
pub struct Sampler {
    kernel: Kernel,
    random: Pcg64Mcg,
    /// Log-probabilities, then probabilities, of the head at work.
    weights: Vec<f32>,
    /// The symbols, ranked, where only the likeliest are kept.
    ranked: Vec<Ranked>,
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
            ranked: Vec::new(),
        }
    }

    /// Chooses one of the `allowed` symbols. `kinds` splits the symbols in runs: attribute and number of symbols. Draws
    /// exactly one random number, whatever the arguments.
    ///
    /// # Panics
    /// If nothing is allowed, or the lengths differ.
    pub fn choose(
        &mut self,
        logits: &[f32],
        allowed: &[bool],
        kinds: &[(Attribute, usize)],
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
        cool(self.kernel, &mut self.weights, freedom.temperatures.master);
        exponentiate(self.kernel, &mut self.weights);
        assert!(highest(&self.weights) > 0.0, "no symbol is allowed");
        self.drop_unlikely(freedom);
        self.draw(chance)
    }

    /// Lets symbols that `freedom` drops weigh nothing. The likeliest is never dropped.
    fn drop_unlikely(&mut self, freedom: &Freedom) {
        let Sampler { weights, ranked, .. } = self;
        if freedom.min_p > 0.0 {
            let least = highest(weights) * freedom.min_p.min(1.0);
            weights.iter_mut().filter(|weight| **weight < least).for_each(|weight| *weight = 0.0);
        }
        if freedom.top_p < 1.0 {
            let likely = (0..).zip(&*weights).filter(|&(_, &weight)| weight > 0.0);
            ranked.clear();
            ranked.extend(likely.map(|(symbol, &weight)| Ranked::new(symbol, weight)));
            ranked.sort_unstable_by_key(|&symbol| Reverse(symbol));
            let wanted = ranked.iter().map(|symbol| symbol.weight()).sum::<f32>() * freedom.top_p;
            let mut sum = 0.0;
            let dropped = ranked.iter().skip_while(|symbol| {
                let before = sum;
                sum += symbol.weight();
                before < wanted || before == 0.0
            });
            dropped.for_each(|symbol| weights[usize::from(symbol.symbol())] = 0.0);
        }
    }

    /// The symbol where `chance` falls if all lie one after another, each as long as its weight.
    fn draw(&self, chance: f64) -> u16 {
        let mut left = chance * self.weights.chunks(LANES).map(weigh).sum::<f64>();
        // Sixteen at once are passed as long as it can be none of them.
        for (first, weights) in (0..).step_by(LANES).zip(self.weights.chunks(LANES)) {
            let weight = weigh(weights);
            if left >= weight {
                left -= weight;
                continue;
            }
            let chosen = weights.iter().position(|weight| {
                left -= f64::from(*weight);
                left < 0.0
            });
            if let Some(chosen) = chosen {
                return first + chosen as u16;
            }
        }
        // Rounding left a tiny bit beyond the last one.
        let highest = highest(&self.weights);
        self.weights.iter().position(|weight| *weight == highest).unwrap_or_default() as u16
    }
}

/// The sum of up to sixteen weights, in an order that the compiler can add several at once in.
fn weigh(weights: &[f32]) -> f64 {
    let mut lanes = load(weights, 0);
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    f64::from(lanes[0])
}

/// Bends the distribution within each kind by its attribute's temperature, and leaves the kind's share as it was.
fn bend_kinds(kernel: Kernel, logits: &mut [f32], kinds: &[(Attribute, usize)], temperatures: &Temperatures) {
    let mut rest = logits;
    for &(attribute, count) in kinds {
        let (kind, after) = rest.split_at_mut(count);
        rest = after;
        let temperature = temperatures.of(attribute);
        if temperature == 1.0 {
            continue;
        }
        let share = log_sum_exp(kind);
        if share > f32::NEG_INFINITY {
            cool(kernel, kind, temperature);
            let change = share - log_sum_exp(kind);
            kind.iter_mut().for_each(|logit| *logit += change);
        }
    }
}

/// Bends log-probabilities by a temperature, so that the highest is 0. Of equals, the coldest keeps the first only.
fn cool(kernel: Kernel, logits: &mut [f32], temperature: f32) {
    /// Below this, all but the likeliest vanish anyway, but for those that hardly differ from it. Not a number is below.
    const COLDEST: f32 = 1e-6;
    if temperature >= COLDEST {
        divide(kernel, logits, temperature);
    } else {
        keep_likeliest(logits);
    }
}

/// Makes the first of the highest log-probabilities certain.
fn keep_likeliest(logits: &mut [f32]) {
    let highest = highest(logits);
    if highest > f32::NEG_INFINITY {
        let likeliest = logits.iter().position(|logit| *logit == highest);
        logits.fill(f32::NEG_INFINITY);
        logits[likeliest.expect("the highest is one of them")] = 0.0;
    }
}

vectorised! {
/// Divides log-probabilities by a temperature, the highest first moved to 0.
fn divide(logits: &mut [f32], temperature: f32) {
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

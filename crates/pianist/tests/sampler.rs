//! Chance keeps to what is allowed, and to the temperatures.

use etude_pianist::sampler::{Attribute, Freedom, Sampler, Temperatures};
use proptest::prelude::*;

const ONE_KIND: [(Attribute, usize); 1] = [(Attribute::Pitch, 6)];
const TWO_KINDS: [(Attribute, usize); 2] = [(Attribute::Pitch, 4), (Attribute::Time, 2)];

/// How often each of six symbols is chosen, as shares.
fn shares(logits: [f32; 6], kinds: &[(Attribute, usize)], freedom: Freedom) -> [f64; 6] {
    const DRAWS: usize = 40_000;
    let mut sampler = Sampler::new(7);
    let mut counts = [0.0; 6];
    for _ in 0..DRAWS {
        counts[usize::from(sampler.choose(&logits, &[true; 6], kinds, &freedom))] += 1.0;
    }
    counts.map(|count| count / DRAWS as f64)
}

fn assert_near(shares: [f64; 6], expected: [f64; 6]) {
    for (share, expected) in shares.iter().zip(expected) {
        assert!((share - expected).abs() < 0.01, "{shares:?} instead of {expected:?}");
    }
}

/// Shares of which one is all.
fn certain(symbol: usize) -> [f64; 6] {
    std::array::from_fn(|i| f64::from(u8::from(i == symbol)))
}

fn logs(shares: [f32; 6]) -> [f32; 6] {
    shares.map(|share| share.ln() + 3.0)
}

const SHARES: [f32; 6] = [0.4, 0.2, 0.1, 0.1, 0.15, 0.05];

fn with(change: impl FnOnce(&mut Freedom)) -> Freedom {
    let mut freedom = Freedom::AS_LEARNED;
    change(&mut freedom);
    freedom
}

#[test]
fn at_temperature_1_symbols_come_as_often_as_the_pianist_says() {
    for kinds in [&ONE_KIND[..], &TWO_KINDS] {
        assert_near(shares(logs(SHARES), kinds, Freedom::AS_LEARNED), SHARES.map(f64::from));
    }
}

#[test]
fn a_temperature_raises_probabilities_to_its_inverse() {
    let squares = SHARES.map(|share| f64::from(share) * f64::from(share));
    let total: f64 = squares.iter().sum();
    let freedom = with(|freedom| freedom.temperatures.master = 0.5);
    assert_near(shares(logs(SHARES), &TWO_KINDS, freedom), squares.map(|square| square / total));
    let freedom = with(|freedom| freedom.temperatures.pitch = 0.5);
    assert_near(shares(logs(SHARES), &ONE_KIND, freedom), squares.map(|square| square / total));
}

#[test]
fn the_temperature_of_an_attribute_leaves_the_share_of_its_kind() {
    let freedom = with(|freedom| freedom.temperatures.pitch = 0.0);
    assert_near(shares(logs(SHARES), &TWO_KINDS, freedom), [0.8, 0.0, 0.0, 0.0, 0.15, 0.05]);
}

#[test]
fn at_temperature_0_equals_and_near_equals_are_not_left_to_chance() {
    let logits = [0.0, 1.0, 1.0 + f32::EPSILON, 1.0, 1.0 + f32::EPSILON, 0.5];
    let master = with(|freedom| freedom.temperatures.master = 0.0);
    assert_eq!(shares(logits, &TWO_KINDS, master), certain(2));
    assert_eq!(shares([1.0; 6], &ONE_KIND, master), certain(0));
    let pitch = with(|freedom| freedom.temperatures.pitch = 0.0);
    assert_eq!(shares(logits, &ONE_KIND, pitch), certain(2));
}

#[test]
fn a_choice_that_is_certain_draws_a_random_number_all_the_same() {
    let after = |temperature: f32| {
        let mut sampler = Sampler::new(9);
        let freedom = with(|freedom| freedom.temperatures.master = temperature);
        sampler.choose(&logs(SHARES), &[true; 6], &ONE_KIND, &freedom);
        [(); 8].map(|()| sampler.choose(&logs(SHARES), &[true; 6], &ONE_KIND, &Freedom::AS_LEARNED))
    };
    assert_eq!(after(0.0), after(1.0));
}

#[test]
fn each_of_many_symbols_comes_as_often_as_the_pianist_says() {
    const SYMBOLS: usize = 77;
    const DRAWS: usize = 200_000;
    let weight = |symbol: usize| (1 + symbol * 31 % SYMBOLS) as f64;
    let total: f64 = (0..SYMBOLS).map(weight).sum();
    let logits: Vec<f32> = (0..SYMBOLS).map(|symbol| weight(symbol).ln() as f32).collect();
    let mut sampler = Sampler::new(7);
    let mut counts = [0.0; SYMBOLS];
    for _ in 0..DRAWS {
        let kinds = [(Attribute::Pitch, SYMBOLS)];
        let chosen = sampler.choose(&logits, &[true; SYMBOLS], &kinds, &Freedom::AS_LEARNED);
        counts[usize::from(chosen)] += 1.0;
    }
    for (symbol, count) in counts.into_iter().enumerate() {
        let expected = weight(symbol) / total * DRAWS as f64;
        assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{symbol}: {count} instead of {expected}");
    }
}

#[test]
fn top_p_and_min_p_drop_the_unlikely() {
    let freedom = with(|freedom| freedom.top_p = 0.59);
    assert_near(shares(logs(SHARES), &ONE_KIND, freedom), [2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0, 0.0, 0.0]);
    let freedom = with(|freedom| freedom.min_p = 0.45);
    assert_near(shares(logs(SHARES), &ONE_KIND, freedom), [2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0, 0.0, 0.0]);
    for freedom in [with(|freedom| freedom.top_p = 0.0), with(|freedom| freedom.min_p = 1.0)] {
        assert_near(shares(logs(SHARES), &ONE_KIND, freedom), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn a_symbol_whose_logit_is_no_number_is_chosen_only_where_nothing_else_may_be() {
    for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for kinds in [&ONE_KIND[..], &TWO_KINDS] {
            let logits = [broken, 0.0, broken, broken, broken, broken];
            assert_eq!(shares(logits, kinds, Freedom::AS_LEARNED), certain(1));
        }
        let only = [false, false, true, false, false, false];
        assert_eq!(Sampler::new(7).choose(&[broken; 6], &only, &ONE_KIND, &Freedom::AS_LEARNED), 2);
    }
}

/// Logits of every sort, and at least one symbol that is allowed.
fn logits_and_mask() -> impl Strategy<Value = (Vec<f32>, Vec<bool>)> {
    let logit = prop_oneof![8 => -30.0..30.0f32, 1 => prop::num::f32::ANY];
    let mask =
        prop::collection::vec(any::<bool>(), 6).prop_filter("one is allowed", |mask| mask.contains(&true));
    (prop::collection::vec(logit, 6), mask)
}

/// Any numbers at all, not only sensible ones.
fn freedom() -> impl Strategy<Value = Freedom> {
    let number = || prop_oneof![0.0..2.0f32, prop::num::f32::ANY];
    (prop::array::uniform5(number()), number(), number()).prop_map(|(t, top_p, min_p)| Freedom {
        temperatures: Temperatures { master: t[0], pitch: t[1], time: t[2], dynamics: t[3], length: t[4] },
        top_p,
        min_p,
    })
}

proptest! {
    #[test]
    fn what_is_not_allowed_is_never_chosen((logits, mask) in logits_and_mask(), freedom in freedom(), seed: u64) {
        let mut sampler = Sampler::new(seed);
        for kinds in [&ONE_KIND[..], &TWO_KINDS] {
            for _ in 0..20 {
                prop_assert!(mask[usize::from(sampler.choose(&logits, &mask, kinds, &freedom))]);
            }
        }
    }

    #[test]
    fn at_temperature_0_the_likeliest_is_chosen(
        logits in Just((0..6).map(|i| i as f32 * 0.1).collect::<Vec<_>>()).prop_shuffle(),
        seed: u64,
    ) {
        let cold = with(|freedom| freedom.temperatures.master = 0.0);
        let chosen = Sampler::new(seed).choose(&logits, &[true; 6], &TWO_KINDS, &cold);
        prop_assert!(logits.iter().all(|logit| *logit <= logits[usize::from(chosen)]));
    }

    #[test]
    fn the_same_seed_draws_the_same((logits, mask) in logits_and_mask(), seed: u64) {
        let draw = || {
            let mut sampler = Sampler::new(seed);
            [(); 8].map(|()| sampler.choose(&logits, &mask, &TWO_KINDS, &Freedom::AS_LEARNED))
        };
        prop_assert_eq!(draw(), draw());
    }
}

//! Exponential, sigmoid and hyperbolic tangent, branch-free so that loops over them vectorise, and what an LSTM cell makes
//! of them; and the logarithm.
//!
//! Only single operations of IEEE 754, never fused: the same bits on every machine, unlike the standard library.

use std::f32::consts::LOG2_E;

/// Adding 1.5 x 2^23 leaves no bits for a fraction: it rounds to the nearest integer, to the even one of two, and leaves
/// that in the lowest bits.
pub(crate) const ROUNDER: f32 = 12_582_912.0;

/// The natural logarithm of 2 in two parts: multiples of the first are exact, the second is what it lacks.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// e to the power `x`, within 2 units in the last place; inputs beyond -87 and 88 count as those.
///
/// Cody-Waite reduction to |r| <= ln 2 / 2, then 1 + r + r^2 p(r) with the polynomial p, of degree 5, of Cephes' `expf`.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * LOG2_E + ROUNDER;
    let n = rounded - ROUNDER;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_66, 0.5] {
        p = p * r + coefficient;
    }
    // The lowest bits of `rounded` are n; shifted into the exponent they make 2^n.
    let power_of_two = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (p * r * r + r + 1.0) * power_of_two
}

/// The natural logarithm of a positive normal number, within 2 units in the last place.
///
/// The mantissa, brought to the range around 1 from the root of 1/2 on, goes through the polynomial of Cephes' `logf`.
pub fn ln(x: f32) -> f32 {
    const COEFFICIENTS: [f32; 9] = [
        7.037_683_6e-2,
        -0.115_146_1,
        0.116_769_984,
        -0.124_201_41,
        0.142_493_23,
        -0.166_680_57,
        0.200_007_15,
        -0.249_999_94,
        0.333_333_3,
    ];
    // x = 2^exponent * mantissa, the mantissa from 1/2 to 1.
    let mut exponent = (x.to_bits() >> 23) as i32 - 126;
    let mut mantissa = f32::from_bits((x.to_bits() & 0x007f_ffff) | 0.5f32.to_bits());
    if mantissa < std::f32::consts::FRAC_1_SQRT_2 {
        exponent -= 1;
        mantissa *= 2.0;
    }
    let (e, m) = (exponent as f32, mantissa - 1.0);
    let square = m * m;
    let p = COEFFICIENTS.into_iter().fold(0.0, |p, coefficient| p * m + coefficient);
    m + (p * m * square + e * LN2_LOW - 0.5 * square) + e * LN2_HIGH
}

/// The logistic function 1 / (1 + e^-x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

/// What an LSTM cell holds next, `sigmoid(f) cell + sigmoid(i) tanh(g)`, with one division: dividing takes longer than all
/// the rest.
#[inline(always)]
pub fn next_cell(cell: f32, i: f32, f: f32, g: f32) -> f32 {
    // sigmoid(x) = 1 / (1 + e^-x), tanh(x) = (1 - e^-2x) / (1 + e^-2x)
    let (i, f, g) = (quick_exp(-i), quick_exp(-f), quick_exp(-2.0 * g));
    let new = (1.0 + i) * (1.0 + g);
    (cell * new + (1.0 - g) * (1.0 + f)) / (new * (1.0 + f))
}

/// What an LSTM cell puts out, `sigmoid(o) tanh(cell)`, with one division.
#[inline(always)]
pub fn cell_output(o: f32, cell: f32) -> f32 {
    let (o, cell) = (quick_exp(-o), quick_exp(-2.0 * cell));
    (1.0 - cell) / ((1.0 + o) * (1.0 + cell))
}

/// e to the power `x`, within 4e-6 of it; inputs beyond -25 and 25 count as those, so that three such numbers can be
/// multiplied.
///
/// 2^(n + f) with the polynomial of degree 5 that is nearest to 2^f for |f| <= 1/2.
#[inline(always)]
fn quick_exp(x: f32) -> f32 {
    let x = x.clamp(-25.0, 25.0) * LOG2_E;
    let rounded = x + ROUNDER;
    let f = x - (rounded - ROUNDER);
    let mut p = 1.327_647_2e-3;
    for coefficient in [9.675_542e-3, 5.550_713e-2, 0.240_221_2, 0.693_146_94, 1.000_000_1] {
        p = p * f + coefficient;
    }
    // The lowest bits of `rounded` are n, which is added to the exponent.
    f32::from_bits((rounded.to_bits() << 23).wrapping_add(p.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_follow_the_standard_library() {
        for i in -4000..=4000 {
            let x = i as f32 / 200.0;
            let relative = (exp(x) - x.exp()).abs() / x.exp();
            assert!(relative < 3e-7, "exp({x}) is off by {relative}");
            assert!((tanh(x) - x.tanh()).abs() < 3e-7, "tanh({x})");
            assert!((sigmoid(x) - 1.0 / (1.0 + (-x).exp())).abs() < 3e-7, "sigmoid({x})");
        }
    }

    #[test]
    fn cells_follow_their_definition() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        for k in -3000..=3000 {
            let x = k as f32 / 100.0;
            let [i, f, g, o, cell] = [x, x * 0.7 - 1.0, -x * 0.3, 2.0 - x, x * 0.1].map(f64::from);
            let next = next_cell(cell as f32, i as f32, f as f32, g as f32);
            let expected = sigmoid(f) * cell + sigmoid(i) * g.tanh();
            assert!((f64::from(next) - expected).abs() < 1e-6, "{next} instead of {expected}");
            let output = cell_output(o as f32, cell as f32);
            let expected = sigmoid(o) * cell.tanh();
            assert!((f64::from(output) - expected).abs() < 1e-6, "{output} instead of {expected}");
        }
    }

    #[test]
    fn the_logarithm_follows_the_standard_library() {
        for i in 1..=4000 {
            for x in [i as f32 / 1000.0, i as f32 * 1e30, i as f32 * 1e-37] {
                assert!((ln(x) - x.ln()).abs() <= 3e-7 * x.ln().abs().max(1.0), "ln({x}) is off: {}", ln(x));
            }
        }
    }

    #[test]
    fn extreme_inputs_stay_finite() {
        for x in [f32::MIN, -1e4, 1e4, f32::MAX] {
            assert!(exp(x).is_finite() && sigmoid(x).is_finite() && tanh(x).is_finite());
            assert!(next_cell(1e4, x, x, x).is_finite() && cell_output(x, x).is_finite());
        }
    }
}

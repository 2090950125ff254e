//! How fast to learn, as a function of how much of the run is over.

/// Share of the run that warms up: too short and early steps overshoot, too long and time is lost.
const WARM_UP: f64 = 0.01;
/// The last learning rate, as a share of the peak.
const LAST: f64 = 0.005;

/// The share of the peak learning rate at `progress` (0 at the start of the run, 1 at its end): a linear warm-up, then
/// half a cosine (Loshchilov and Hutter, "SGDR", 2017).
pub fn learning_rate(progress: f64) -> f64 {
    let progress = progress.clamp(0.0, 1.0);
    if progress < WARM_UP {
        return (progress / WARM_UP).max(LAST);
    }
    let cosine = (std::f64::consts::PI * (progress - WARM_UP) / (1.0 - WARM_UP)).cos();
    LAST + (1.0 - LAST) * 0.5 * (1.0 + cosine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_to_almost_nothing() {
        assert!(learning_rate(0.0) < 0.01);
        assert!((learning_rate(WARM_UP) - 1.0).abs() < 1e-9);
        assert!((learning_rate(0.505) - 0.5).abs() < 0.01);
        assert!((learning_rate(1.0) - LAST).abs() < 1e-9);
        let after: Vec<f64> = (1..=100).map(|i| learning_rate(f64::from(i) / 100.0)).collect();
        assert!(after.is_sorted_by(|a, b| a >= b));
    }
}

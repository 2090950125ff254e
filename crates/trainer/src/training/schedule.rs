//! How fast to learn, and from what, as a function of how much of the run is over.

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

/// The share of passages that are heard as they were played at `progress`. Music that is transposed and stretched
/// teaches more, but people don't play it so; when the learning rate falls, most of it is heard as it is to be predicted.
pub fn faithfulness(progress: f64) -> f64 {
    /// From where to where in the run it rises, and how far.
    const RISE: (f64, f64) = (0.6, 0.8);
    const MOST: f64 = 0.75;
    MOST * ((progress - RISE.0) / (RISE.1 - RISE.0)).clamp(0.0, 1.0)
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

    #[test]
    fn all_music_is_changed_at_first_and_little_of_it_at_last() {
        assert_eq!((faithfulness(0.0), faithfulness(0.5)), (0.0, 0.0));
        assert!(faithfulness(0.7) > 0.3 && faithfulness(0.7) < 0.4);
        assert_eq!((faithfulness(0.9), faithfulness(1.0)), (0.75, 0.75));
    }
}

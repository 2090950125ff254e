//! The key of a piece, for its file's name.

use etude_pianist::note::{Note, Performance};

/// How stable each degree of a key is, from the tonic on, in major and in minor (Krumhansl and Kessler, 1982).
const MAJOR: [f64; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR: [f64; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
/// Names of the pitch classes, as they are usual for tonics.
const TONICS: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
/// Longer notes don't say more about the key, in quarter notes.
const LONG: f64 = 2.0;

/// The key that fits the notes best, such as `Eb minor`; `None` without notes.
pub fn key_of(performance: &Performance<f64>) -> Option<String> {
    if performance.notes.is_empty() {
        return None;
    }
    let mut heard = [0.0; 12];
    for Note { key, duration, .. } in &performance.notes {
        heard[key.pitch_class()] += duration.clamp(0.1, LONG);
    }
    let keys = (0..12).flat_map(|tonic| [(tonic, &MAJOR, "major"), (tonic, &MINOR, "minor")]);
    let fit = |tonic: usize, profile: &[f64; 12]| {
        let turned: Vec<f64> = (0..12).map(|class| profile[(class + 12 - tonic) % 12]).collect();
        correlation(&heard, &turned)
    };
    let (tonic, _, mode) = keys.max_by(|a, b| fit(a.0, a.1).total_cmp(&fit(b.0, b.1)))?;
    Some(format!("{} {mode}", TONICS[tonic]))
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let pairs = || a.iter().zip(b).map(|(a, b)| (a - mean_a, b - mean_b));
    let product: f64 = pairs().map(|(a, b)| a * b).sum();
    let (square_a, square_b) = pairs().fold((0.0, 0.0), |(sa, sb), (a, b)| (sa + a * a, sb + b * b));
    product / (square_a * square_b).sqrt().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use etude_pianist::note::{Key, Velocity};

    fn piece(keys: &[u8]) -> Performance<f64> {
        let note = |(i, &midi): (usize, &u8)| Note {
            onset: i as f64,
            duration: 1.0,
            key: Key::from_midi(midi).unwrap(),
            velocity: Velocity::new(64),
        };
        Performance { notes: keys.iter().enumerate().map(note).collect(), pedal: Vec::new() }
    }

    #[test]
    fn a_scale_that_begins_and_ends_on_its_tonic_is_recognised() {
        let g_major = [67, 69, 71, 72, 74, 76, 78, 79, 74, 71, 67];
        let a_minor = [57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57];
        assert_eq!(key_of(&piece(&g_major)).unwrap(), "G major");
        assert_eq!(key_of(&piece(&a_minor)).unwrap(), "A minor");
    }

    #[test]
    fn silence_has_no_key_and_a_cluster_some_key() {
        assert_eq!(key_of(&piece(&[])), None);
        assert!(key_of(&piece(&(60..72).collect::<Vec<_>>())).is_some());
    }
}

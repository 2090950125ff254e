//! What a take was asked to be like, in words.

use etude_pianist::composer::Knobs;
use etude_pianist::locks::Locks;
use etude_pianist::sampler::Freedom;

/// The knobs that were turned, such as `Temperature 1.22, D minor`; nothing if none was.
pub fn wishes(knobs: &Knobs) -> String {
    let Freedom { temperatures, top_p, min_p } = knobs.freedom;
    let numbers = [
        ("Temperature", temperatures.master, 1.0),
        ("Pitch", temperatures.pitch, 1.0),
        ("Time", temperatures.time, 1.0),
        ("Dynamics", temperatures.dynamics, 1.0),
        ("Length", temperatures.length, 1.0),
        ("Top-p", top_p, 1.0),
        ("Min-p", min_p, Freedom::default().min_p),
        ("Density", knobs.density.unwrap_or_default(), 0.0),
    ];
    let turned = numbers.iter().filter(|(_, value, usual)| value != usual);
    let turned = turned.map(|(name, value, _)| format!("{name} {}", (value * 1000.0).round() / 1000.0));
    let chord = knobs.pitch_classes.map(|_| "a chord that was played".to_owned());
    turned.chain(limits(&knobs.locks)).chain(chord).collect::<Vec<_>>().join(", ")
}

fn limits(locks: &Locks) -> impl Iterator<Item = String> {
    let Locks { scale, lowest, highest, polyphony } = *locks;
    let all = Locks::default();
    let scale = scale.map(|(tonic, scale)| format!("{tonic} {scale}"));
    let range = (lowest, highest) != (all.lowest, all.highest);
    let range = range.then(|| format!("{lowest} to {highest}"));
    let polyphony = (polyphony != all.polyphony).then(|| format!("Polyphony {polyphony}"));
    [scale, range, polyphony].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::EtudeParams;

    #[test]
    fn only_what_was_turned_is_named() {
        let knobs = EtudeParams::default().settings().knobs;
        assert_eq!(wishes(&knobs), "");
        let freedom = Freedom { top_p: 0.905, ..knobs.freedom };
        let locks = Locks {
            scale: Some(("D".parse().unwrap(), "minor".parse().unwrap())),
            lowest: "C2".parse().unwrap(),
            polyphony: 5,
            ..knobs.locks
        };
        let knobs = Knobs { freedom, density: Some(4.5), locks, ..knobs };
        assert_eq!(wishes(&knobs), "Top-p 0.905, Density 4.5, D minor, C2 to C8, Polyphony 5");
    }
}

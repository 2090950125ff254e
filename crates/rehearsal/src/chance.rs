//! Transports by chance, each from a seed that brings it back.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::script::{Script, Stretch};

/// Sample rates: everything that hosts and validators use.
const SAMPLE_RATES: [f64; 9] =
    [1_000.0, 8_000.0, 22_050.0, 44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0, 768_000.0];

/// Time signatures: beats in a bar, and which note a beat is.
const TIME_SIGNATURES: [(u16, u16); 5] = [(4, 4), (3, 4), (7, 8), (5, 4), (1, 4)];

/// The longest block.
const LONGEST_BLOCK: u32 = 16_384;

/// Environment variable with the one seed to play again.
pub const SEED: &str = "ETUDE_SEED";

/// The seeds of a test: `count` of them, or the one that the environment names.
pub fn seeds(count: u64) -> Vec<u64> {
    let wanted = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    wanted.map_or_else(|| (1..=count).collect(), |seed| vec![seed])
}

/// A transport that rolls, stops, jumps, repeats and changes its tempo and its time signature, at some sample rate, and the
/// sizes of its blocks. It goes on for `seconds`, or a little longer.
pub fn session(seed: u64, seconds: f64) -> (Script, Vec<u32>) {
    let chance = &mut Pcg64::seed_from_u64(seed);
    let sample_rate = SAMPLE_RATES[chance.random_range(0..SAMPLE_RATES.len())];
    let mut script = Script::new(sample_rate, []);
    let mut tempo = tempo(chance);
    while (script.samples() as f64) < seconds * sample_rate {
        let samples = chance.random_range(0.02..3.0) * sample_rate;
        let (beats, beat) = TIME_SIGNATURES[chance.random_range(0..TIME_SIGNATURES.len())];
        let roll = Stretch::roll(samples as u64 + 1, tempo, script.end()).in_time(beats, beat);
        let next = act(chance, roll, sample_rate);
        tempo = next.last().map_or(tempo, |last| last.tempo);
        script.stretches.extend(next);
    }
    let sizes = sizes(chance, sample_rate);
    (script, sizes)
}

/// Something that a host may do instead of just rolling on.
fn act(chance: &mut impl Rng, stretch: Stretch, sample_rate: f64) -> Vec<Stretch> {
    let position = stretch.position;
    match chance.random_range(0..10) {
        0..3 => vec![stretch],
        3..5 => vec![Stretch { tempo: tempo(chance), ..stretch }],
        5 => ramp(&stretch, tempo(chance), sample_rate),
        6 => {
            let tempo = if chance.random_bool(0.5) { tempo(chance) } else { stretch.tempo };
            vec![Stretch { position: jump(chance, position), tempo, ..stretch }]
        }
        7..9 => {
            let start = f64::from(chance.random_range(0..64)) / 2.0;
            let length = f64::from(chance.random_range(1..9)) / 2.0;
            vec![Stretch { position: start, ..stretch }.repeating(start..start + length)]
        }
        _ => vec![stretch.stopped()],
    }
}

/// Sizes of blocks: all the same, or any.
fn sizes(chance: &mut impl Rng, sample_rate: f64) -> Vec<u32> {
    // Fast rates with tiny blocks only take time.
    let least = (sample_rate / 48_000.0) as u32 * 16 + 1;
    let longest = chance.random_range(least..=LONGEST_BLOCK);
    if chance.random_bool(0.5) {
        return vec![longest];
    }
    (0..100).map(|_| chance.random_range(least..=longest)).collect()
}

fn tempo(chance: &mut impl Rng) -> f64 {
    if chance.random_bool(0.5) {
        f64::from(chance.random_range(40..220))
    } else {
        chance.random_range(20.0..400.0)
    }
}

/// A place that is not near `position`.
fn jump(chance: &mut impl Rng, position: f64) -> f64 {
    let place: f64 = chance.random_range(-4.0..64.0);
    if (place - position).abs() < 0.1 { place + 1.0 } else { place }
}

/// A stretch whose tempo goes to another one in small steps, as hosts do it.
fn ramp(stretch: &Stretch, tempo: f64, sample_rate: f64) -> Vec<Stretch> {
    let steps = 16;
    let samples = stretch.samples / steps + 1;
    let mut position = stretch.position;
    let step = |step: u64| {
        let part = step as f64 / steps as f64;
        let tempo = stretch.tempo + (tempo - stretch.tempo) * part;
        let start = position;
        position += samples as f64 * tempo / 60.0 / sample_rate;
        Stretch { samples, tempo, position: start, ..stretch.clone() }
    };
    (0..steps).map(step).collect()
}

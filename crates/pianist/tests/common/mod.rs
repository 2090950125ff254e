//! A small pianist with random weights.

use etude_pianist::alphabet::Alphabet;
use etude_pianist::card::Card;
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Layout;
use etude_pianist::time::TimeBase;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Two layers of 9 units whose parameters lie within `-scale..scale`.
pub fn random_pianist(alphabet: Alphabet, time_base: TimeBase, scale: f32, seed: u64) -> Pianist {
    let (layers, units) = (2, 9);
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let count = Layout::new(&alphabet.blueprint(layers, units)).len();
    let parameters =
        (0..count).map(|_| (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * scale).collect();
    Pianist::new(alphabet, time_base, layers, units, parameters, Card::default())
}

//! Pianists of any size with random weights.

use etude_pianist::alphabet::Alphabet;
use etude_pianist::card::Card;
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Layout;
use etude_pianist::time::TimeBase;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// A pianist with `layers` layers of `units` units, whose parameters lie within `-scale..scale`.
pub fn sized_pianist(alphabet: Alphabet, layers: usize, units: usize, scale: f32) -> Pianist {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    let count = Layout::new(&alphabet.blueprint(layers, units)).len();
    let parameters =
        (0..count).map(|_| (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * scale).collect();
    Pianist::new(alphabet, TimeBase::Seconds, layers, units, parameters, Card::default())
}

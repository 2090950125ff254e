//! The same seed gives the same take on every machine: takes that are pinned, and takes on all instructions.
//!
//! The pinned hashes are SHA-256 of the clips (`midi::write`) of 48 bars, seed 1, by
//! `random_pianist(alphabet, base, 0.2, 7)` in int8. Whoever changes what pianists play on purpose runs this test and
//! copies the new hashes from its message.

mod common;
#[path = "common/hash.rs"]
mod hash;
#[path = "common/instructions.rs"]
mod instructions;

use std::path::Path;
use std::sync::Arc;

use common::random_pianist;
use etude_pianist::alphabet::Alphabet;
use etude_pianist::composer::{Composer, Request, Take};
use etude_pianist::engine::{CpuEngine, Instructions, Precision};
use etude_pianist::midi;
use etude_pianist::model_file::Pianist;
use etude_pianist::time::TimeBase;
use hash::sha256;
use instructions::every_instruction_set;

const GOLDEN: [(Alphabet, TimeBase, &str); 3] = [
    (Alphabet::Notes, TimeBase::Seconds, "3c83411f91c8bca589de12bc5ff3567a26a3216814f8c191e21d6bae7d3458b7"),
    (Alphabet::Notes, TimeBase::Beats, "856aa4d0c5f78ccd763ff7716735d7abc6162584222baeda8e1c3f001956846c"),
    (Alphabet::Events, TimeBase::Seconds, "46ad863b46f7e0bce6b749032460bbf3fe7c78f69ce9e611daa78873ba8585ef"),
];

fn compose(pianist: &Pianist, instructions: Instructions, request: Request) -> Take {
    compose_all(pianist, instructions, &[request]).remove(0)
}

fn compose_all(pianist: &Pianist, instructions: Instructions, requests: &[Request]) -> Vec<Take> {
    let engine = CpuEngine::with_instructions(pianist.clone(), Precision::Int8, instructions);
    Composer::new(Arc::new(engine), requests).unwrap().finish()
}

#[test]
fn the_golden_takes_sound_as_ever_on_all_instructions() {
    // Slow, so that a pianist that plays by chance has time for some notes.
    let mut request = Request { seed: 1, bars: 48, tempo: 30.0, ..Request::default() };
    // Each attribute at its own temperature, so that all of the sampler takes part.
    request.knobs.freedom.temperatures.time = 0.9;
    request.knobs.freedom.temperatures.pitch = 1.1;
    request.knobs.density = Some(4.0);
    for instructions in every_instruction_set() {
        let got = GOLDEN.map(|(alphabet, base, _)| {
            let take = compose(&random_pianist(alphabet, base, 0.2, 7), instructions, request.clone());
            assert!(
                take.performance.notes.len() > 10,
                "{alphabet} {base}: {} notes",
                take.performance.notes.len()
            );
            sha256(&midi::write(&take.clip("golden")))
        });
        assert_eq!(got, GOLDEN.map(|(_, _, hash)| hash), "{instructions}");
    }
}

#[test]
fn the_shipped_pianists_compose_the_same_on_all_instructions() {
    for name in ["concert", "songbook"] {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let pianist = Pianist::read_file(models.join(name).with_extension("safetensors")).unwrap();
        // Enough for the kernels of many rows.
        let requests: Vec<Request> =
            (1..=9).map(|seed| Request { seed, bars: 1, ..Request::default() }).collect();
        let takes = |instructions| compose_all(&pianist, instructions, &requests);
        let expected = takes(Instructions::Portable);
        assert!(expected.iter().all(|take| !take.performance.notes.is_empty()));
        for instructions in every_instruction_set() {
            assert!(takes(instructions) == expected, "{name}, {instructions}");
        }
        assert_eq!(
            compose(&pianist, Instructions::best(), requests[0].clone()),
            expected[0],
            "{name}, alone"
        );
    }
}

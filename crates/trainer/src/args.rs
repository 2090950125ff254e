//! Words that several commands take.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use etude_pianist::alphabet::Pedal;
use etude_pianist::kernel::Precision;

/// How the sustain pedal is spelled: `keep` or `fold`.
pub(crate) fn pedal() -> impl TypedValueParser<Value = Pedal> {
    let pedal = |word: String| if word == "fold" { Pedal::Fold } else { Pedal::Keep };
    PossibleValuesParser::new(["keep", "fold"]).map(pedal)
}

/// How exact the products of training are: `f32` or `bf16`.
pub(crate) fn precision(word: &str) -> Result<Precision, String> {
    match word {
        "f32" => Ok(Precision::F32),
        "bf16" => Ok(Precision::Bf16),
        _ => Err("expected f32 or bf16".to_owned()),
    }
}

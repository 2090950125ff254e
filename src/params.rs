//! The knobs: what hosts can automate, show and save.

use nice_plug::prelude::*;

/// Every knob.
#[derive(Params)]
pub struct EtudeParams {
    /// Whether the pianist is silent. Hosts have a switch for it.
    #[id = "bypass"]
    pub bypass: BoolParam,
    /// How freely the pianist chooses, all in all.
    #[id = "temperature"]
    pub temperature: FloatParam,
    /// Length of a take in bars.
    #[id = "bars"]
    pub bars: IntParam,
}

impl Default for EtudeParams {
    fn default() -> EtudeParams {
        let temperature = FloatRange::Linear { min: 0.0, max: 2.0 };
        EtudeParams {
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            temperature: FloatParam::new("Temperature", 1.0, temperature).with_step_size(0.01),
            bars: IntParam::new("Bars", 8, IntRange::Linear { min: 1, max: 64 }),
        }
    }
}

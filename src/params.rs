//! The knobs: what hosts can automate, show and save. What else is saved is the [`Session`].

mod choices;
mod shown;

pub use choices::{Grid, Mode, Pedal, Scale, Tonic};

use std::sync::{Arc, RwLock};

use etude_pianist::composer::Knobs;
use etude_pianist::locks::Locks;
use etude_pianist::sampler::{Freedom, Temperatures};
use nice_plug::prelude::*;
use serde::{Deserialize, Serialize};

use crate::bell::Bell;
use crate::manner::Manner;
use crate::session::Session;
use shown::{float, integer, key_at, or_off, percent};

/// Most bars of a take that repeats.
pub const MAX_BARS: i32 = 64;
/// A polyphony that limits nothing.
const ALL_FINGERS: i32 = 21;
/// The highest bar that a take may begin with.
const LAST_BAR: i32 = 999;

/// Every knob, and what else the project keeps.
#[derive(Params)]
pub struct EtudeParams {
    /// Takes, and whatever else is no knob.
    #[persist = "session"]
    pub session: Arc<Session>,
    /// The editor's window.
    #[persist = "window"]
    pub window: RwLock<WindowState>,

    /// Whether the pianist is silent. Hosts have a switch for it.
    #[id = "bypass"]
    pub bypass: BoolParam,

    /// How freely the pianist chooses; multiplies the four below.
    #[id = "temperature"]
    pub temperature: FloatParam,
    /// How freely it chooses keys.
    #[id = "temperature-pitch"]
    pub pitch: FloatParam,
    /// How freely it chooses when to strike.
    #[id = "temperature-time"]
    pub time: FloatParam,
    /// How freely it chooses how hard to strike.
    #[id = "temperature-dynamics"]
    pub dynamics: FloatParam,
    /// How freely it chooses how long to hold.
    #[id = "temperature-length"]
    pub length: FloatParam,
    /// Keeps the likeliest choices that together have this probability.
    #[id = "top-p"]
    pub top_p: FloatParam,
    /// Drops choices that are less likely than this share of the likeliest.
    #[id = "min-p"]
    pub min_p: FloatParam,
    /// Notes per second (per quarter note, for a pianist in beats) to aim at; 0 is off.
    #[id = "density"]
    pub density: FloatParam,

    /// The tonic of the scale that all notes are in, if any.
    #[id = "key"]
    pub key: EnumParam<Tonic>,
    /// The scale on that tonic.
    #[id = "scale"]
    pub scale: EnumParam<Scale>,
    /// The lowest key, as a MIDI number.
    #[id = "lowest"]
    pub lowest: IntParam,
    /// The highest key, as a MIDI number.
    #[id = "highest"]
    pub highest: IntParam,
    /// Most keys down at once.
    #[id = "polyphony"]
    pub polyphony: IntParam,

    /// How far onsets are pulled to the grid, in percent.
    #[id = "quantise"]
    pub quantise: FloatParam,
    /// The grid that they are pulled to.
    #[id = "grid"]
    pub grid: EnumParam<Grid>,
    /// How late every second line of the grid is, in percent of a triplet feel.
    #[id = "swing"]
    pub swing: FloatParam,
    /// How hard keys are struck, in percent of what was composed.
    #[id = "velocity"]
    pub velocity: FloatParam,
    /// What becomes of the sustain pedal.
    #[id = "pedal"]
    pub pedal: EnumParam<Pedal>,

    /// Length of a take that repeats, in bars.
    #[id = "bars"]
    pub bars: IntParam,
    /// Whether the take repeats or goes on.
    #[id = "mode"]
    pub mode: EnumParam<Mode>,
    /// The bar of the project that the take begins with; the first is 1.
    #[id = "start-bar"]
    pub start_bar: IntParam,
    /// Where chance comes from; 0 takes another seed for every take.
    #[id = "seed"]
    pub seed: IntParam,
    /// Whether turned knobs wait for the next take.
    #[id = "hold"]
    pub hold: BoolParam,
    /// Whether the next take answers what is played in.
    #[id = "listen"]
    pub listen: BoolParam,
}

/// The size of the editor's window, and what it shows of a take. The editor refuses what no screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowState {
    /// Width in logical points.
    pub width: f32,
    /// Height in logical points.
    pub height: f32,
    /// Where the user looks closer; `None` shows everything.
    pub zoom: Option<Zoom>,
}

/// Which part of a take the piano roll shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Zoom {
    /// Quarter notes at the left edge.
    pub start: f64,
    /// Points for a quarter note.
    pub quarter: f32,
    /// The MIDI number, plus one, at the upper edge.
    pub top: f32,
    /// Points for a key.
    pub key: f32,
}

impl Default for WindowState {
    fn default() -> WindowState {
        WindowState { width: 1120.0, height: 720.0, zoom: None }
    }
}

/// What the knobs say at some moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What the music is asked to be like.
    pub knobs: Knobs,
    /// The seed asked for, or `None` for another one each time.
    pub seed: Option<u64>,
    /// Length of a take that repeats.
    pub bars: u32,
    /// What happens at its end.
    pub mode: Mode,
    /// The bar of the project that the take begins with, counted from 0.
    pub start_bar: u32,
    /// What is done to the music after composing.
    pub manner: Manner,
}

impl Default for EtudeParams {
    fn default() -> EtudeParams {
        let bell = Arc::new(Bell::default());
        let temperature =
            |name| float(&bell, name, 1.0, FloatRange::Linear { min: 0.0, max: 2.0 }).with_step_size(0.01);
        let share = |name, default, max| {
            float(&bell, name, default, FloatRange::Linear { min: 0.0, max }).with_step_size(0.005)
        };
        let any_key = IntRange::Linear { min: 21, max: 108 };
        EtudeParams {
            session: Arc::new(Session::new(bell.clone())),
            window: RwLock::default(),
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            temperature: temperature("Temperature"),
            pitch: temperature("Pitch"),
            time: temperature("Time"),
            dynamics: temperature("Dynamics"),
            length: temperature("Length"),
            top_p: share("Top-p", 1.0, 1.0),
            min_p: share("Min-p", Freedom::default().min_p, 0.5),
            density: or_off(float(&bell, "Density", 0.0, FloatRange::Linear { min: 0.0, max: 32.0 })),
            key: EnumParam::new("Key", Tonic::Off).with_callback(bell.callback()),
            scale: EnumParam::new("Scale", Scale::Major).with_callback(bell.callback()),
            lowest: shown::key(integer(&bell, "Lowest key", 21, any_key)),
            highest: shown::key(integer(&bell, "Highest key", 108, any_key)),
            polyphony: shown::limit(
                integer(&bell, "Polyphony", ALL_FINGERS, IntRange::Linear { min: 1, max: ALL_FINGERS }),
                ALL_FINGERS,
            ),
            quantise: percent(&bell, "Quantise", 0.0, 100.0),
            grid: EnumParam::new("Grid", Grid::Sixteenth).with_callback(bell.callback()),
            swing: percent(&bell, "Swing", 0.0, 100.0),
            velocity: percent(&bell, "Velocity", 100.0, 200.0),
            pedal: EnumParam::new("Pedal", Pedal::Cc64).with_callback(bell.callback()),
            bars: integer(&bell, "Bars", 8, IntRange::Linear { min: 1, max: MAX_BARS }),
            mode: EnumParam::new("Mode", Mode::Loop).with_callback(bell.callback()),
            start_bar: integer(&bell, "Start bar", 1, IntRange::Linear { min: 1, max: LAST_BAR }),
            seed: shown::seed(integer(&bell, "Seed", 0, IntRange::Linear { min: 0, max: 9999 })),
            hold: BoolParam::new("Hold knobs", false).with_callback(bell.callback()),
            listen: BoolParam::new("Listen", false).with_callback(bell.callback()),
        }
    }
}

impl EtudeParams {
    /// What the knobs say now.
    pub fn settings(&self) -> Settings {
        let temperatures = Temperatures {
            master: finite(&self.temperature),
            pitch: finite(&self.pitch),
            time: finite(&self.time),
            dynamics: finite(&self.dynamics),
            length: finite(&self.length),
        };
        let freedom = Freedom { temperatures, top_p: finite(&self.top_p), min_p: finite(&self.min_p) };
        let knobs = Knobs {
            freedom,
            density: Some(finite(&self.density)).filter(|density| *density > 0.0),
            locks: self.locks(),
            ..Knobs::default()
        };
        Settings {
            knobs,
            seed: u64::try_from(self.seed.value()).ok().filter(|seed| *seed > 0),
            bars: self.bars.value().clamp(1, MAX_BARS) as u32,
            mode: self.mode.value(),
            start_bar: (self.start_bar.value().clamp(1, LAST_BAR) - 1) as u32,
            manner: self.manner(),
        }
    }

    fn locks(&self) -> Locks {
        let limits = [self.lowest.value(), self.highest.value()];
        let everything = Locks::default();
        let polyphony = self.polyphony.value();
        Locks {
            scale: self.key.value().tonic().zip(self.scale.value().scale()),
            lowest: limits.into_iter().min().and_then(key_at).unwrap_or(everything.lowest),
            highest: limits.into_iter().max().and_then(key_at).unwrap_or(everything.highest),
            polyphony: if polyphony < ALL_FINGERS { polyphony.max(1) as usize } else { everything.polyphony },
        }
    }

    fn manner(&self) -> Manner {
        Manner {
            quantise: finite(&self.quantise) / 100.0,
            grid: self.grid.value(),
            swing: finite(&self.swing) / 100.0,
            velocity: finite(&self.velocity) / 100.0,
            pedal: self.pedal.value(),
            polyphony: self.locks().polyphony,
        }
    }
}

/// What a knob says; as at first, where the host made it no number.
fn finite(knob: &FloatParam) -> f32 {
    Some(knob.value()).filter(|value| value.is_finite()).unwrap_or(knob.default_plain_value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_knobs_refuse_what_is_no_finite_number() {
        let params = EtudeParams::default();
        let temperatures =
            [&params.temperature, &params.pitch, &params.time, &params.dynamics, &params.length];
        let others = [&params.top_p, &params.min_p, &params.density, &params.quantise, &params.swing];
        for knob in temperatures.into_iter().chain(others).chain([&params.velocity]) {
            for text in ["NaN", "nan %", "inf", "-infinity", "1e999999"] {
                assert_eq!(knob.string_to_normalized_value(text), None, "{}: {text}", knob.name());
            }
            assert_eq!(knob.string_to_normalized_value("-1e9"), Some(0.0), "{}", knob.name());
            assert_eq!(knob.string_to_normalized_value("1e9"), Some(1.0), "{}", knob.name());
        }
    }

    #[test]
    fn a_knob_that_the_host_makes_no_number_is_as_at_first() {
        let params = EtudeParams::default();
        let usual = params.settings();
        for (_, knob, _) in params.param_map() {
            // SAFETY: the parameters live as long as this; the framework's wrappers do the same.
            unsafe { knob._internal_set_normalized_value(f32::NAN) };
        }
        let settings = params.settings();
        let Knobs { freedom, density, .. } = settings.knobs;
        assert_eq!((freedom, density), (usual.knobs.freedom, usual.knobs.density));
        let Manner { quantise, swing, velocity, .. } = settings.manner;
        assert_eq!((quantise, swing, velocity), (0.0, 0.0, 1.0));
    }
}

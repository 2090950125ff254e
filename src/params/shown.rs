//! How knobs are shown and typed in.

use std::sync::Arc;

use etude_pianist::note::Key;
use nice_plug::prelude::*;

use crate::bell::Bell;

/// A knob for any value, whose turning rings.
pub(super) fn float(bell: &Arc<Bell>, name: &str, default: f32, range: FloatRange) -> FloatParam {
    FloatParam::new(name, default, range)
        .with_callback(bell.callback())
        .with_string_to_value(Arc::new(number))
}

/// A knob for whole numbers, whose turning rings.
pub(super) fn integer(bell: &Arc<Bell>, name: &str, default: i32, range: IntRange) -> IntParam {
    IntParam::new(name, default, range).with_callback(bell.callback())
}

/// A knob in percent.
pub(super) fn percent(bell: &Arc<Bell>, name: &str, default: f32, max: f32) -> FloatParam {
    float(bell, name, default, FloatRange::Linear { min: 0.0, max }).with_step_size(1.0).with_unit(" %")
}

/// Half steps, and `off` at 0.
pub(super) fn or_off(knob: FloatParam) -> FloatParam {
    let show = |value: f32| if value <= 0.0 { "off".to_owned() } else { format!("{value:.1}") };
    let read = |text: &str| match text.trim() {
        off if off.eq_ignore_ascii_case("off") => Some(0.0),
        text => number(text),
    };
    knob.with_step_size(0.5).with_value_to_string(Arc::new(show)).with_string_to_value(Arc::new(read))
}

/// A number with or without a percent sign. What is none, or endless, is refused: the framework limits all others.
fn number(text: &str) -> Option<f32> {
    let number: f32 = text.trim().trim_end_matches('%').trim_end().parse().ok()?;
    number.is_finite().then_some(number)
}

/// A MIDI number as a key's name.
pub(super) fn key(knob: IntParam) -> IntParam {
    let show = |midi: i32| key_at(midi).map_or_else(|| midi.to_string(), |key| key.to_string());
    let read = |text: &str| text.trim().parse().ok().map(|key: Key| key.midi().into());
    knob.with_value_to_string(Arc::new(show)).with_string_to_value(Arc::new(read))
}

/// The key that a knob is at.
pub(super) fn key_at(midi: i32) -> Option<Key> {
    Key::from_midi(u8::try_from(midi).ok()?)
}

/// A limit that is `off` at its highest.
pub(super) fn limit(knob: IntParam, off: i32) -> IntParam {
    named(knob, off, "off")
}

/// A seed, which is another one each time at 0.
pub(super) fn seed(knob: IntParam) -> IntParam {
    named(knob, 0, "new")
}

/// A knob one of whose values has a name.
fn named(knob: IntParam, named: i32, name: &'static str) -> IntParam {
    let show = move |value: i32| if value == named { name.to_owned() } else { value.to_string() };
    let read = move |text: &str| match text.trim() {
        text if text.eq_ignore_ascii_case(name) => Some(named),
        number => number.parse().ok(),
    };
    knob.with_value_to_string(Arc::new(show)).with_string_to_value(Arc::new(read))
}

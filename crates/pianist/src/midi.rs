//! Standard MIDI Files in and out.

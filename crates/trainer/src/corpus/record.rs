//! The records of a corpus file, byte for byte.

use etude_pianist::note::Key;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// First bytes of every corpus.
pub const MAGIC: [u8; 8] = *b"EtudeCor";
/// Raised whenever a record changes its meaning.
pub const VERSION: u32 = 1;

/// What the corpus is and how many of each record follow.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    pub magic: [u8; 8],
    pub version: U32,
    /// 0 notes, 1 events.
    pub alphabet: u8,
    /// 0 seconds, 1 beats.
    pub time_base: u8,
    /// Always 0.
    pub reserved: U16,
    pub performances: U64,
    pub events: U64,
    pub bars: U64,
}

/// What belongs to one performance.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct PerformanceRecord {
    pub events: U32,
    pub bars: U32,
    pub piece: U32,
    pub name_bytes: U16,
    /// 0 train, 1 valid.
    pub split: u8,
    /// Always 0.
    pub reserved: u8,
}

/// A note, a pedal change or a rest. Times are in tenths of a tick.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct EventRecord {
    /// Time since the previous event of the performance.
    pub delta: U16,
    /// Length of a note; 0 otherwise.
    pub duration: U16,
    /// A key from the left, 0 to 87, or one of the constants below.
    pub key: u8,
    /// Velocity of a note, 1 to 127; 0 otherwise.
    pub velocity: u8,
}

/// The sustain pedal goes down.
pub const PEDAL_DOWN: u8 = Key::COUNT as u8;
/// The sustain pedal comes up.
pub const PEDAL_UP: u8 = PEDAL_DOWN + 1;
/// Nothing happens: part of a silence that is too long for one delta.
pub const REST: u8 = PEDAL_UP + 1;

/// A bar line.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct BarRecord {
    /// In tenths of a tick from the start of the performance.
    pub start: U32,
    /// Upper figure of the time signature, never 0.
    pub numerator: u8,
    /// Lower figure of the time signature, never 0.
    pub denominator: u8,
}

//! The events in the bytes of one track.
//!
//! midly reads events too, but this reader is twice as fast on piano files, which is most of what preparing a
//! corpus costs, and it goes on where many files break the standard: running status after a meta event, data bytes
//! with the top bit set, meta events of odd length.

/// The events of a track from first to last; ends at the end of the bytes or where they make no sense.
pub(super) struct TrackEvents<'a> {
    rest: &'a [u8],
    /// The status byte of the last channel message, 0 before the first.
    running_status: u8,
    tick: u64,
}

/// An event that may matter to a piano, at its tick.
pub(super) enum TrackEvent<'a> {
    /// Kind (the status byte's upper half), channel 0 to 15 and data bytes, each 0 to 127.
    Channel { kind: u8, channel: u8, data: [u8; 2] },
    /// A meta event's type and contents.
    Meta { kind: u8, contents: &'a [u8] },
}

/// The upper halves of status bytes.
pub(super) mod kind {
    pub const NOTE_OFF: u8 = 0x8;
    pub const NOTE_ON: u8 = 0x9;
    pub const CONTROLLER: u8 = 0xB;
    pub const PROGRAM: u8 = 0xC;
    pub const CHANNEL_PRESSURE: u8 = 0xD;
}

/// The types of meta events.
pub(super) mod meta {
    pub const END_OF_TRACK: u8 = 0x2F;
    pub const TEMPO: u8 = 0x51;
    pub const TIME_SIGNATURE: u8 = 0x58;
}

const SYSEX: u8 = 0xF0;
const ESCAPE: u8 = 0xF7;
const META: u8 = 0xFF;

impl<'a> TrackEvents<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> TrackEvents<'a> {
        TrackEvents { rest: bytes, running_status: 0, tick: 0 }
    }

    /// The tick of the latest event.
    pub(super) fn tick(&self) -> u64 {
        self.tick
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn data_byte(&mut self) -> Option<u8> {
        Some(self.byte()?.min(127))
    }

    /// A number of 7 bits a byte, of 4 bytes at most.
    fn number(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            let byte = self.byte()?;
            number = number << 7 | u32::from(byte & 0x7F);
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// Contents after their length; what there is of them where the file is cut off.
    fn contents(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        let (contents, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Some(contents)
    }

    fn channel_message(&mut self, status: u8) -> Option<TrackEvent<'a>> {
        self.running_status = status;
        let kind = status >> 4;
        let first = self.data_byte()?;
        let second =
            if matches!(kind, kind::PROGRAM | kind::CHANNEL_PRESSURE) { 0 } else { self.data_byte()? };
        Some(TrackEvent::Channel { kind, channel: status & 0xF, data: [first, second] })
    }
}

impl<'a> Iterator for TrackEvents<'a> {
    type Item = TrackEvent<'a>;

    fn next(&mut self) -> Option<TrackEvent<'a>> {
        loop {
            self.tick += u64::from(self.number()?);
            let status = match *self.rest.first()? {
                0..0x80 => self.running_status,
                _ => self.byte()?,
            };
            match status {
                0x80..SYSEX => return self.channel_message(status),
                META => return Some(TrackEvent::Meta { kind: self.byte()?, contents: self.contents()? }),
                SYSEX | ESCAPE => self.contents()?,
                _ => return None,
            };
        }
    }
}

//! Packed words that begin on a cache line.

use std::ops::{Deref, DerefMut};

/// A cache line of packed words: f32 values, or pairs of bf16 values from one column.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; Line::WORDS]);

impl Line {
    /// Words of a line.
    pub(super) const WORDS: usize = 16;
    /// A line of zeros.
    pub(super) const ZERO: Line = Line([0; Line::WORDS]);
}

/// A buffer of words, reused from product to product. It begins on a cache line, so that sixteen words that are read
/// together lie in one.
#[derive(Default)]
pub struct Words {
    lines: Vec<Line>,
    length: usize,
}

impl Words {
    /// Makes it `length` words long; what they hold is not specified.
    pub(super) fn resize(&mut self, length: usize) {
        self.lines.resize(length.div_ceil(Line::WORDS), Line::ZERO);
        self.length = length;
    }
}

impl Deref for Words {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        // SAFETY: a line is `WORDS` words without padding, and `resize` made the lines for `length` words.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

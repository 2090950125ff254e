//! Memory for packed weights: one stretch in pages as large as the system has.
//!
//! A step reads megabytes from end to end. In pages of 4 KiB the processor has to look up thousands of addresses for
//! that, which can take longer than reading; Linux gives pages of 2 MiB to whoever asks.

use std::ops::{Deref, DerefMut};
use std::slice;
use std::sync::Arc;

use memmap2::{MmapMut, MmapRaw};

use super::tile::Line;

/// Memory that is not used yet.
pub(super) struct Pages {
    map: Arc<MmapRaw>,
    /// The next line to hand out.
    next: usize,
    end: usize,
}

impl Pages {
    /// Room for `lines` lines of zeros. What is not used takes no memory.
    ///
    /// # Panics
    /// If the system has no more memory.
    pub(super) fn new(lines: usize) -> Pages {
        /// The length of a large page.
        const LARGE: usize = 2 << 20;
        let map =
            MmapMut::map_anon(size_of::<Line>() * lines + LARGE).expect("there is memory for a pianist");
        // A system that has no large pages is as good, only slower.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        let next = map.as_ptr().align_offset(LARGE) / size_of::<Line>();
        Pages { map: Arc::new(MmapRaw::from(map)), next, end: next + lines }
    }

    /// The next `count` lines.
    ///
    /// # Panics
    /// If fewer are left.
    pub(super) fn take(&mut self, count: usize) -> Lines {
        let first = self.next;
        self.next += count;
        assert!(self.next <= self.end, "the pages were made too small");
        Lines { map: self.map.clone(), first, count }
    }
}

/// Some lines, owned by one.
pub(super) struct Lines {
    map: Arc<MmapRaw>,
    first: usize,
    count: usize,
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        let start: *const Line = self.map.as_ptr().cast();
        // SAFETY: the lines lie within the map, which lives as long as this, are aligned as its pages are, and were zeros
        // from the start; `Pages::take` gives none of them twice.
        unsafe { slice::from_raw_parts(start.add(self.first), self.count) }
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [Line] {
        let start: *mut Line = self.map.as_mut_ptr().cast();
        // SAFETY: as above.
        unsafe { slice::from_raw_parts_mut(start.add(self.first), self.count) }
    }
}

//! Large pages for large buffers.
//!
//! An update reads and writes hundreds of megabytes, in rows that lie far apart. In pages of 4 KiB the processor spends
//! a tenth of its time on finding them, and rows that begin anywhere straddle cache lines; Linux gives pages of 2 MiB to
//! whoever asks.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, with large pages for what fills one.
pub struct LargePages;

/// The length of a large page, in bytes.
const LARGE: usize = 2 << 20;

// SAFETY: everything is the system allocator's, with the same larger alignment for taking and giving back; advice does
// not change what memory holds.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size is the caller's, which is not zero.
        let memory = unsafe { System.alloc(aligned(layout)) };
        #[cfg(target_os = "linux")]
        if layout.size() >= LARGE && !memory.is_null() {
            // SAFETY: the memory was just allocated. A system that has no large pages is as good, only slower.
            unsafe { libc::madvise(memory.cast(), layout.size(), libc::MADV_HUGEPAGE) };
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `alloc` took it with this layout.
        unsafe { System.dealloc(memory, aligned(layout)) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size().max(size) < LARGE {
            // SAFETY: `alloc` took it with this layout, and so small a size is valid for its alignment.
            return unsafe { System.realloc(memory, layout, size) };
        }
        // SAFETY: the size is the caller's, valid for this alignment; the old memory is given back after its last use.
        unsafe {
            let larger = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !larger.is_null() {
                larger.copy_from_nonoverlapping(memory, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            larger
        }
    }
}

/// The layout that is asked of the system: what fills a large page begins with one.
fn aligned(layout: Layout) -> Layout {
    if layout.size() < LARGE {
        return layout;
    }
    // Fails only near the largest size there is, which can't be allocated either.
    layout.align_to(LARGE).unwrap_or(layout)
}

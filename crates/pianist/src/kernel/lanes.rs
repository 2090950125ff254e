//! Sixteen values at a time, in arrays of fixed length: the compiler keeps them in registers without having to prove
//! that the many slices of an LSTM cell don't overlap.

/// Values that are worked on together: the lanes of an AVX-512 register.
pub const LANES: usize = 16;

/// The values from `first` on; zeros beyond the end of the slice.
#[inline(always)]
pub fn load(values: &[f32], first: usize) -> [f32; LANES] {
    let values = &values[first..];
    match values.first_chunk() {
        Some(chunk) => *chunk,
        None => load_last(values),
    }
}

/// Writes lanes back to where [`load`] found them.
#[inline(always)]
pub fn store(values: &mut [f32], first: usize, lanes: &[f32; LANES]) {
    let values = &mut values[first..];
    match values.first_chunk_mut() {
        Some(chunk) => *chunk = *lanes,
        None => store_last(values, lanes),
    }
}

// Functions of their own: in line, the compiler would make one call of both cases, and copy whole lanes with it, too.

#[cold]
#[inline(never)]
fn load_last(values: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    lanes[..values.len()].copy_from_slice(values);
    lanes
}

#[cold]
#[inline(never)]
fn store_last(values: &mut [f32], lanes: &[f32; LANES]) {
    values.copy_from_slice(&lanes[..values.len()]);
}

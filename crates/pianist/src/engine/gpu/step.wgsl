// One step of the LSTM layers, and the share of the heads' hidden layers that reads what they put out.
//
// Both are products of rows with a matrix and a bias. Its outputs come in groups of four side by side: a unit's gates
// (input, forget, cell, output), or any four hidden units of the heads. Rows are the streams that hear something in
// this step; states stay where they are, by stream.

// Threads that share a group of outputs.
const THREADS = 64u;
// Rows that share one reading of the weights.
const TILE = 4u;

// Who hears something: row r is stream streams[r / 4][r % 4].
struct Rows {
    count: u32,
    streams: array<vec4u, 16>,
}

struct Shape {
    // Groups of outputs; of a layer, its units.
    groups: u32,
    // How many inputs come from below, and how many from the past.
    below: u32,
    past: u32,
    // Whether a layer adds what it reads to what it puts out.
    residual: u32,
}

@group(0) @binding(0) var<uniform> rows: Rows;
@group(0) @binding(1) var<uniform> shape: Shape;
// [groups, below + past]: the weights of four outputs, as f16.
@group(0) @binding(2) var<storage, read> weights: array<vec2u>;
// [groups]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
// [rows, below]
@group(0) @binding(4) var<storage, read> below: array<f32>;
// [streams, past]
@group(0) @binding(5) var<storage, read> past: array<f32>;
// [rows, groups]
@group(0) @binding(6) var<storage, read_write> sums: array<vec4f>;

// [threads][rows of the tile], flat
var<workgroup> partial: array<vec4f, THREADS * TILE>;

fn stream_of(row: u32) -> u32 {
    return rows.streams[row / 4u][row % 4u];
}

fn four_weights(group: u32, column: u32) -> vec4f {
    let packed = weights[group * (shape.below + shape.past) + column];
    return vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y));
}

// sums = bias + weights x [below | past]; workgroup (group, tile of rows), whose threads share the columns.
@compute @workgroup_size(THREADS)
fn multiply(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
    let group = workgroup.x;
    let first = workgroup.y * TILE;
    // The rows of this tile; where there are fewer than four, the last one stands in and is not stored.
    let last = rows.count - 1u;
    let row = min(vec4u(first, first + 1u, first + 2u, first + 3u), vec4u(last));

    // What this thread's columns add to the sums of each row of the tile. By name: compilers may keep an array that is
    // indexed by a variable in memory.
    var a = vec4f();
    var b = vec4f();
    var c = vec4f();
    var d = vec4f();
    let from_below = row * shape.below;
    for (var column = thread; column < shape.below; column += THREADS) {
        let four = four_weights(group, column);
        a += four * below[from_below.x + column];
        b += four * below[from_below.y + column];
        c += four * below[from_below.z + column];
        d += four * below[from_below.w + column];
    }
    let from_past = shape.past * vec4u(stream_of(row.x), stream_of(row.y), stream_of(row.z), stream_of(row.w));
    for (var column = thread; column < shape.past; column += THREADS) {
        let four = four_weights(group, shape.below + column);
        a += four * past[from_past.x + column];
        b += four * past[from_past.y + column];
        c += four * past[from_past.z + column];
        d += four * past[from_past.w + column];
    }
    partial[thread * TILE] = a;
    partial[thread * TILE + 1u] = b;
    partial[thread * TILE + 2u] = c;
    partial[thread * TILE + 3u] = d;

    // The upper half of the threads' shares is added to the lower one, and so on: always in the same order, so that a
    // stream hears the same whoever shares its batch.
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            for (var i = 0u; i < TILE; i++) {
                partial[thread * TILE + i] += partial[(thread + half) * TILE + i];
            }
        }
    }
    workgroupBarrier();
    if thread < TILE && first + thread < rows.count {
        sums[(first + thread) * shape.groups + group] = bias[group] + partial[thread];
    }
}

// [streams, units]
@group(0) @binding(7) var<storage, read_write> cells: array<f32>;
@group(0) @binding(8) var<storage, read_write> hidden: array<f32>;
// [rows, units]: what the layer puts out; before, what it read, if that is added.
@group(0) @binding(9) var<storage, read_write> outputs: array<f32>;

// Arguments beyond these make no difference in f32, and some drivers overflow on them.
fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-clamp(x, -40.0, 40.0)));
}

fn bounded_tanh(x: f32) -> f32 {
    return tanh(clamp(x, -15.0, 15.0));
}

// Updates cells and hidden states from the gates in `sums`; thread (unit, row).
@compute @workgroup_size(THREADS)
fn update(@builtin(global_invocation_id) id: vec3u) {
    let unit = id.x;
    let row = id.y;
    if unit >= shape.groups {
        return;
    }
    let gates = sums[row * shape.groups + unit];
    let state = stream_of(row) * shape.groups + unit;
    let cell = sigmoid(gates.y) * cells[state] + sigmoid(gates.x) * bounded_tanh(gates.z);
    let output = sigmoid(gates.w) * bounded_tanh(cell);
    cells[state] = cell;
    hidden[state] = output;
    let at = row * shape.groups + unit;
    outputs[at] = select(output, output + outputs[at], shape.residual == 1u);
}

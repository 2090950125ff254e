"""Plays Etude's `events` network step by step on one thread and prints how many steps per second each turn made.

A step is an embedding, three LSTM layers, each after the first adding to what it reads, a hidden layer, a softmax, and a
symbol drawn from it, which is heard next.
"""

import argparse
import pathlib
import time

import numpy

SYMBOLS = 388
LAYERS = 3
UNITS = 512
# Wide enough that the next symbol depends on the last ones, narrow enough that nothing saturates.
WIDTH = 0.05
WEIGHTS = numpy.random.default_rng(0)


def random_weights(*shape):
    """Others at each call: ONNX Runtime keeps equal weights once, and three equal layers would fit in a cache."""
    return (WEIGHTS.standard_normal(shape) * WIDTH).astype(numpy.float32)


def torch_player(streams):
    """PyTorch's `lstm_cell` in a loop, the fastest of its ways for single steps."""
    import torch

    torch.set_num_threads(1)
    as_tensor = lambda *shape: torch.from_numpy(random_weights(*shape))
    embedding, hidden, hidden_bias = as_tensor(SYMBOLS, UNITS), as_tensor(UNITS, UNITS), as_tensor(UNITS)
    output, output_bias = as_tensor(SYMBOLS, UNITS), as_tensor(SYMBOLS)
    shapes = [(4 * UNITS, UNITS)] * 2 + [(4 * UNITS,)] * 2
    layers = [[as_tensor(*shape) for shape in shapes] for _ in range(LAYERS)]
    state = [(torch.zeros(streams, UNITS), torch.zeros(streams, UNITS)) for _ in range(LAYERS)]
    symbols = torch.zeros(streams, dtype=torch.long)

    @torch.inference_mode()
    def step():
        nonlocal symbols
        y = embedding[symbols]
        for i, weights in enumerate(layers):
            state[i] = torch.lstm_cell(y, state[i], *weights)
            y = y + state[i][0] if i else state[i][0]
        y = torch.relu(torch.nn.functional.linear(y, hidden, hidden_bias))
        shares = torch.softmax(torch.nn.functional.linear(y, output, output_bias), -1)
        symbols = torch.multinomial(shares, 1)[:, 0]

    return step


def onnx_model(folder):
    """The network as an ONNX file with its LSTM operator; gives the file."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = lambda name, *shape: numpy_helper.from_array(random_weights(*shape), name)
    weights = [weight("embedding", SYMBOLS, UNITS), weight("hidden", UNITS, UNITS), weight("hidden_bias", UNITS)]
    weights += [weight("output", UNITS, SYMBOLS), weight("bias", SYMBOLS)]
    nodes = [helper.make_node("Gather", ["embedding", "symbols"], ["y0"])]
    inputs = [helper.make_tensor_value_info("symbols", TensorProto.INT64, [1, "streams"])]
    outputs = [helper.make_tensor_value_info("shares", TensorProto.FLOAT, [1, "streams", SYMBOLS])]
    state = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "streams", UNITS])
    for i in range(LAYERS):
        weights += [weight(f"input{i}", 1, 4 * UNITS, UNITS), weight(f"recurrent{i}", 1, 4 * UNITS, UNITS)]
        weights += [weight(f"bias{i}", 1, 8 * UNITS)]
        reads = [f"y{i}", f"input{i}", f"recurrent{i}", f"bias{i}", "", f"hidden{i}", f"cell{i}"]
        writes = ["", f"next_hidden{i}", f"next_cell{i}"]
        nodes += [helper.make_node("LSTM", reads, writes, hidden_size=UNITS)]
        above = ("Add", [f"y{i}", f"next_hidden{i}"]) if i else ("Identity", [f"next_hidden{i}"])
        nodes += [helper.make_node(*above, [f"y{i + 1}"])]
        inputs += [state(f"hidden{i}"), state(f"cell{i}")]
        outputs += [state(f"next_hidden{i}"), state(f"next_cell{i}")]
    nodes += [helper.make_node("MatMul", [f"y{LAYERS}", "hidden"], ["hidden_products"])]
    nodes += [helper.make_node("Add", ["hidden_products", "hidden_bias"], ["hidden_sums"])]
    nodes += [helper.make_node("Relu", ["hidden_sums"], ["hidden_values"])]
    nodes += [helper.make_node("MatMul", ["hidden_values", "output"], ["products"])]
    nodes += [helper.make_node("Add", ["products", "bias"], ["logits"])]
    nodes += [helper.make_node("Softmax", ["logits"], ["shares"], axis=2)]
    graph = helper.make_graph(nodes, "step", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    file = folder / "step.onnx"
    onnx.save(model, file)
    return file


def onnx_player(streams, precision):
    """ONNX Runtime, in int8 by its dynamic quantisation."""
    import onnxruntime

    folder = pathlib.Path(__file__).parents[2] / "target" / "peers"
    file = onnx_model(folder)
    if precision == "int8":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantised = folder / "step-int8.onnx"
        quantize_dynamic(file, quantised, weight_type=QuantType.QInt8)
        file = quantised
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    parts = [f"{part}{i}" for i in range(LAYERS) for part in ("hidden", "cell")]
    names = ["shares"] + [f"next_{part}" for part in parts]
    state = {part: numpy.zeros((1, streams, UNITS), numpy.float32) for part in parts}
    symbols = numpy.zeros((1, streams), numpy.int64)
    chance = numpy.random.default_rng(0)

    def step():
        nonlocal symbols, state
        shares, *after = session.run(names, {"symbols": symbols, **state})
        state = dict(zip(parts, after))
        below = numpy.cumsum(shares[0], axis=1) < chance.random((streams, 1), dtype=numpy.float32)
        symbols = numpy.minimum(below.sum(1), SYMBOLS - 1)[None]

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=["torch", "onnx"], required=True)
    parser.add_argument("--precision", choices=["f32", "int8"], required=True)
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--turns", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.peer == "torch":
        step = torch_player(arguments.streams)
    else:
        step = onnx_player(arguments.streams, arguments.precision)
    # The first turn also warms up, so it is not told.
    for turn in range(arguments.turns + 1):
        started = time.perf_counter()
        for _ in range(arguments.steps):
            step()
        if turn > 0:
            print(arguments.steps * arguments.streams / (time.perf_counter() - started), flush=True)


main()

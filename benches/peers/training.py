"""Trains Etude's `events` network in PyTorch for a few updates and prints how many steps per second each made.

The shapes are those of crates/pianist/src/alphabet/events.rs, so that both sides do the same work.
"""

import argparse
import time

import torch

# Symbols and width of every embedded input: the last event, position in the bar, its length, note density, pedal.
CATEGORIES = [(391, 448), (193, 24), (17, 8), (9, 16), (3, 8)]
# The pitch-class histogram.
DENSE = 13
SYMBOLS = 390
LAYERS = 3
UNITS = 512
HIDDEN = 512
LEARNING_RATE = 1e-3
LONGEST_GRADIENT = 1.0


class Network(torch.nn.Module):
    """Embeddings and dense inputs, residual LSTM layers, one softmax over a hidden layer."""

    def __init__(self):
        super().__init__()
        self.embeddings = torch.nn.ModuleList(torch.nn.Embedding(*category) for category in CATEGORIES)
        inputs = sum(width for _, width in CATEGORIES) + DENSE
        self.layers = torch.nn.ModuleList(
            torch.nn.LSTM(UNITS if layer else inputs, UNITS) for layer in range(LAYERS)
        )
        self.hidden = torch.nn.Linear(UNITS, HIDDEN)
        self.output = torch.nn.Linear(HIDDEN, SYMBOLS)

    def forward(self, categories, dense, states):
        embedded = [table(symbols) for table, symbols in zip(self.embeddings, categories)]
        outputs = torch.cat([*embedded, dense], -1)
        after = []
        for layer, (lstm, state) in enumerate(zip(self.layers, states)):
            hidden, state = lstm(outputs, state)
            outputs = outputs + hidden if layer else hidden
            after.append(state)
        return self.output(torch.relu(self.hidden(outputs))), after


def update(network, optimizer, categories, dense, targets, states, bf16):
    """Learns from one window; returns the states to carry into the next."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits, states = network(categories, dense, states)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, SYMBOLS), targets.reshape(-1))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
    optimizer.step()
    return [tuple(part.detach() for part in state) for state in states]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", choices=["f32", "bf16"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--window", type=int, required=True)
    parser.add_argument("--updates", type=int, required=True)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    states = [None] * LAYERS
    # Time-major, as PyTorch likes it best.
    shape = (arguments.window, arguments.streams)
    # The first update also warms up, so it is not told.
    for number in range(arguments.updates + 1):
        categories = [torch.randint(0, symbols, shape) for symbols, _ in CATEGORIES]
        dense, targets = torch.zeros(*shape, DENSE), torch.randint(0, SYMBOLS, shape)
        started = time.perf_counter()
        states = update(network, optimizer, categories, dense, targets, states, arguments.precision == "bf16")
        if number > 0:
            print(arguments.streams * arguments.window / (time.perf_counter() - started), flush=True)


main()

"""Trains Performance RNN's LSTM in PyTorch for a few updates and prints how many steps per second each made."""

import argparse
import time

import torch

SYMBOLS = 388
LAYERS = 3
UNITS = 512
LEARNING_RATE = 1e-3
LONGEST_GRADIENT = 1.0


class Network(torch.nn.Module):
    """Embedding, three LSTM layers, one softmax."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(SYMBOLS, UNITS)
        self.lstm = torch.nn.LSTM(UNITS, UNITS, LAYERS, batch_first=True)
        self.output = torch.nn.Linear(UNITS, SYMBOLS)

    def forward(self, symbols, state):
        outputs, state = self.lstm(self.embedding(symbols), state)
        return self.output(outputs), state


def update(network, optimizer, symbols, state, bf16):
    """Learns from one window; returns the state to carry into the next."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits, state = network(symbols[:, :-1], state)
        targets = symbols[:, 1:].reshape(-1)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, SYMBOLS), targets)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
    optimizer.step()
    return tuple(part.detach() for part in state)


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
    state = None
    # The first update also warms up, so it is not told.
    for number in range(arguments.updates + 1):
        symbols = torch.randint(0, SYMBOLS, (arguments.streams, arguments.window + 1))
        started = time.perf_counter()
        state = update(network, optimizer, symbols, state, arguments.precision == "bf16")
        if number > 0:
            print(arguments.streams * arguments.window / (time.perf_counter() - started), flush=True)


main()

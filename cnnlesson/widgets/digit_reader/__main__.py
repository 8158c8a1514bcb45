"""Train the network that the figure ``DigitReader`` runs, and write its weights.

Trains with a few seeds, each for a minute or two on one core, and measures each on MNIST's 10,000
test images. The weights of the first seed are written in half precision beside the figure, with a
record of how they were made. The accuracies are those of the rounded weights.

    python -m cnnlesson.widgets.digit_reader
"""

import argparse
import json
import statistics
import sys

import torch
from torch import nn

from cnnlesson import ConvNet, evaluate, load_digits, standardize, train_model
from cnnlesson.widgets.digit_reader.digit_reader import WEIGHTS, from_bytes, to_bytes

LR, MOMENTUM = 0.05, 0.9
BATCH_SIZE, NUM_EPOCHS = 64, 3


def train(seed: int, images: torch.Tensor, labels: torch.Tensor) -> ConvNet:
    """Return a network trained with Nesterov's momentum and one cycle of step sizes."""
    torch.manual_seed(seed)
    model = ConvNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, nesterov=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=LR,
        total_steps=NUM_EPOCHS * -(-len(images) // BATCH_SIZE),
        cycle_momentum=False,
    )
    train_model(
        model,
        optimizer,
        nn.CrossEntropyLoss(),
        images,
        labels,
        batch_size=BATCH_SIZE,
        num_epochs=NUM_EPOCHS,
        seed=seed,
        scheduler=cycle,
    )
    return model


def main() -> None:
    """Train, measure, write and say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings (3)")
    options = parser.parse_args()

    torch.set_num_threads(1)
    digits, test = load_digits("mnist"), load_digits("mnist-test")
    x, x_test = standardize(digits.images), standardize(test.images)
    accuracies = {}
    for seed in range(options.seeds):
        weights = to_bytes(train(seed, x, digits.labels))
        accuracies[seed] = evaluate(from_bytes(weights), x_test, test.labels)
        sys.stdout.write(
            f"seed {seed}: {accuracies[seed]:.2%} of the {len(x_test):,} test images\n"
        )
        if seed == 0:
            WEIGHTS.write_bytes(weights)
    record = {
        "made by": "python -m cnnlesson.widgets.digit_reader",
        "images": f"the {len(x):,} training images of MNIST, standardised",
        "optimizer": "SGD with Nesterov momentum, OneCycleLR, momentum constant",
        "max_lr": LR,
        "momentum": MOMENTUM,
        "batch_size": BATCH_SIZE,
        "num_epochs": NUM_EPOCHS,
        "seed": 0,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "format": "float16, little-endian, the parameters of ConvNet in their order",
        "test accuracy by seed": accuracies,
        "median test accuracy": statistics.median(accuracies.values()),
    }
    WEIGHTS.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()

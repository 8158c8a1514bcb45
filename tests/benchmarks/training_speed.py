"""Time ``train_model`` beside the loop it grew from and a stock ``DataLoader`` loop.

All three train the same network from the same weights on the same images, with the same batch
size and number of threads, for one epoch a round. They take turns: A B C, B C A, C A B, …, so
that whatever else the machine does falls on all of them alike.

    python tests/benchmarks/training_speed.py
"""

import argparse
import copy
import platform
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from original_loop import original_loop
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cnnlesson import ConvNet, load_digits, standardize, train_model

BATCH_SIZE = 32

Loop = Callable[[nn.Module, torch.optim.Optimizer, nn.Module, Tensor, Tensor], object]


def course_loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: nn.Module,
    x_train: Tensor,
    y_train: Tensor,
) -> None:
    """Train as the course does: shuffled, with a progress bar and a history."""
    train_model(model, optimizer, criterion, x_train, y_train, batch_size=BATCH_SIZE, num_epochs=1)


def first_loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: nn.Module,
    x_train: Tensor,
    y_train: Tensor,
) -> None:
    """Train as the notebook did that the course grew from: in order, one print an epoch."""
    [loss] = original_loop(model, optimizer, criterion, x_train, y_train, BATCH_SIZE, num_epochs=1)
    print(f"Epoch 1, Loss: {loss:.4f}")


def data_loader_loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: nn.Module,
    x_train: Tensor,
    y_train: Tensor,
) -> None:
    """Train with PyTorch's own batches, shuffled."""
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH_SIZE, shuffle=True)
    model.train()
    running_loss = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f"Epoch 1, Loss: {running_loss / len(loader):.4f}")


LOOPS: dict[str, Loop] = {
    "train_model": course_loop,
    "original loop": first_loop,
    "DataLoader": data_loader_loop,
}


def seconds(loop: Loop, model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return how long one epoch takes, from the weights of ``model``, which stay as they are."""
    model = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.8)
    criterion = nn.CrossEntropyLoss()
    started = time.perf_counter()
    loop(model, optimizer, criterion, x, y)
    return time.perf_counter() - started


def measure(x: Tensor, y: Tensor, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every loop in every round."""
    model = ConvNet()
    for loop in LOOPS.values():  # warm-up
        seconds(loop, model, x[: 10 * BATCH_SIZE], y[: 10 * BATCH_SIZE])
    times: dict[str, list[float]] = {name: [] for name in LOOPS}
    names = list(LOOPS)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(seconds(LOOPS[name], model, x, y))
    return times


def report(times: dict[str, list[float]]) -> str:
    """Return a table: the median of each loop, and how train_model compares round by round."""
    ours = times["train_model"]
    lines = [f"{'':<16}{'seconds':>8}   train_model / other, round by round", "─" * 62]
    for name, theirs in times.items():
        line = f"{name:<16}{statistics.median(theirs):>8.2f}"
        if name != "train_model":
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            line += (
                f"   median {statistics.median(ratios):.3f}, "
                f"min {min(ratios):.3f}, max {max(ratios):.3f}"
            )
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=3000, help="training images (3000)")
    parser.add_argument("--rounds", type=int, default=15, help="epochs of each loop (15)")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch (1)")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # which digits these are is said below
        digits = load_digits()
    # As many as were asked for, also of the few embedded ones.
    chosen = torch.arange(options.images) % len(digits.images)
    x, y = standardize(digits.images)[chosen], digits.labels[chosen]
    times = measure(x, y, options.rounds)
    print(
        f"\nOne epoch of {options.images:,} images ({digits.source}) in batches of {BATCH_SIZE}, "
        f"median of {options.rounds} rounds.\n"
        f"{platform.platform()}, {platform.machine()}, Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}, {options.threads} thread(s).\n"
    )
    print(report(times))


if __name__ == "__main__":
    main()

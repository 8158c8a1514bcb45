"""Time ``train_model`` beside the loop it grew from, a stock ``DataLoader`` loop, and `faster`.

All of them train the same network from the same weights on the same images, with the same batch
size and number of threads, for one epoch a round. They take turns: A B C, B C A, C A B, …, so
that whatever else the machine does falls on all of them alike. One convolution with very many
channels, timed in each round too, shows what the processor can do at best.

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
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.utils.data import DataLoader, TensorDataset

from cnnlesson import ConvNet, faster, load_digits, standardize, train_model

BATCH_SIZE = 32
# Of one image: forward, and backward but for the gradient of the pixels, which nobody asks for.
MULTIPLY_ADDS = 2 * 26 * 26 * 32 * 9 + 3 * (11 * 11 * 64 * 32 * 9 + 1600 * 10)

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


def channels_last_loop(model: nn.Module, *others: object) -> None:
    """Train as the course does, the convolutions' weights laid out with the channels last."""
    course_loop(convert_conv2d_weight_memory_format(model, torch.channels_last), *others)


def faster_loop(model: nn.Module, *others: object) -> None:
    """Train as measured trainings do: channels last, and pooling before ReLU."""
    course_loop(faster(model), *others)


LOOPS: dict[str, Loop] = {
    "train_model": course_loop,
    "channels last": channels_last_loop,
    "faster": faster_loop,
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


def peak(channels: int = 256) -> float:
    """Return the multiply-adds a second of a convolution with many channels."""
    maps, kernels = torch.rand(4, channels, 32, 32), torch.rand(channels, channels, 3, 3)
    started = time.perf_counter()
    nn.functional.conv2d(maps, kernels)
    return 4 * 30 * 30 * channels**2 * 9 / (time.perf_counter() - started)


def measure(x: Tensor, y: Tensor, rounds: int) -> tuple[dict[str, list[float]], float]:
    """Return the seconds of every loop in every round, and the processor's best."""
    model = ConvNet()
    for loop in LOOPS.values():  # warm-up
        seconds(loop, model, x[: 10 * BATCH_SIZE], y[: 10 * BATCH_SIZE])
    times: dict[str, list[float]] = {name: [] for name in LOOPS}
    names, peaks = list(LOOPS), []
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(seconds(LOOPS[name], model, x, y))
        peaks.append(peak())
    return times, statistics.median(peaks)


def report(times: dict[str, list[float]], images: int, peak: float) -> str:
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
        pace = images / statistics.median(theirs)
        lines.append(line)
        lines.append(
            f"{'':<16}{pace:>8,.0f} images a second, {pace * MULTIPLY_ADDS / peak:.0%} of the best "
            "this processor can multiply and add"
        )
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
    times, best = measure(x, y, options.rounds)
    print(
        f"\nOne epoch of {options.images:,} images ({digits.source}) in batches of {BATCH_SIZE}, "
        f"median of {options.rounds} rounds.\n"
        f"{platform.platform()}, {platform.machine()}, Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}, {options.threads} thread(s).\n"
    )
    print(report(times, options.images, best))


if __name__ == "__main__":
    main()

"""One training of the real network as data: what was set, and what came of it."""

import math
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, field
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from cnnlesson._support.arguments import Count, Flag, MomentumCoefficient, Positive, Seed
from cnnlesson._support.seeding import Seeded
from cnnlesson.data import Digits, load_digits, standardize
from cnnlesson.evaluation import evaluate, predict_logits
from cnnlesson.experiments.activity import dead_channels
from cnnlesson.model import ConvNet
from cnnlesson.training import History, train_model

__all__ = ["Run", "RunResult", "run_experiment"]

CURVE_POINTS = 25

# A misspelt setting is an error, in Python and in a file.
_STRICT = ConfigDict(extra="forbid")

Pixels = Literal["raw", "unit", "standardized"]
Rule = Literal["sgd", "nesterov", "adam", "adamw"]


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Run:
    """What is set before one training. The defaults are those of the course's first experiment.

    Attributes
    ----------
    lr : float, default 0.001
        Step size α, positive.
    momentum : float, default 0.8
        Momentum μ, in [0, 1).
    batch_size : int, default 32
        Images per step, 1 or more.
    num_epochs : int, default 1
        Passes over the training images, 1 or more.
    num_images : int, default 6000
        Training images, 1 or more.
    num_test_images : int, default 2000
        Images that accuracy is measured on, 1 or more. None of them is a training image.
    pixels : {"raw", "unit", "standardized"}, default "raw"
        Scale of the pixels: 0 to 255, 0 to 1, or zero mean and unit variance.
    order : {"shuffled", "sorted"}, default "shuffled"
        A new random order every epoch, or all images sorted by class: zeros first, nines last.
    seed : int, default 0
        Decides the initial weights and the order of the images. Which images they are does not
        depend on it.
    optimizer : {"sgd", "nesterov", "adam", "adamw"}, default "sgd"
        The rule of the step. For the last two, ``momentum`` is their β₁; all else is PyTorch's
        default.
    schedule : {"constant", "one-cycle"}, default "constant"
        The step size at every step: ``lr``, or up to ``lr`` and down to nearly 0 over the whole
        training, as ``OneCycleLR`` does it, momentum being left alone.
    measure_every : int, optional
        Measure accuracy along the way too, every so many steps, 1 or more.
    measure_training : bool, default False
        Measure accuracy on the training images too, at the end.

    Raises
    ------
    ValueError
        If a value is out of its range, or there is no such setting.
    """

    lr: Positive = 0.001
    momentum: MomentumCoefficient = 0.8
    batch_size: Count = 32
    num_epochs: Count = 1
    num_images: Count = 6000
    num_test_images: Count = 2000
    pixels: Pixels = "raw"
    order: Literal["shuffled", "sorted"] = "shuffled"
    seed: Seed = 0
    optimizer: Rule = "sgd"
    schedule: Literal["constant", "one-cycle"] = "constant"
    measure_every: Count | None = None
    measure_training: Flag = False


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class RunResult:
    """What came of one training.

    Attributes
    ----------
    run : Run
        What was set.
    status : {"completed", "interrupted", "diverged", "dead"}
        ``"diverged"``: a loss or a weight is not a finite number. ``"dead"``: the network answers
        the same to every image, because no ReLU lets anything through any more.
    train_losses : list of float
        Mean training loss of each finished epoch.
    test_accuracies : list of float
        Accuracy on the test images after each finished epoch.
    seconds : float
        Wall time of the training and its measurements.
    loss_curve : list of float
        Mean batch loss over consecutive parts of the training, 25 of about equal length or one
        per step if there are fewer steps, to four significant digits. A training that ended early
        has the parts it finished.
    accuracy_curve : list of float
        Accuracy on the test images after every ``run.measure_every`` steps; empty without it.
    train_accuracy : float, optional
        Accuracy on the training images at the end, with ``run.measure_training``; none if a weight
        is not a finite number.
    dead_channels : list of float
        Share of the channels of each ReLU layer, first to last, that give 0 for every test image
        at the end; empty if a weight is not a finite number.
    digits : str
        Which digits, as ``Digits.source`` names them.
    environment : dict of str to str
        The versions of ``python`` and ``torch``, the ``machine`` and the ``device``.
    """

    run: Run
    status: Literal["completed", "interrupted", "diverged", "dead"]
    train_losses: list[float]
    test_accuracies: list[float]
    seconds: float
    loss_curve: list[float] = field(default_factory=list)
    accuracy_curve: list[float] = field(default_factory=list)
    train_accuracy: float | None = None
    dead_channels: list[float] = field(default_factory=list)
    digits: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def train_loss(self) -> float:
        """Mean training loss of the last finished epoch; NaN if none was finished."""
        return self.train_losses[-1] if self.train_losses else float("nan")

    @property
    def test_accuracy(self) -> float:
        """Accuracy after the last finished epoch; NaN if none was finished."""
        return self.test_accuracies[-1] if self.test_accuracies else float("nan")

    def steps_to(self, accuracy: float) -> float:
        """Return the number of steps after which ``accuracy_curve`` first was that high.

        Parameters
        ----------
        accuracy : float
            What to reach, in [0, 1].

        Returns
        -------
        float
            A multiple of ``run.measure_every``; infinite if it was never reached.
        """
        reached = (i for i, value in enumerate(self.accuracy_curve, start=1) if value >= accuracy)
        first = next(reached, math.inf)
        return first * (self.run.measure_every or 1)

    def to_dict(self) -> dict[str, object]:
        """Return the settings and the final results as one flat row of a table.

        Returns
        -------
        dict
            The fields of ``run``, then ``status``, ``train_loss``, ``test_accuracy``, ``seconds``.
        """
        return asdict(self.run) | {
            "status": self.status,
            "train_loss": self.train_loss,
            "test_accuracy": self.test_accuracy,
            "seconds": self.seconds,
        }


def run_experiment(
    run: Run,
    digits: Digits | None = None,
    *,
    progress: bool = False,
    on_start: Callable[[nn.Module, Tensor, Tensor], object] | None = None,
    on_step: Callable[[History], object] | None = None,
) -> RunResult:
    """Train a new ``ConvNet`` as ``run`` says, and measure it after every epoch.

    It trains on the GPU where PyTorch finds one. PyTorch's global random state is neither used nor
    changed: this can run in a thread of its own.

    Parameters
    ----------
    run : Run
        What to do.
    digits : Digits, optional
        The images, ``load_digits()`` otherwise. Seven tenths of them, always the same, are for
        training, the rest for testing.
    progress : bool, default False
        Show a bar per epoch.
    on_start : callable, optional
        Called once, before the first step, with the new model and its training images and labels,
        the pixels scaled. Whoever keeps the model can look into it from ``on_step``.
    on_step : callable, optional
        Called after every step, as by :func:`train_model`.

    Returns
    -------
    RunResult
        What came of it.

    Raises
    ------
    ValueError
        If there are fewer images than ``run`` asks for.
    """
    digits = load_digits() if digits is None else digits
    train, test = train_test_split(np.arange(len(digits.images)), train_size=0.7, random_state=0)
    train = _take(train, run.num_images, "num_images")
    test = _take(test, run.num_test_images, "num_test_images")
    if run.order == "sorted":
        train = train[np.argsort(digits.labels[train].numpy(), kind="stable")]
    x_train, x_test = (
        _scale(digits.images[train], run.pixels),
        _scale(digits.images[test], run.pixels),
    )

    device = "cuda" if torch.cuda.is_available() else "cpu"
    started = time.perf_counter()
    with Seeded(run.seed):
        model = ConvNet()
    # This order of the weights in memory makes a training a fifth shorter, on a processor too.
    model = convert_conv2d_weight_memory_format(model.to(device), torch.channels_last)
    num_steps = run.num_epochs * -(-run.num_images // run.batch_size)
    optimizer = _optimizer(run, model)
    accuracy_curve: list[float] = []
    if on_start is not None:
        on_start(model, x_train, digits.labels[train])

    def measure(history: History) -> None:
        if run.measure_every and len(history.batch_loss) % run.measure_every == 0:
            accuracy_curve.append(evaluate(model, x_test, digits.labels[test]))
        if on_step is not None:
            on_step(history)

    history = train_model(
        model,
        optimizer,
        nn.CrossEntropyLoss(),
        x_train.to(device),
        digits.labels[train],
        batch_size=run.batch_size,
        num_epochs=run.num_epochs,
        shuffle=run.order == "shuffled",
        x_val=x_test,
        y_val=digits.labels[test],
        seed=run.seed,
        scheduler=_scheduler(run, optimizer, num_steps),
        progress=progress,
        on_step=measure,
    )
    is_finite = all(bool(w.isfinite().all()) for w in model.parameters())
    is_dead = history.status == "completed" and _is_dead(model, x_test)
    dead = list(dead_channels(model, x_test).values()) if is_finite else []
    train_accuracy = None
    if run.measure_training and is_finite:
        train_accuracy = evaluate(model, x_train, digits.labels[train])
    return RunResult(
        run=run,
        status="dead" if is_dead else history.status,
        train_losses=history.train_loss,
        test_accuracies=history.val_accuracy,
        seconds=time.perf_counter() - started,
        loss_curve=_mean_by_parts(history.batch_loss, num_steps),
        accuracy_curve=accuracy_curve,
        train_accuracy=train_accuracy,
        dead_channels=dead,
        digits=digits.source,
        environment={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
            "device": torch.cuda.get_device_name() if device == "cuda" else device,
        },
    )


def _optimizer(run: Run, model: nn.Module) -> torch.optim.Optimizer:
    match run.optimizer:
        case "adam":
            return torch.optim.Adam(model.parameters(), run.lr, betas=(run.momentum, 0.999))
        case "adamw":
            return torch.optim.AdamW(model.parameters(), run.lr, betas=(run.momentum, 0.999))
        case rule:
            # Nesterov's rule without momentum is gradient descent, which PyTorch wants said.
            is_nesterov = rule == "nesterov" and run.momentum > 0
            return torch.optim.SGD(
                model.parameters(), run.lr, momentum=run.momentum, nesterov=is_nesterov
            )


def _scheduler(run: Run, optimizer: torch.optim.Optimizer, num_steps: int) -> LRScheduler | None:
    if run.schedule == "constant":
        return None
    return OneCycleLR(optimizer, run.lr, total_steps=num_steps, cycle_momentum=False)


def _mean_by_parts(losses: list[float], num_steps: int) -> list[float]:
    """Return the mean of each finished part of ``num_steps`` losses, of which some may lack."""
    edges = np.linspace(0, num_steps, min(CURVE_POINTS, num_steps) + 1).round().astype(int)
    parts = pairwise(edges)
    return [float(f"{np.mean(losses[i:j]):.4g}") for i, j in parts if j <= len(losses)]


def _take(indices: np.ndarray, number: int, name: str) -> np.ndarray:
    if number > len(indices):
        raise ValueError(f"{name}: expected at most {len(indices)}, found {number}")
    return indices[:number]


def _scale(images: Tensor, pixels: Pixels) -> Tensor:
    match pixels:
        case "unit":
            return images / 255
        case "standardized":
            return standardize(images)
        case _:
            return images


def _is_dead(model: nn.Module, x: Tensor) -> bool:
    """Tell whether the logits are the same for every image; one image alone cannot say."""
    logits = predict_logits(model, x)
    return len(logits) > 1 and bool((logits == logits[0]).all())

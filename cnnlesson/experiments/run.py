"""One training of the real network as data: what was set, and what came of it."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import asdict, field, fields
from typing import Any, Literal, Self

from pydantic import ConfigDict, model_validator
from pydantic.dataclasses import dataclass

from cnnlesson._support.arguments import (
    Count,
    Flag,
    MomentumCoefficient,
    NonNegative,
    NonNegativeCount,
    Positive,
    Seed,
)

__all__ = ["Run", "RunResult"]

CURVE_POINTS = 25
_ALIVE = 1e-4  # least share of active outputs of a layer that still tells images apart

# A misspelt setting is an error, in Python and in a file.
_STRICT = ConfigDict(extra="forbid")

Pixels = Literal["raw", "unit", "standardized"]
Rule = Literal["sgd", "nesterov", "adam", "adamw"]
Order = Literal["shuffled", "sorted", "file", "windows", "blocks"]


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
    order : {"shuffled", "sorted", "file", "windows", "blocks"}, default "shuffled"
        A new random order every epoch; or one order for all epochs: by class, zeros first and nines
        last; as in the file of the digits; by class, then shuffled within windows of ``stretch``
        images; or by class, then cut into blocks of ``stretch`` images, and these shuffled.
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
        Measure along the way too, on the test images, every so many steps, 1 or more.
    measure_training : bool, default False
        Measure accuracy on the training images too, at the end.
    stretch : int, optional
        Images in a window or a block, 1 or more: for these two orders, and for no other.
    split : {"scikit-learn", "with-replacement"}, default "scikit-learn"
        How three tenths of the digits become test images. ``train_test_split`` takes each once. Or
        they are drawn with replacement, so that some are drawn twice and the training images, those
        never drawn, are more than seven tenths: 0.741 of MNIST.
    weight_decay : float, optional
        Weight decay, 0 or more; otherwise that of PyTorch's rule: 0, or 0.01 for ``"adamw"``.
    shift : int, default 0
        Most pixels by which a training image is moved, down or up and left or right, by chance and
        anew every time that it is seen; 0 or more.
    activation : {"relu", "leaky-relu"}, default "relu"
        What follows each convolution; a leaky ReLU has the slope 0.1 below 0.

    Raises
    ------
    ValueError
        If a value is out of its range, there is no such setting, or ``stretch`` does not go with
        ``order``.
    """

    lr: Positive = 0.001
    momentum: MomentumCoefficient = 0.8
    batch_size: Count = 32
    num_epochs: Count = 1
    num_images: Count = 6000
    num_test_images: Count = 2000
    pixels: Pixels = "raw"
    order: Order = "shuffled"
    seed: Seed = 0
    optimizer: Rule = "sgd"
    schedule: Literal["constant", "one-cycle"] = "constant"
    measure_every: Count | None = None
    measure_training: Flag = False
    stretch: Count | None = None
    split: Literal["scikit-learn", "with-replacement"] = "scikit-learn"
    weight_decay: NonNegative | None = None
    shift: NonNegativeCount = 0
    activation: Literal["relu", "leaky-relu"] = "relu"

    @model_validator(mode="after")
    def _check_stretch(self) -> Self:
        """Refuse a number that would do nothing, and its absence where it is needed."""
        if (self.stretch is not None) != (self.order in ("windows", "blocks")):
            expected = "a number of images" if self.stretch is None else "none"
            raise ValueError(
                f"stretch: expected {expected} with order={self.order!r}, found {self.stretch}"
            )
        return self

    @property
    def num_steps(self) -> int:
        """Steps of the whole training."""
        return self.num_epochs * -(-self.num_images // self.batch_size)

    @classmethod
    def from_row(cls, row: Mapping[Hashable, Any]) -> Self:
        """Return the run that a row of a table of results is about.

        Parameters
        ----------
        row : mapping
            A row of :func:`cnnlesson.load_results` or :func:`cnnlesson.load_curvature`, such as
            ``table.loc[3]`` or what ``RunResult.to_dict`` returns. Columns that are no setting are
            left aside. A setting that is missing, or NaN as in a table, has its default.

        Returns
        -------
        Run
            The run, equal to the one that was measured.

        Raises
        ------
        ValueError
            If the row holds no setting at all, or one that is out of its range.

        Examples
        --------
        >>> Run.from_row({"lr": 0.01, "measure_every": float("nan"), "status": "completed"}).lr
        0.01
        """
        values = {field.name: row[field.name] for field in fields(cls) if field.name in row}
        if not values:
            raise ValueError(f"row: expected settings of a run, found {list(row)}")
        # NumPy's numbers become Python's, and what differs from itself is NaN.
        plain = {name: getattr(v, "item", lambda v=v: v)() for name, v in values.items()}
        return cls(**{name: v for name, v in plain.items() if v is not None and v == v})


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
        Accuracy on the test images after every ``run.measure_every`` steps; empty without it, as
        are the next four.
    losses_between : list of float
        Mean batch loss of the ``run.measure_every`` steps before each of these measurements, to
        four significant digits.
    answers : list of list of int
        How many of the test images are taken for a 0, a 1, …, a 9.
    class_accuracies : list of list of float
        Share of the test images of each class that are right, to two decimals; 0 without any.
    active_shares : list of list of float
        Share of the outputs of each ReLU layer, first to last, that are not 0, over all test
        images, to three significant digits.
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
    losses_between: list[float] = field(default_factory=list)
    answers: list[list[int]] = field(default_factory=list)
    class_accuracies: list[list[float]] = field(default_factory=list)
    active_shares: list[list[float]] = field(default_factory=list)
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

    @property
    def died_after(self) -> float:
        """Steps after which it was first measured all but dead, and so to the end; or infinity.

        All but dead is a network with a ReLU layer that lets less than one output in ten thousand
        through. A multiple of ``run.measure_every``.
        """
        alive = [min(shares, default=0) >= _ALIVE for shares in self.active_shares]
        if not alive or alive[-1]:
            return math.inf
        last_alive = max((i for i, lives in enumerate(alive, start=1) if lives), default=0)
        return (last_alive + 1) * (self.run.measure_every or 1)

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

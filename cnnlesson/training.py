"""The training loop, and the history it returns.

The loop is `train_epoch`. `train_model` repeats it, and adds what a training needs around it: a new
order for every epoch, a look at validation images, a step size that changes, a file to go on from,
and an end in good order whatever happens.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from pydantic import Field, SkipValidation
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from cnnlesson._support.arguments import Count, Flag, NonNegativeCount, Seed, checked
from cnnlesson._support.bars import bar_over
from cnnlesson._support.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from cnnlesson._support.fingerprints import fingerprint, name_of
from cnnlesson._support.guard import Guard, check_criterion, check_optimizer, check_trains
from cnnlesson._support.inputs import (
    Images,
    Labels,
    Model,
    check_images,
    check_model,
    check_pair,
    check_tensor,
)
from cnnlesson._support.schedule import Schedule
from cnnlesson.evaluation import predict_logits

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["History", "train_epoch", "train_model"]

Status = Literal["completed", "interrupted", "diverged"]
Criterion = Callable[[Tensor, Tensor], Tensor]
Watcher = Annotated[
    Callable[["History"], object], Field(description="a function of the history so far")
]


def train_epoch(
    model: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    criterion: Criterion,
    batches: Iterable[tuple[Tensor, Tensor]],
) -> Iterator[float]:
    """Take one step with each batch, and give the loss that the step was taken from.

    Parameters
    ----------
    model : torch.nn.Module
        The model. It is in the mode it is in: who wants dropout calls ``model.train()`` first.
    optimizer : torch.optim.Optimizer
        Moves the parameters of ``model``.
    criterion : callable
        The mean loss of a batch, from the model's output and the labels.
    batches : iterable of pairs of torch.Tensor
        Images and labels of each batch, on the model's device.

    Yields
    ------
    float
        The loss of one batch. If it is not a finite number, no step was taken, and it is the last.
    """
    for images, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        if not math.isfinite(loss.item()):
            yield loss.item()
            return
        loss.backward()
        optimizer.step()
        yield loss.item()


@dataclass
class History:
    """What happened while a model was trained.

    Attributes
    ----------
    train_loss : list of float
        Mean loss over the batches of each finished epoch, measured while the weights moved.
    val_loss, val_accuracy : list of float
        Loss and accuracy on the validation images after each epoch; empty without them.
    batch_loss : list of float
        Loss of every batch, an unfinished epoch included.
    status : {"completed", "interrupted", "diverged"}
        How training ended. ``"diverged"`` means that a loss or a weight is not a finite number;
        such a loss is not in the lists.
    stopped_at : tuple of int, optional
        Epoch and batch that were under way when training ended early, both counted from 1.
    """

    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    batch_loss: list[float] = field(default_factory=list)
    status: Status = "completed"
    stopped_at: tuple[int, int] | None = None

    def to_frame(self) -> "pd.DataFrame":
        """Return one row per finished epoch, counted from 1.

        Returns
        -------
        pandas.DataFrame
            Index ``epoch``; columns ``train_loss`` and, with validation images, ``val_loss`` and
            ``val_accuracy``.
        """
        import pandas as pd  # here, because a training alone needs no tables

        columns = {"train_loss": self.train_loss}
        if self.val_loss:
            columns |= {"val_loss": self.val_loss, "val_accuracy": self.val_accuracy}
        epochs = pd.RangeIndex(1, len(self.train_loss) + 1, name="epoch")
        return pd.DataFrame(columns, index=epochs, dtype=float)

    def __repr__(self) -> str:
        epochs = len(self.train_loss)
        parts = [f"{epochs} epoch{'' if epochs == 1 else 's'}"]
        if self.train_loss:
            parts.append(f"train loss {self.train_loss[0]:.4f} → {self.train_loss[-1]:.4f}")
        if self.val_accuracy:
            parts.append(f"validation accuracy {self.val_accuracy[-1]:.4f}")
        end = " at epoch {}, batch {}".format(*self.stopped_at) if self.stopped_at else ""
        return f"History({self.status}{end}: {', '.join(parts)})"


@checked
def train_model(
    model: Model,
    optimizer: SkipValidation[torch.optim.Optimizer],
    criterion: SkipValidation[Criterion],
    x_train: Images,
    y_train: Labels,
    *,
    batch_size: Count = 32,
    num_epochs: NonNegativeCount = 5,
    shuffle: Flag = True,
    drop_last: Flag = False,
    x_val: Images | None = None,
    y_val: Labels | None = None,
    seed: Seed = 0,
    scheduler: SkipValidation[LRScheduler | None] = None,
    progress: Flag = True,
    checkpoint: str | PathLike | None = None,
    on_step: Watcher | None = None,
) -> History:
    """Train a model in place, one batch at a time.

    Parameters
    ----------
    model : torch.nn.Module
        The model. Batches are moved to the device it is on. It trains in training mode; layers of
        a model in training mode that you put in evaluation mode stay so, as a frozen batch
        normalisation.
    optimizer : torch.optim.Optimizer
        Moves the parameters of ``model``, all that require a gradient.
    criterion : callable
        The loss of a batch, from the model's output and the labels, such as
        ``torch.nn.CrossEntropyLoss()``.
    x_train : torch.Tensor, shape (n, ...)
        Training images, n at least 1.
    y_train : torch.Tensor, shape (n,)
        Their labels.
    batch_size : int, default 32
        Images per step, 1 or more. The last batch of an epoch may be smaller.
    num_epochs : int, default 5
        How often the model sees every image, 0 or more.
    shuffle : bool, default True
        Draw a new order for every epoch. With False the batches keep the order of ``x_train``.
    drop_last : bool, default False
        Leave out the last batch of an epoch if it is smaller than the others.
    x_val, y_val : torch.Tensor, optional
        Validation images and labels, both or neither. They are only measured, after each epoch.
    seed : int, default 0
        Decides the order of the images, 0 or more. The initial weights are the caller's.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Changes the step size: ``OneCycleLR`` and ``CyclicLR``, and what chains them, after every
        batch, as they are defined; ``ReduceLROnPlateau`` by the validation loss (else the training
        loss) of an epoch; any other after every epoch.
    progress : bool, default True
        Show a bar per epoch with the running loss.
    checkpoint : path-like, optional
        A file that is written at the start and after every epoch. If it is there already,
        training goes on from it. On the processor it ends with the very weights of an
        uninterrupted training; a GPU's random numbers, as for dropout, are not in the file. It
        goes on only with the same images, labels, layers, optimizer, schedule and loss. What
        cannot be compared: functions, as a loss (but for its name), in a schedule, or in
        the ``forward`` of a model of yours.
    on_step : callable, optional
        Called with the history so far after every step, to watch or to measure. If it raises
        ``KeyboardInterrupt``, training ends as by the keyboard.

    Returns
    -------
    History
        The losses. An interrupt from the keyboard, or a loss that is not finite, ends training
        early but returns what there is; ``status`` and ``stopped_at`` tell.

    Raises
    ------
    ValueError
        If an argument is out of its range; model, images, labels and loss do not fit each other;
        the optimizer or the scheduler does not serve this model; or the checkpoint cannot be
        written, is damaged or belongs to another training. Known before the first step.
    """
    check_model("model", model)
    _check_examples("x_train", x_train, "y_train", y_train)
    if (x_val is None) != (y_val is None):
        raise ValueError("x_val and y_val: expected both or neither, found one")
    if x_val is not None and y_val is not None:
        _check_examples("x_val", x_val, "y_val", y_val)
    check_optimizer(model, optimizer)
    check_trains(model)
    check_criterion(criterion)
    device = next(model.parameters()).device
    state = TrainingState(model, optimizer, scheduler, torch.Generator().manual_seed(seed))
    order = state.order if shuffle else None
    batches = _Batches(x_train, y_train, batch_size, order, drop_last, device)
    guard = Guard(model, criterion, x_train, y_train, batches.smallest)
    if x_val is not None and y_val is not None:
        guard.check_validation(x_val, y_val)
    schedule = Schedule(scheduler, optimizer)
    set_training_mode = _training_mode(model)

    history = History()
    settings: dict[str, int | str | None] = {
        "batch_size": batch_size,
        "shuffle": shuffle,
        "drop_last": drop_last,
        "seed": seed,
        "number of images": len(x_train),
        "number of validation images": 0 if x_val is None else len(x_val),
    }
    if checkpoint is not None:
        settings |= {
            "loss": name_of(criterion),
            "training images": fingerprint(x_train),
            "training labels": fingerprint(y_train),
            "validation images": fingerprint(x_val),
            "validation labels": fingerprint(y_val),
        }
        if kept := load_checkpoint(checkpoint, settings, state, num_epochs):
            history = History(**kept)
        else:
            save_checkpoint(checkpoint, settings, state, vars(history))
    first_epoch = len(history.train_loss) + 1
    batches.under_way = first_epoch, 1
    schedule.check_length((num_epochs - first_epoch + 1) * len(batches))

    try:
        for epoch in range(first_epoch, num_epochs + 1):
            batches.under_way = epoch, 1
            set_training_mode()
            running_loss = 0.0
            losses = train_epoch(guard.model, optimizer, guard.criterion, batches)
            title = f"epoch {epoch}/{num_epochs}"
            bar = bar_over(losses, title, len(batches), "batch", progress=progress)
            with nullcontext(losses) if bar is None else bar as shown:
                for number, loss in enumerate(shown, start=1):
                    _check_finite(loss)
                    schedule.after_batch()
                    history.batch_loss.append(loss)
                    running_loss += loss
                    if bar is not None:
                        bar.set_postfix_str(f"loss {running_loss / number:.4f}", refresh=False)
                    if on_step is not None:
                        on_step(history)
                        set_training_mode()  # whoever measures may leave it in evaluation mode
            _check_finite(*model.parameters())
            if x_val is not None and y_val is not None:
                _validate(model, criterion, x_val, y_val, history)
            history.train_loss.append(running_loss / len(batches))
            schedule.after_epoch((history.val_loss or history.train_loss)[-1])
            if checkpoint is not None:
                save_checkpoint(checkpoint, settings, state, vars(history))
    except KeyboardInterrupt:
        history.status, history.stopped_at = "interrupted", batches.under_way
    except _Diverged:
        history.status, history.stopped_at = "diverged", batches.under_way
    return history


def _check_examples(x_name: str, x: Tensor, y_name: str, y: Tensor) -> None:
    check_images(x_name, x)
    check_tensor(y_name, y, dtype="long", part=1)
    check_pair(x_name, x, y_name, y)


class _Batches:
    """Images and labels in batches: iterating is one epoch, each in an order of its own.

    ``under_way`` is the epoch, as it was told, and the batch, both counted from 1. They change
    together: an interrupt may come between any two lines.
    """

    under_way = 1, 1

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        size: int,
        order: torch.Generator | None,
        drop_last: bool,
        device: torch.device,
    ) -> None:
        if drop_last and size > len(x):
            raise ValueError(
                f"batch_size: expected at most {len(x)}, the number of images, with drop_last, "
                f"found {size}"
            )
        self.x, self.y = x, y.to(x.device)  # one set of indices serves both
        self.size, self.order, self.device = size, order, device
        self.num_images = len(x) - len(x) % size if drop_last else len(x)

    def __len__(self) -> int:
        return -(-self.num_images // self.size)

    @property
    def smallest(self) -> int:
        """Images in the last batch, which is the smallest."""
        return self.num_images - (len(self) - 1) * self.size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        (epoch, _), n = self.under_way, len(self.x)
        order = torch.arange(n) if self.order is None else torch.randperm(n, generator=self.order)
        kept = order[: self.num_images].to(self.x.device)
        for number, batch in enumerate(kept.split(self.size), start=1):
            self.under_way = epoch, number
            # Several times as fast as x[batch].
            images, labels = self.x.index_select(0, batch), self.y.index_select(0, batch)
            yield images.to(self.device), labels.to(self.device)


def _training_mode(model: nn.Module) -> Callable[[], None]:
    """Return what puts the model in training mode, but for layers that were frozen on purpose."""
    frozen = [m for m in model.modules() if not m.training] if model.training else []

    def set_training_mode() -> None:
        model.train()
        for module in frozen:
            module.training = False

    return set_training_mode


def _validate(
    model: nn.Module, criterion: Criterion, x: Tensor, y: Tensor, history: History
) -> None:
    logits = predict_logits(model, x)
    labels = y.to(logits.device)
    loss = criterion(logits, labels).item()
    _check_finite(loss)
    history.val_accuracy.append(int((logits.argmax(1) == labels).sum()) / len(labels))
    history.val_loss.append(loss)


class _Diverged(Exception):  # noqa: N818 (it ends a training, and is no error of anybody's)
    """A loss or a weight is not a finite number."""


def _check_finite(*values: float | Tensor) -> None:
    if not all(bool(torch.as_tensor(value).isfinite().all()) for value in values):
        raise _Diverged

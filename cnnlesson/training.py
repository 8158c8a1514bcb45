"""The training loop, and the history it returns."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike
from typing import Literal

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau
from tqdm.auto import tqdm

from cnnlesson._support.arguments import Count, Flag, NonNegativeCount, Seed, checked
from cnnlesson._support.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from cnnlesson._support.inputs import check_pair
from cnnlesson.evaluation import predict_logits

__all__ = ["History", "train_model"]

Status = Literal["completed", "interrupted", "diverged"]


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

    def to_frame(self) -> pd.DataFrame:
        """Return one row per finished epoch, counted from 1.

        Returns
        -------
        pandas.DataFrame
            Index ``epoch``; columns ``train_loss`` and, with validation images, ``val_loss`` and
            ``val_accuracy``.
        """
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
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    criterion: Callable[[Tensor, Tensor], Tensor],
    x_train: Tensor,
    y_train: Tensor,
    *,
    batch_size: Count = 32,
    num_epochs: NonNegativeCount = 5,
    shuffle: Flag = True,
    x_val: Tensor | None = None,
    y_val: Tensor | None = None,
    seed: Seed = 0,
    scheduler: LRScheduler | None = None,
    progress: Flag = True,
    checkpoint: str | PathLike | None = None,
    on_step: Callable[[History], object] | None = None,
) -> History:
    """Train a model in place, one batch at a time.

    Parameters
    ----------
    model : torch.nn.Module
        The model. Batches are moved to the device it is on.
    optimizer : torch.optim.Optimizer
        Moves the parameters of ``model``.
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
    x_val, y_val : torch.Tensor, optional
        Validation images and labels, both or neither. They are only measured, after each epoch.
    seed : int, default 0
        Decides the order of the images, 0 or more. The initial weights are the caller's.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Changes the step size: ``OneCycleLR`` and ``CyclicLR`` after every batch, as they are
        defined, ``ReduceLROnPlateau`` by the validation loss (else the training loss) of an
        epoch, any other after every epoch.
    progress : bool, default True
        Show a bar per epoch with the running loss.
    checkpoint : path-like, optional
        A file that is written at the start and after every epoch. If it is there already,
        training goes on from it. On the processor it ends with the very weights of an
        uninterrupted training; a GPU's random numbers, as for dropout, are not in the file.
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
        If an argument is out of its range, images and labels differ in number, the optimizer
        does not hold the parameters of this model, or the checkpoint cannot be written, is
        damaged or belongs to another training.
    """
    check_pair("x_train", x_train, "y_train", y_train)
    if (x_val is None) != (y_val is None):
        raise ValueError("x_val and y_val: expected both or neither, found one")
    if x_val is not None and y_val is not None:
        check_pair("x_val", x_val, "y_val", y_val)
    _check_same(model, optimizer, scheduler)

    history = History()
    state = TrainingState(model, optimizer, scheduler, torch.Generator().manual_seed(seed))
    settings = {
        "batch_size": batch_size,
        "shuffle": shuffle,
        "seed": seed,
        "number of images": len(x_train),
        "number of validation images": 0 if x_val is None else len(x_val),
    }
    if checkpoint is not None:
        if losses := load_checkpoint(checkpoint, settings, state, num_epochs):
            history = History(**losses)
        else:
            save_checkpoint(checkpoint, settings, state, vars(history))

    device = next(model.parameters()).device
    y_train = y_train.to(x_train.device)  # one set of indices serves both
    # tqdm's own switch is looked up here, because its notebook bar overlooks it.
    silent = not progress or bool(os.environ.get("TQDM_DISABLE"))
    first_epoch = len(history.train_loss) + 1
    epoch, i = first_epoch, 1
    try:
        for epoch in range(first_epoch, num_epochs + 1):
            model.train()
            i, running_loss = 1, 0.0
            order = _draw_order(len(x_train), state.order if shuffle else None)
            batches = order.to(x_train.device).split(batch_size)
            with tqdm(batches, f"epoch {epoch}/{num_epochs}", unit="batch", disable=silent) as bar:
                for i, batch in enumerate(bar, start=1):
                    optimizer.zero_grad()
                    # Several times as fast as x_train[batch].
                    images = x_train.index_select(0, batch).to(device)
                    labels = y_train.index_select(0, batch).to(device)
                    loss = criterion(model(images), labels)
                    batch_loss = loss.item()
                    if not math.isfinite(batch_loss):
                        return _stop(history, "diverged", epoch, i)
                    loss.backward()
                    optimizer.step()
                    if isinstance(scheduler, OneCycleLR | CyclicLR):
                        scheduler.step()
                    history.batch_loss.append(batch_loss)
                    running_loss += batch_loss
                    bar.set_postfix_str(f"loss {running_loss / i:.4f}", refresh=False)
                    if on_step is not None:
                        on_step(history)
                        model.train()  # whoever measures may leave it in evaluation mode
            if not all(w.isfinite().all() for w in model.parameters()):
                return _stop(history, "diverged", epoch, i)

            if x_val is not None and y_val is not None:
                logits = predict_logits(model, x_val)
                labels = y_val.to(device)
                val_loss = criterion(logits, labels).item()
                if not math.isfinite(val_loss):
                    return _stop(history, "diverged", epoch, i)
                history.val_accuracy.append(int((logits.argmax(1) == labels).sum()) / len(labels))
                history.val_loss.append(val_loss)
            history.train_loss.append(running_loss / len(batches))
            _step_after_epoch(scheduler, history)
            if checkpoint is not None:
                save_checkpoint(checkpoint, settings, state, vars(history))
    except KeyboardInterrupt:
        return _stop(history, "interrupted", epoch, i)
    return history


def _check_same(
    model: nn.Module, optimizer: torch.optim.Optimizer, scheduler: LRScheduler | None
) -> None:
    """Refuse what is left over from another model, as after running half of a notebook again."""
    held = {w for group in optimizer.param_groups for w in group["params"]}
    if held.isdisjoint(model.parameters()):
        raise ValueError(
            "optimizer: expected one that holds parameters of model, found none of them in it; "
            "make a new optimizer for a new model"
        )
    if scheduler is not None and scheduler.optimizer is not optimizer:
        raise ValueError(
            "scheduler: expected one that was made for optimizer, found another's; "
            "make a new scheduler for a new optimizer"
        )


def _draw_order(n: int, generator: torch.Generator | None) -> Tensor:
    """Return the indices 0 to n − 1, in a new random order or as they stand."""
    return torch.arange(n) if generator is None else torch.randperm(n, generator=generator)


def _stop(history: History, status: Status, epoch: int, batch: int) -> History:
    """Note that training ended early, and where."""
    history.status = status
    history.stopped_at = (epoch, batch)
    return history


def _step_after_epoch(scheduler: LRScheduler | None, history: History) -> None:
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step((history.val_loss or history.train_loss)[-1])
    elif scheduler is not None and not isinstance(scheduler, OneCycleLR | CyclicLR):
        scheduler.step()

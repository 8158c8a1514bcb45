"""When a schedule of step sizes moves on: after every batch, or after every epoch."""

import inspect
import math
from typing import Any

import torch
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    CyclicLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
)

__all__ = ["Schedule", "moves_momentum", "outline_of_schedule"]

# What PyTorch's schedulers note of where they are; the rest of their states says what they are.
_MOVING = {
    *("last_epoch", "_step_count", "_last_lr", "_is_initial", "_get_lr_called_within_step"),
    *("best", "num_bad_epochs", "cooldown_counter", "T_cur", "T_i"),
}
# The first is compared with the optimizer, the second part by part; functions cannot be compared.
_SAID_ELSEWHERE = {"base_lrs", "_schedulers", "lr_lambdas", "_scale_fn_ref", "_scale_fn_custom"}


class Schedule:
    """A scheduler, or none, that is told of every batch and every epoch.

    Parameters
    ----------
    scheduler : torch.optim.lr_scheduler.LRScheduler or None
        ``OneCycleLR`` and ``CyclicLR`` are defined by batches, all others are stepped by epochs. A
        chain or a sequence that holds one of the two is stepped by batches as a whole.
    optimizer : torch.optim.Optimizer
        Whose step size it changes.

    Raises
    ------
    ValueError
        If it is no scheduler, or was made for another optimizer.
    """

    def __init__(self, scheduler: LRScheduler | None, optimizer: torch.optim.Optimizer) -> None:
        if not isinstance(scheduler, LRScheduler | None):
            found = f"{scheduler!r:.60}; torch.optim.lr_scheduler.StepLR(optimizer, 10) is one"
            if isinstance(scheduler, type):
                name = scheduler.__name__
                found = f"the class {name}; {name}(optimizer, …) makes one"
            raise ValueError(
                f"scheduler: expected one of torch.optim.lr_scheduler, or None, found {found}"
            )
        if scheduler is not None and scheduler.optimizer is not optimizer:
            raise ValueError(
                "scheduler: expected one that was made for optimizer, found another's; "
                "make a new scheduler for a new optimizer"
            )
        self.scheduler = scheduler
        self.is_by_batch = any(
            isinstance(part, OneCycleLR | CyclicLR) for part in _parts(scheduler)
        )

    def check_length(self, num_batches: int) -> None:
        """Make sure that the schedule lasts as long as the training.

        Parameters
        ----------
        num_batches : int
            Batches to come.

        Raises
        ------
        ValueError
            If a ``OneCycleLR`` ends before them.
        """
        left = _steps_left(self.scheduler)
        if num_batches > left:
            raise ValueError(
                f"scheduler: expected one for the {num_batches} steps to come, found {left:.0f} "
                f"left in it; make it with total_steps={num_batches}"
            )

    def after_batch(self) -> None:
        """Move on, if the schedule is defined by batches."""
        if self.scheduler is not None and self.is_by_batch:
            self.scheduler.step()

    def after_epoch(self, loss: float) -> None:
        """Move on, if the schedule is defined by epochs.

        Parameters
        ----------
        loss : float
            What ``ReduceLROnPlateau`` goes by.
        """
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(loss)
        elif self.scheduler is not None and not self.is_by_batch:
            self.scheduler.step()


def outline_of_schedule(scheduler: LRScheduler | None) -> str | None:
    """Return a schedule in a line, with those settings that stay the same while it runs.

    Parameters
    ----------
    scheduler : torch.optim.lr_scheduler.LRScheduler or None
        The schedule.

    Returns
    -------
    str or None
        Name and settings of each of its parts; a function among them cannot be told from another.
    """
    return ", ".join(map(_outline, _parts(scheduler))) or None


def _outline(part: LRScheduler) -> str:
    settings: dict[str, Any] = part.state_dict()
    if type(part).__module__ == LRScheduler.__module__:
        constant = settings.keys() - _MOVING - _SAID_ELSEWHERE
    else:  # of somebody else's we know what they are made of
        constant = inspect.signature(type(part)).parameters.keys() - _MOVING
    return f"{type(part).__name__} { {k: v for k, v in settings.items() if k in constant} }"


def moves_momentum(scheduler: LRScheduler | None) -> bool:
    """Say whether a schedule changes the momentum too, as cycles do.

    Parameters
    ----------
    scheduler : torch.optim.lr_scheduler.LRScheduler or None
        The schedule.

    Returns
    -------
    bool
        True if a part of it does.
    """
    return any(getattr(part, "cycle_momentum", False) for part in _parts(scheduler))


def _parts(scheduler: LRScheduler | None) -> list[LRScheduler]:
    """Return a scheduler and all those that it is made of."""
    if scheduler is None:
        return []
    if not isinstance(scheduler, ChainedScheduler | SequentialLR):
        return [scheduler]
    return [scheduler, *(part for inner in scheduler._schedulers for part in _parts(inner))]


def _steps_left(scheduler: LRScheduler | None) -> float:
    """Return how often a scheduler can be stepped."""
    match scheduler:
        case OneCycleLR():
            return scheduler.total_steps - max(scheduler.last_epoch, 0)  # −1: not begun
        case ChainedScheduler():
            return min(map(_steps_left, scheduler._schedulers), default=math.inf)
        case SequentialLR():
            *_, last = scheduler._schedulers
            # Its parts begin anew where they are due; the last one has to reach the end.
            started = max(scheduler.last_epoch, scheduler._milestones[-1])
            return started - scheduler.last_epoch + _steps_left(last)
        case _:
            return math.inf

"""Training that survives an interruption: its whole state to a file, and back."""

from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

__all__ = ["TrainingState", "load_checkpoint", "save_checkpoint"]


class TrainingState(NamedTuple):
    """The objects that change while a model is trained.

    Attributes
    ----------
    model : torch.nn.Module
        Its weights and buffers.
    optimizer : torch.optim.Optimizer
        Its velocities.
    scheduler : torch.optim.lr_scheduler.LRScheduler or None
        Where the step size is on its way.
    order : torch.Generator
        The generator that draws the order of the images.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler | None
    order: torch.Generator


def save_checkpoint(
    path: str | PathLike, settings: dict[str, Any], state: TrainingState, losses: dict[str, Any]
) -> None:
    """Write the state of a training, all of it or nothing.

    Parameters
    ----------
    path : path-like
        The file. It is replaced in one step: a kill leaves the old one or the new one.
    settings : dict
        What must be the same when training goes on, as plain numbers, strings, tuples and dicts.
    state : TrainingState
        What has changed so far.
    losses : dict of lists
        The history so far.
    """
    content = {
        "settings": settings,
        "losses": losses,
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "scheduler": state.scheduler.state_dict() if state.scheduler else None,
        "order": state.order.get_state(),
        "random": torch.get_rng_state(),  # dropout draws from this one
    }
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    torch.save(content, unfinished)
    unfinished.replace(path)


def load_checkpoint(
    path: str | PathLike, settings: dict[str, Any], state: TrainingState
) -> dict[str, Any] | None:
    """Put a training back into the state of a file, and return its losses.

    Parameters
    ----------
    path, settings, state
        As for :func:`save_checkpoint`.

    Returns
    -------
    dict of lists, or None
        The history so far; None if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged or belongs to another training. Nothing is changed then.
    """
    path = Path(path)
    if not path.exists():
        return None
    remedy = "give another path, or delete the file to start afresh"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        found = content["settings"]
    except Exception as error:  # a damaged file fails in many ways; all of them mean the same
        raise ValueError(
            f"{path}: expected a checkpoint written by train_model, "
            f"found {path.stat().st_size} bytes that cannot be read as one; {remedy}"
        ) from error
    for name, expected in settings.items():
        if found.get(name) != expected:
            raise ValueError(
                f"{path}: expected a checkpoint with {name} {expected}, "
                f"found {found.get(name)}; {remedy}"
            )
    state.model.load_state_dict(content["model"])
    state.optimizer.load_state_dict(content["optimizer"])
    if state.scheduler:
        state.scheduler.load_state_dict(content["scheduler"])
    state.order.set_state(content["order"])
    torch.set_rng_state(content["random"])
    return content["losses"]

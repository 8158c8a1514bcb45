"""Training that survives an interruption: its whole state to a file, and back."""

import inspect
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

__all__ = ["TrainingState", "load_checkpoint", "save_checkpoint"]

REMEDY = "give another path, or delete the file to start afresh"


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

    def identity(self) -> dict[str, Any]:
        """Return what defines these objects and stays the same while they are used.

        Returns
        -------
        dict
            Names and values, for :func:`load_checkpoint` to compare.
        """
        scheduler, groups = self.scheduler, self.optimizer.param_groups
        hyperparameters: dict[str, Any] = {}
        if scheduler:
            chosen = inspect.signature(type(scheduler)).parameters.keys() - {"last_epoch"}
            hyperparameters = {k: v for k, v in scheduler.state_dict().items() if k in chosen}
        return {
            "optimizer": f"{type(self.optimizer).__name__} {self.optimizer.defaults}",
            "parameters per group": tuple(len(group["params"]) for group in groups),
            # A scheduler may have moved the step size, and not all of them note where it began.
            "initial step sizes": tuple(
                str(group.get("initial_lr", None if scheduler else group["lr"])) for group in groups
            ),
            "scheduler": f"{type(scheduler).__name__} {hyperparameters}" if scheduler else None,
            **{f"shape of {name}": tuple(w.shape) for name, w in self.model.state_dict().items()},
        }


def save_checkpoint(
    path: str | PathLike, settings: dict[str, Any], state: TrainingState, losses: dict[str, Any]
) -> None:
    """Write the state of a training, all of it or nothing.

    Parameters
    ----------
    path : path-like
        The file. It is replaced in one step: a kill leaves the old one or the new one.
    settings : dict
        What must be the same when training goes on, as plain numbers, strings and tuples.
    state : TrainingState
        What has changed so far.
    losses : dict of lists
        The history so far.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    content = {
        "settings": settings | state.identity(),
        "losses": losses,
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "scheduler": state.scheduler.state_dict() if state.scheduler else None,
        "order": state.order.get_state(),
        "random": torch.get_rng_state(),  # on the processor dropout draws from this one
    }
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        torch.save(content, unfinished)
        unfinished.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a missing folder as RuntimeError
        raise ValueError(f"{path}: expected a file that can be written, found: {error}") from error


def load_checkpoint(
    path: str | PathLike, settings: dict[str, Any], state: TrainingState, num_epochs: int
) -> dict[str, Any] | None:
    """Put a training back into the state of a file, and return its losses.

    Parameters
    ----------
    path, settings, state
        As for :func:`save_checkpoint`.
    num_epochs : int
        How many epochs the training takes in all.

    Returns
    -------
    dict of lists, or None
        The history so far; None if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged, belongs to another training or is further than ``num_epochs``.
        Nothing is changed then.
    """
    path = Path(path)
    if not path.exists():
        return None
    content = _read(path)
    expected, found = settings | state.identity(), content["settings"]
    for name in expected | found:
        if found.get(name) != expected.get(name):
            raise ValueError(
                f"{path}: expected a checkpoint with {name} {expected.get(name)}, "
                f"found {found.get(name)}; {REMEDY}"
            )
    if (epochs := len(content["losses"]["train_loss"])) > num_epochs:
        raise ValueError(
            f"{path}: expected a checkpoint of at most {num_epochs} epochs, "
            f"found {epochs}; {REMEDY}"
        )
    state.model.load_state_dict(content["model"])
    state.optimizer.load_state_dict(content["optimizer"])
    if state.scheduler:
        state.scheduler.load_state_dict(content["scheduler"])
    state.order.set_state(content["order"])
    torch.set_rng_state(content["random"])
    return content["losses"]


def _read(path: Path) -> dict[str, Any]:
    try:
        with ZipFile(path) as archive:
            if damaged := archive.testzip():  # torch itself does not compare the checksums
                raise BadZipFile(damaged)
        content = torch.load(path, map_location="cpu", weights_only=True)
        content["settings"], content["losses"]["train_loss"]
    except Exception as error:  # a damaged file fails in many ways; all of them mean the same
        found = "a folder" if path.is_dir() else f"{path.stat().st_size} bytes"
        raise ValueError(
            f"{path}: expected a checkpoint written by train_model, "
            f"found {found} that cannot be read as one; {REMEDY}"
        ) from error
    return content

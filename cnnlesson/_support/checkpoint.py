"""Training that survives an interruption: its whole state to a file, and back.

A file belongs to one training. What can be compared is compared before anything is changed: the
images and labels, the layers, what trains, the optimizer, the schedule, the loss. A loss that is a
function is known by its name alone, and what it does cannot be compared; nor can a function that
a schedule is made of, nor what happens inside a model's own ``forward``.
"""

import copy
import inspect
import io
import secrets
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from cnnlesson._support.fingerprints import checksum_of, outline
from cnnlesson._support.schedule import moves_momentum, outline_of_schedule

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
        # PyTorch adds this default when it loads a state; absent it means the same.
        defaults = dict(self.optimizer.defaults)
        defaults |= {"differentiable": defaults.get("differentiable", False)}
        names = {w: name for name, w in self.model.named_parameters()}
        return {
            "optimizer": f"{type(self.optimizer).__name__} {defaults}",
            "parameters per group": tuple(
                tuple(names.get(w, "none of the model's") for w in group["params"])
                for group in groups
            ),
            # A scheduler may have moved the step size, and not all of them note where it began.
            "initial step sizes": tuple(
                str(group.get("initial_lr", None if scheduler else group["lr"])) for group in groups
            ),
            "settings of the groups": tuple(map(self._own_settings, groups)),
            "scheduler": outline_of_schedule(scheduler),
            "layers in evaluation mode": tuple(self._frozen()),
            **{f"shape of {name}": tuple(w.shape) for name, w in self.model.state_dict().items()},
            **{f"type of {name}": str(w.dtype) for name, w in self.model.state_dict().items()},
            **{f"layer {name or 'itself'}": outline(m) for name, m in self.model.named_modules()},
            **{f"training of {name}": w.requires_grad for w, name in names.items()},
        }

    def _own_settings(self, group: dict[str, Any]) -> dict[str, str]:
        """Return in which settings a group differs from the optimizer, its step size apart."""
        taken = inspect.signature(type(self.optimizer)).parameters
        moving = {"lr"} | ({"momentum", "betas"} if moves_momentum(self.scheduler) else set())
        own = {k: str(group[k]) for k in self.optimizer.defaults if k in taken and k in group}
        return {
            name: value
            for name, value in own.items()
            if name not in moving and value != str(self.optimizer.defaults[name])
        }

    def _frozen(self) -> list[str]:
        """Return the layers that stay in evaluation mode while the model trains."""
        if not self.model.training:
            return []
        return [name for name, layer in self.model.named_modules() if not layer.training]

    def content(self) -> dict[str, Any]:
        """Return what changes while these objects are used.

        Returns
        -------
        dict
            The states, for `restore`.
        """
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "order": self.order.get_state(),
            "random": torch.get_rng_state(),  # on the processor dropout draws from this one
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Put these objects into another state, or leave them in the one they are in.

        Parameters
        ----------
        content : dict
            What `content` returned.

        Raises
        ------
        Exception
            Whatever PyTorch raises, if the content does not fit; nothing is changed then.
        """
        before = copy.deepcopy(self.content())
        try:
            self._put(content)
        except Exception:
            self._put(before)
            raise

    def _put(self, content: dict[str, Any]) -> None:
        self.model.load_state_dict(content["model"])
        self.optimizer.load_state_dict(content["optimizer"])
        if self.scheduler:
            self.scheduler.load_state_dict(content["scheduler"])
        self.order.set_state(content["order"])
        torch.set_rng_state(content["random"])


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
    content = {"settings": state.identity() | settings, "losses": losses} | state.content()
    content["checksum"] = checksum_of(content)
    # To memory first: on a full disk PyTorch's own writer says nothing of a disk.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    path = Path(path)
    # A name of its own: another training may be writing the same checkpoint.
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.unfinished")
    try:
        unfinished.write_bytes(buffer.getbuffer())
        unfinished.replace(path)
    except OSError as error:
        raise ValueError(
            f"{path}: expected a file that can be written, found: {error.strerror or error}"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


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
    expected, found = state.identity() | settings, content["settings"]
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
    try:
        state.restore(content)
    except Exception as error:  # what was written by hand fails in many ways
        raise _damaged(path) from error
    return content["losses"]


def _read(path: Path) -> dict[str, Any]:
    try:
        with ZipFile(path) as archive:
            if damaged := archive.testzip():  # torch itself does not compare the checksums
                raise BadZipFile(damaged)
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content.pop("checksum") != checksum_of(content):
            raise ValueError("changed since it was written")
    except Exception as error:  # a damaged file fails in many ways; all of them mean the same
        raise _damaged(path) from error
    return content


def _damaged(path: Path) -> ValueError:
    found = "a folder" if path.is_dir() else f"{path.stat().st_size} bytes"
    return ValueError(
        f"{path}: expected a checkpoint written by train_model, "
        f"found {found} that cannot be read as one; {REMEDY}"
    )

"""Models, images and labels at the door: what is something else is named, with the way out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from pydantic import SkipValidation
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

__all__ = [
    "Images",
    "Labels",
    "Model",
    "check_classes",
    "check_images",
    "check_labels",
    "check_logits",
    "check_model",
    "check_pair",
    "check_several",
    "check_tensor",
    "what_is_no_model",
]

# For functions that are `checked`, and look at these arguments themselves: the checks below know
# what people give by mistake, and the call that mends it.
Model = SkipValidation[nn.Module]
Images = SkipValidation[Tensor]
Labels = SkipValidation[Tensor]


def check_model(name: str, model: object) -> None:
    """Make sure that this is a model.

    Parameters
    ----------
    name : str
        What the caller calls it.
    model : object
        What was given as a model.

    Raises
    ------
    ValueError
        If it is anything else: a class that was not called, say, or a dictionary of weights. If
        its weights have no numbers.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"{name}: expected a torch.nn.Module, found {what_is_no_model(model)}")
    if any(weight.is_meta for weight in model.parameters()):
        raise ValueError(
            f"{name}: expected weights that have numbers, found some on the device meta, where "
            f'they have a shape only; {name}.to_empty(device="cpu") makes room for them, for '
            "load_state_dict to fill"
        )


def what_is_no_model(model: object) -> str:
    """Say what was given in place of a model, with the way to one.

    Parameters
    ----------
    model : object
        Anything but a model.

    Returns
    -------
    str
        In a few words.
    """
    if isinstance(model, type) and issubclass(model, nn.Module):
        return f"the class {model.__name__}; {model.__name__}() makes a model"
    if isinstance(model, Mapping):
        return "a dictionary; to use saved weights, give them to load_state_dict of a model"
    if type(model).__name__ == "ExportedProgram":
        return "an ExportedProgram; its module() is a model"
    return _kind(model)


def check_images(name: str, x: object) -> None:
    """Make sure that this is a tensor of one image or more; which shape fits, the model tells.

    Parameters
    ----------
    name : str
        What the caller calls the images.
    x : object
        What was given as images.

    Raises
    ------
    ValueError
        If it is no tensor, has no axis or no image.
    """
    check_tensor(name, x, dtype="float", part=0)
    assert isinstance(x, Tensor)
    if x.dim() == 0:
        raise ValueError(f"{name}: expected a batch of images, found a single number")
    if len(x) == 0:
        raise ValueError(f"{name}: expected at least one image, found none")


def check_pair(x_name: str, x: Tensor, y_name: str, y: Tensor) -> None:
    """Make sure that there is one label for each image, and at least one image.

    Parameters
    ----------
    x_name : str
        What the caller calls the images.
    x : torch.Tensor, shape (n, ...)
        Images.
    y_name : str
        What the caller calls the labels.
    y : torch.Tensor, shape (n,)
        Labels.

    Raises
    ------
    ValueError
        If there are no images, or not one label for each.
    """
    check_images(x_name, x)
    n = len(x)
    if y.shape == (n,):
        return
    if y.dim() == 0:
        way_out = f"; of a single image, {x_name}[None] and {y_name}[None] are a batch of one"
    elif y.shape == (n, 1):
        way_out = f", a column; {y_name}[:, 0] is its labels"
    elif y.shape == (1, n):
        way_out = f", a row; {y_name}[0] is its labels"
    elif y.dim() == 2 and len(y) == n:
        way_out = f", one row for each; if they are one-hot, {y_name}.argmax(dim=1) is the labels"
    else:
        way_out = ""
    raise ValueError(
        f"{y_name}: expected one label for each of the {n} images in {x_name}, "
        f"found shape {tuple(y.shape)}{way_out}"
    )


def check_labels(x_name: str, x: Tensor, y_name: str, y: object) -> None:
    """Make sure that these are classes, one for each image; whole numbers of any dtype.

    Parameters
    ----------
    x_name : str
        What the caller calls the images.
    x : torch.Tensor, shape (n, ...)
        Images.
    y_name : str
        What the caller calls the labels.
    y : object
        What was given as labels.

    Raises
    ------
    ValueError
        If they are no tensor, not of shape (n,), no whole numbers, or one is negative.
    """
    check_tensor(y_name, y, dtype="long", part=1)
    assert isinstance(y, Tensor)
    check_pair(x_name, x, y_name, y)
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        found = f"{y.dtype}; {y_name}.long() makes them so"
        if y.is_floating_point() and (parts := y[y != y.floor()]).numel():
            found = f"{y.dtype}, with {parts[0].item():g} among them"
        raise ValueError(f"{y_name}: expected classes as whole numbers, found {found}")
    if int(y.min()) < 0:
        raise ValueError(f"{y_name}: expected classes counted from 0, {_found_among(y, y < 0)}")


def check_classes(y_name: str, y: Tensor, num_classes: int) -> None:
    """Make sure that a model has an output for each label.

    Parameters
    ----------
    y_name : str
        What the caller calls the labels.
    y : torch.Tensor, shape (n,), of whole numbers
        Labels.
    num_classes : int
        How many outputs the model has.

    Raises
    ------
    ValueError
        If a label is not among 0 to ``num_classes - 1``.
    """
    y = y.long()  # some of the small dtypes cannot be compared
    wrong = (y < 0) | (y >= num_classes)
    if not bool(wrong.any()):
        return
    way_out = ""
    if int(y.min()) == 1 and int(y.max()) == num_classes:
        way_out = f"; {y_name} - 1 counts them from 0"
    raise ValueError(
        f"{y_name}: expected classes from 0 to {num_classes - 1}, as the model has {num_classes} "
        f"outputs, {_found_among(y, wrong)}{way_out}"
    )


def check_logits(outputs: object) -> None:
    """Make sure that a model answered with one tensor.

    Parameters
    ----------
    outputs : object
        What its forward returned.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if isinstance(outputs, Tensor):
        return
    found = f"an object of type {type(outputs).__name__}; let forward return the logits alone"
    if outputs is None:
        found = "None; does its forward end in return?"
    raise ValueError(f"model: expected one tensor of logits from its forward, found {found}")


def check_several(num_classes: int) -> None:
    """Make sure that there is a class to choose: of one output, that one is always the largest.

    Parameters
    ----------
    num_classes : int
        How many outputs the model has.

    Raises
    ------
    ValueError
        If there are less than two.
    """
    if num_classes < 2:
        raise ValueError(
            "model: expected an output for each of two classes or more, found "
            f"{num_classes or 'no'} output{'s' * (num_classes != 1)}; if its sign tells two "
            "classes apart, predict_logits(model, x)[:, 0] > 0 is the answer"
        )


def _found_among(y: Tensor, wrong: Tensor) -> str:
    return f"found {y[wrong][0].item()} ({int(wrong.sum())} of {len(y)} are wrong)"


def check_tensor(name: str, value: object, *, dtype: str, part: int) -> None:
    """Make sure that this is a tensor.

    Parameters
    ----------
    name : str
        What the caller calls it.
    value : object
        What was given.
    dtype : str
        The method that makes a tensor the right type: ``"float"`` or ``"long"``.
    part : int
        Where in a pair of images and labels it would stand: 0 or 1.

    Raises
    ------
    ValueError
        If it is anything else, or a tensor of a kind with which little can be computed, such as a
        sparse one; the message says how to make one of it.
    """
    if not isinstance(value, Tensor):
        way_out = _way_to_tensor(name, value, dtype, part)
        raise ValueError(f"{name}: expected a torch.Tensor, found {_kind(value)}{way_out}")
    if found := _special_kind(name, value, dtype):
        raise ValueError(f"{name}: expected an ordinary torch.Tensor, found {found}")


def _special_kind(name: str, tensor: Tensor, dtype: str) -> str | None:
    """Return what kind of tensor this is, if it is one with which little can be computed."""
    if tensor.is_nested:
        return "a nested one; images of one size can be stacked"
    if tensor.is_quantized:
        return f"a quantised one; {name}.dequantize() is ordinary"
    if tensor.layout is not torch.strided:
        return f"a sparse one; {name}.to_dense() is ordinary"
    if tensor.is_meta:
        return "one on the device meta, where tensors have a shape but no numbers"
    if tensor.dtype in (torch.uint16, torch.uint32, torch.uint64):
        return f"{tensor.dtype}, which PyTorch only stores; {name}.{dtype}() can be computed with"
    return None


def _way_to_tensor(name: str, value: Any, dtype: str, part: int) -> str:
    pair = ("images", "labels")
    mine = f"{pair[part]} for images, labels in {name}"
    if hasattr(value, "images") and hasattr(value, "labels"):
        of_it = f"{name}.{pair[part]}"
        return f"; standardize({of_it}) is one" if part == 0 else f"; give {of_it}"
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            return f" of {value.dtype}; one of numbers could be converted"
        if not value.dtype.isnative or any(step < 0 for step in value.strides):
            return f"; torch.tensor({name}.astype('{'float32' if part == 0 else 'int64'}')) is one"
        return f"; torch.from_numpy({name}).{dtype}() is one"
    if isinstance(value, DataLoader):
        return f"; batches are made here, so give torch.cat([{mine}])"
    if isinstance(value, TensorDataset):
        return f"; give {name}.tensors[{part}]"
    if isinstance(value, Dataset):
        gather = "torch.stack" if part == 0 else "torch.tensor"
        return f"; give {gather}([{mine}])"
    if hasattr(value, "to_numpy"):
        return _if_numbers(value.to_numpy(), f"; torch.tensor({name}.to_numpy()).{dtype}() is one")
    if isinstance(value, list | tuple):
        if not value or not all(isinstance(element, Tensor) for element in value):
            return _if_numbers(value, f"; torch.tensor({name}).{dtype}() is one")
        is_pair = isinstance(value, tuple) and len(value) == 2
        return f"; give {name}[{part}]" if is_pair else f"; torch.stack({name}) is one"
    return ""


def _if_numbers(value: Any, way_out: str) -> str:
    """Return a way that is open to numbers only, if these are some."""
    try:
        torch.tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return ", not of numbers in rows of one length"
    return way_out


def _kind(value: object) -> str:
    """Return what something is, in a few words; a value only if it is short and plain."""
    if value is None or isinstance(value, bool | int | float | str):
        text = repr(value)
        return text if len(text) <= 60 else f"a {type(value).__name__}"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"

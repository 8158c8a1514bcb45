"""Why a forward pass failed: what the layer found, and the one thing that it expected instead."""

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

__all__ = [
    "ModuleCall",
    "explain",
    "is_on_maps",
    "is_raised_by_torch",
    "times",
    "unmet",
    "what_it_was_exported_for",
]

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_POOLS = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d),
    *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.LPPool1d, nn.LPPool2d),
)
_NORMS = {nn.BatchNorm1d: (2, 3), nn.BatchNorm2d: (4,), nn.BatchNorm3d: (5,)}


class ModuleCall(NamedTuple):
    """A module that has been entered.

    Attributes
    ----------
    name : str
        Where it is in the model.
    module : torch.nn.Module
        The module.
    inputs : tuple
        What it was called with.
    shapes : list of tuple of int
        The shapes of the tensors in that, as they were then.
    is_leaf : bool
        Whether it is one step, whatever functions it calls.
    is_silent : bool
        Whether it is no step at all, as it only computes a weight.
    rows_before : int
        How many rows there were then.
    handled : BaseException, optional
        The error that was being handled then.
    """

    name: str
    module: nn.Module
    inputs: tuple[Any, ...]
    shapes: list[Any]
    is_leaf: bool
    is_silent: bool
    rows_before: int
    handled: BaseException | None


def is_on_maps(module: nn.Module) -> bool:
    """Say whether a layer slides a window over maps.

    Parameters
    ----------
    module : torch.nn.Module
        The layer.

    Returns
    -------
    bool
        True for a convolution, a transposed one included, and for a pooling by a given window.
    """
    return _axes(module) is not None


def explain(
    error: BaseException,
    failed: ModuleCall | None,
    function: tuple[str, tuple[Any, ...]] | None,
    first: ModuleCall | None,
) -> tuple[str, str]:
    """Say what failed, what it found and what it expected.

    Parameters
    ----------
    error : BaseException
        What was raised.
    failed : ModuleCall or None
        The innermost module that it passed through.
    function : tuple of (str, tuple) or None
        The function that raised it outside every layer, as text, and the tensors it took.
    first : ModuleCall or None
        The first layer on maps, if it has run.

    Returns
    -------
    tuple of str
        The verdict on the whole input, empty if there is none; and the verdict on what failed.
    """
    whole = ""
    if first is not None and (expected := _lacks_batch(first.module, first.inputs)):
        whole = (
            f"the input has no batch dimension\n"
            f"found:    {describe_input(first.inputs)} at {first.name}, {first.module}\n"
            f"expected: {expected}"
        )
    lines: list[str] = []
    if failed is not None and function is not None and not failed.is_leaf:
        lines += [f"failed: {function[0]}, called by {failed.name}"]
        lines += [f"found:    {describe_input(function[1])}"]
    elif failed is not None:
        is_layer = next(failed.module.children(), None) is None
        lines += [f"failed: {failed.name}" + (f", {failed.module}" if is_layer else "")]
        lines += [f"found:    {describe_input(failed.inputs)}"]
        expected = (
            what_it_was_exported_for(failed.module, error)
            or unmet(failed.module, failed.inputs)
            or _signature(failed.module, error)
        )
        if not whole and expected:
            lines += [f"expected: {expected}"]
    raw = str(error).strip().split("\n")[0]  # what follows are pages of signatures
    is_of_torch = function is not None or is_raised_by_torch(error)
    said = f"PyTorch says: {raw}" if is_of_torch else f"raised: {type(error).__name__}: {raw}"
    return whole, "\n".join([*lines, said])


def what_it_was_exported_for(module: nn.Module, error: BaseException) -> str | None:
    """Say which inputs an exported model takes, if it failed because it got another one.

    Parameters
    ----------
    module : torch.nn.Module
        What failed.
    error : BaseException
        What it raised.

    Returns
    -------
    str or None
        The condition that is not met, as PyTorch notes it, and the way out. None if this is not
        the part of an exported model that looks at its input.
    """
    if type(module).__name__ != "GuardsFn":
        return None
    condition = " ".join(str(error).split()).removeprefix("Guard failed: ")
    return (
        f"what the model was exported for, {condition}; export it anew with dynamic_shapes, or "
        "take the model as it was before torch.export"
    )


def is_raised_by_torch(error: BaseException) -> bool:
    """Tell whether it was raised inside PyTorch, and not by the caller's own code.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    bool
        True if the innermost function that it passed through is one of PyTorch's.
    """
    module, traceback = "", error.__traceback__
    while traceback:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        traceback = traceback.tb_next
    return module.split(".")[0] == "torch"


def times(shape: Any) -> str:
    """Return a shape as text, such as ``1×28×28``.

    Parameters
    ----------
    shape : tuple of int, tuple of tuple of int, or None
        A shape, several of them, or none.

    Returns
    -------
    str
        The lengths with ``×`` between them, several shapes with commas; ``"scalar"`` for an empty
        shape, a dash for None.
    """
    if shape is None:
        return "–"
    if shape and isinstance(shape[0], tuple):
        return ", ".join(times(part) for part in shape)
    return "×".join(str(length) for length in shape) or "scalar"


def describe_input(inputs: tuple[Any, ...]) -> str:
    """Say in words what a layer or a function was given.

    Parameters
    ----------
    inputs : tuple
        What it was called with.

    Returns
    -------
    str
        Shape and number type of one tensor, or what there was in place of one.
    """
    if not inputs:
        return "no tensor"
    first = inputs[0]
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    if isinstance(first, np.ndarray):
        return f"a NumPy array of shape {times(first.shape)}, {first.dtype}"
    if isinstance(first, tuple | list) and first and all(isinstance(t, Tensor) for t in first):
        shapes = " and ".join(times(tuple(t.shape)) for t in first)
        count = f"{len(first)} tensor{'' if len(first) == 1 else 's'}"
        return f"a {type(first).__name__} of {count}, {shapes}"
    if not tensors:
        return f"no tensor, but {'None' if first is None else _article(type(first).__name__)}"
    if len(tensors) == 1:
        return f"an input of shape {times(tuple(tensors[0].shape))}, {tensors[0].dtype}"
    return "inputs of shapes " + " and ".join(times(tuple(t.shape)) for t in tensors)


def unmet(module: nn.Module, inputs: tuple[Any, ...]) -> str | None:
    """Say what a layer expects and was not given, where the layer itself knows.

    Parameters
    ----------
    module : torch.nn.Module
        The layer that failed.
    inputs : tuple
        What it was called with.

    Returns
    -------
    str or None
        The first demand that the input does not meet, with the way out. None if it meets all that
        are known: the fault is elsewhere then.
    """
    return next(_demands(module, inputs), None)


def _lacks_batch(module: nn.Module, inputs: tuple[Any, ...]) -> str | None:
    """Say what a layer expects that was given one image alone: it takes that too, and runs."""
    axes = _axes(module)
    if axes is None or not inputs or not isinstance(inputs[0], Tensor):
        return None
    if inputs[0].dim() != len(axes) + 1:
        return None
    return f"batch×{_channels(module)}×{'×'.join(axes)}; x[None] makes a batch of one"


def _demands(module: nn.Module, inputs: tuple[Any, ...]) -> Iterator[str]:
    """Yield every demand that is not met, the most basic first."""
    x = inputs[0] if inputs else None
    if isinstance(module, nn.ModuleList | nn.ModuleDict):
        yield "a module that runs; this one only holds others, nn.Sequential runs them in turn"
        return
    if not isinstance(x, Tensor):
        if _takes_a_tensor(module):
            yield f"a tensor; {_way_to_a_tensor(x)}"
        return
    weight = next(module.parameters(recurse=False), None)
    multiplies = (nn.Linear, nn.modules.conv._ConvNd, *_NORMS)
    if weight is not None and isinstance(module, multiplies):
        if x.layout != weight.layout:
            yield "a dense tensor; x.to_dense() makes one"
        if weight.device != x.device:
            way = f'x.to("{weight.device}") moves x'
            if x.is_meta:  # which has a shape and no numbers
                way = f"torch.zeros(shape, device={str(weight.device)!r}) makes one"
            yield f"a tensor on {weight.device}, like its weights, not on {x.device}; {way}"
        takes_less = isinstance(module, tuple(_NORMS)) and x.dtype in (torch.half, torch.bfloat16)
        if weight.dtype != x.dtype and not takes_less:
            yield f"{weight.dtype}, like its weights; x.to({weight.dtype}) converts x"
    match module:
        case nn.Linear() if x.dim() == 0 or x.shape[-1] != module.in_features:
            yield f"a last dimension of in_features={module.in_features}"
        case nn.Embedding() if x.is_floating_point():
            yield "whole numbers, torch.int64; x.long() converts x"
        case nn.modules.conv._ConvNd():
            yield from _demands_of_convolution(module, x)
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
            yield from _demands_of_norm(module, x)
        case _ if isinstance(module, _POOLS):
            yield from _demands_of_window(module, x)


def _demands_of_convolution(module: Any, x: Tensor) -> Iterator[str]:
    axes, channels = _axes(module) or (), module.in_channels
    expected = f"batch×{channels}×{'×'.join(axes)}"
    if x.dim() == len(axes) + 1 and x.shape[0] != channels == 1:
        yield f"{expected}; x[:, None] adds the dimension of the one channel"
    elif x.dim() not in (len(axes) + 1, len(axes) + 2):
        way = "; x[None, None] adds the two that are missing" if x.dim() == len(axes) else ""
        yield f"{expected}, {len(axes) + 2} dimensions{way}"
    elif x.shape[-len(axes) - 1] != channels:
        order = (0, len(axes) + 1, *range(1, len(axes) + 1))
        last = x.dim() == len(axes) + 2 and x.shape[-1] == channels
        way = f"; x.permute{order} puts the last dimension second" if last else ""
        yield f"{expected}, that is in_channels={channels}{way}"
    else:
        yield from _demands_of_window(module, x)


def _demands_of_window(module: Any, x: Tensor) -> Iterator[str]:
    """Demand room for the window: d(k − 1) + 1 pixels, padding included; or one that is left."""
    axes = _axes(module) or ()
    kernel, stride, padding, dilation = (
        _per_axis(getattr(module, name, None) or usual, len(axes))
        for name, usual in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1))
    )
    if x.dim() not in (len(axes) + 1, len(axes) + 2):
        yield f"{len(axes) + 2} dimensions, batch×channels×{'×'.join(axes)}"
        return
    if getattr(module, "transposed", False):  # what is cut off must leave a pixel
        extra = module.output_padding
        needed = [
            max(-(-(2 * p - d * (k - 1) - more) // s) + 1, 1)
            for k, s, p, d, more in zip(kernel, stride, padding, dilation, extra, strict=True)
        ]
    else:
        slack = [s - 1 if getattr(module, "ceil_mode", False) else 0 for s in stride]
        needed = [
            max(d * (k - 1) + 1 - 2 * p - more, 1)
            for k, p, d, more in zip(kernel, padding, dilation, slack, strict=True)
        ]
    if any(size < least for size, least in zip(x.shape[-len(axes) :], needed, strict=True)):
        beside = [
            f"{name} {times(tuple(dict.fromkeys(value)))}"
            for name, value, usual in (("padding", padding, 0), ("dilation", dilation, 1))
            if set(value) != {usual}
        ]
        window = f"{times(kernel)} kernel" + (f" with {' and '.join(beside)}" if beside else "")
        yield f"an input of at least {times(tuple(needed))} for its {window}"


def _demands_of_norm(module: Any, x: Tensor) -> Iterator[str]:
    allowed = next(dims for kind, dims in _NORMS.items() if isinstance(module, kind))
    channels = module.num_features
    if x.dim() not in allowed:
        way = "; x[None] makes a batch of one" if x.dim() == allowed[0] - 1 else ""
        yield f"{' or '.join(map(str, allowed))} dimensions, batch first{way}"
    elif x.shape[1] != channels:
        yield f"num_features={channels} channels in dimension 1"
    elif module.training and x.numel() == channels:
        yield "more than one number for each channel while training; give it a larger batch"


def _signature(module: nn.Module, error: BaseException) -> str | None:
    """Return what a module takes, if it was called with something else."""
    if isinstance(error, TypeError) and "forward()" in str(error):
        names = list(inspect.signature(module.forward).parameters)
        return f"what its forward takes, ({', '.join(names)})"
    return None


def _takes_a_tensor(module: nn.Module) -> bool:
    """Say whether a layer is one of PyTorch's, which take a tensor first, but for containers."""
    containers = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    return type(module).__module__.startswith("torch.nn") and not isinstance(module, containers)


def _way_to_a_tensor(x: Any) -> str:
    if isinstance(x, np.ndarray):
        kind = "" if x.dtype == np.float32 else ".float()"
        return f"torch.from_numpy(x){kind} makes one"
    if hasattr(x, "images"):  # digits as they were loaded
        return "standardize(x.images)[:1] is one"
    if isinstance(x, tuple | list) and x and all(isinstance(part, Tensor) for part in x):
        return f"take one out of the {type(x).__name__}, such as x[0]"
    if isinstance(x, tuple | list) and x and all(isinstance(part, int) for part in x):
        return f"torch.zeros({tuple(x)}) makes one of this shape"
    return "give the model its input, such as torch.zeros(1, 1, 28, 28)"


def _axes(module: nn.Module) -> tuple[str, ...] | None:
    if isinstance(module, nn.modules.conv._ConvNd):
        return _AXES[len(module.kernel_size)]
    if isinstance(module, _POOLS):
        return _AXES[int(type(module).__name__[-2])]
    return None


def _channels(module: nn.Module) -> int | str:
    return module.in_channels if isinstance(module, nn.modules.conv._ConvNd) else "channels"


def _per_axis(value: Any, axes: int) -> tuple[int, ...]:
    if isinstance(value, str):  # "same" always has room; "valid" is 0
        return (10**9,) * axes if value == "same" else (0,) * axes
    return (value,) * axes if isinstance(value, int) else tuple(value) * (axes // len(value))


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"

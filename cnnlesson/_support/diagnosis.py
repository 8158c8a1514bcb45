"""Why a model cannot take a batch: which layer refuses what, and the call that mends it."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from cnnlesson._support.eager import eagerly, uncompiled
from cnnlesson._support.verdicts import is_raised_by_torch, unmet, what_it_was_exported_for

__all__ = ["explain", "explain_shape"]


class _Call(NamedTuple):
    """A layer that was called, under its name in the model, and the tensor it got."""

    name: str
    layer: nn.Module
    input: Tensor

    def __str__(self) -> str:
        kind = type(self.layer).__name__
        return f"layer {self.name!r} ({kind})" if self.name else f"the {kind}"


def explain(
    model: nn.Module, x_name: str, x: Tensor, batch: Tensor, error: Exception
) -> ValueError | None:
    """Return an error that says what does not fit, or None if this one is not PyTorch's.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    x_name : str
        What the caller calls the images.
    x : torch.Tensor
        All of them.
    batch : torch.Tensor
        Those of them that the model could not take, on its device.
    error : Exception
        What the model raised. It is run once more, to see how far it comes.

    Returns
    -------
    ValueError or None
        Caused by ``error`` where only PyTorch's own words can say more.
    """
    if not (isinstance(error, RuntimeError | IndexError | TypeError) or is_raised_by_torch(error)):
        return None
    raw = " ".join(str(error).split()).rsplit("RuntimeError: ")[-1]  # TorchScript's come last
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in raw:
        return ValueError(
            f"batch_size: expected a batch that fits into memory, found that {len(batch)} images "
            "do not; make it smaller"
        )
    calls, is_inside = _calls(model, batch)
    reason = _dtypes(model, x_name, x) or _axes(x_name, x, batch, calls)
    if not reason and is_inside:
        reason = _sizes(x_name, batch, calls[-1])
    if is_inside and (expected := what_it_was_exported_for(calls[-1].layer, error)):
        condition, _, way_out = expected.partition("; ")
        found = f"a batch of shape {tuple(batch.shape)}"
        reason = f"{x_name}: expected {condition}, found {found}; {way_out}"
    if reason:
        return ValueError(reason)
    what = "its forward fails"
    if is_inside:
        what = f"{calls[-1]} fails on shape {tuple(calls[-1].input.shape)}"
    explained = ValueError(
        f"model: expected it to take {x_name}, of shape {tuple(x.shape)} and {_dtype(x)}, "
        f"found that {what}: {raw if len(raw) <= 300 else f'{raw[:300]} …'}"
    )
    explained.__cause__ = error
    return explained


def explain_shape(
    model: nn.Module,
    x_name: str,
    x: Tensor,
    batch: Tensor,
    logits: Tensor,
    num_classes: int | None,
) -> ValueError:
    """Return an error that says why logits have another shape than (n, num_classes).

    Parameters
    ----------
    model, x_name, x
        As for :func:`explain`.
    batch : torch.Tensor, shape (n, ...)
        A batch of the images, on the model's device.
    logits : torch.Tensor
        What the model answered to it.
    num_classes : int or None
        How many outputs the model had for an earlier batch.

    Returns
    -------
    ValueError
        About the images if they lack an axis, else about the model.
    """
    if reason := _axes(x_name, x, batch, _calls(model, batch)[0]):
        return ValueError(reason)
    n, way_out = len(batch), ""
    if logits.dim() > 2 and len(logits) == n:
        way_out = "; nn.Flatten() before the last layer makes one row of each image"
    elif logits.dim() == 1 and len(logits) == n:
        way_out = "; let its last layer have one output for each class"
    elif logits.dim() in (1, 2) and len(logits) != n:
        way_out = (
            "; x.view(-1, …) may deal an image out to several rows, and a mean over dim=0 mixes "
            "the images: x.flatten(1) keeps each in its own row"
        )
    classes = "number of classes" if num_classes is None else num_classes
    return ValueError(
        f"model: expected logits of shape ({n}, {classes}), one row for each image of the batch, "
        f"found shape {tuple(logits.shape)}{way_out}"
    )


def _calls(model: nn.Module, batch: Tensor) -> tuple[list[_Call], bool]:
    """Run the model; return the layers it called, and whether it failed inside the last of them."""
    model = uncompiled(model)  # a compiled one calls no hooks
    calls: list[_Call] = []
    num_finished = 0

    def start(name: str, layer: nn.Module, inputs: tuple) -> None:
        if inputs and isinstance(inputs[0], Tensor):
            calls.append(_Call(name, layer, inputs[0]))

    def finish(*_: object) -> None:
        nonlocal num_finished
        num_finished = len(calls)

    handles = []
    try:
        for name, layer in model.named_modules():
            if not any(True for _ in layer.children()):
                handles += [
                    layer.register_forward_pre_hook(
                        lambda layer, inputs, name=name: start(name, layer, inputs)
                    ),
                    layer.register_forward_hook(finish),
                ]
        with torch.no_grad(), eagerly():
            model(batch)
    except Exception:  # the one to be explained, or a model that takes no hooks
        return calls, len(calls) > num_finished
    finally:
        for handle in handles:
            handle.remove()
    return calls, False


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _dtypes(model: nn.Module, x_name: str, x: Tensor) -> str | None:
    """Return how the images differ in dtype from the weights, unless they may be words."""
    weight = next((w for w in model.parameters() if w.is_floating_point()), None)
    is_of_words = any(isinstance(m, nn.Embedding | nn.EmbeddingBag) for m in model.modules())
    if weight is None or is_of_words or x.dtype == weight.dtype:
        return None
    expected = _dtype(weight)
    way_out = f"{x_name}.float()" if expected == "float32" else f"{x_name}.to(torch.{expected})"
    if not x.is_floating_point():
        way_out = f"standardize({x_name}.float()) for pixels from 0 to 255, else {way_out}"
    return (
        f"{x_name}: expected {expected}, as the model's weights are, found {_dtype(x)}; {way_out}"
    )


def _axes(x_name: str, x: Tensor, batch: Tensor, calls: list[_Call]) -> str | None:
    """Return what axis the images lack for the first layer that has a say, or have too many."""
    if x.dim() == 1:
        return (
            f"{x_name}: expected a batch, with an axis for the images, found shape {tuple(x.shape)}"
            f"; {x_name}[None] is a batch of one"
        )
    way_out: str | None
    first = next((c for c in calls if isinstance(c.layer, _ConvNd | nn.Linear)), None)
    if first is None:
        return None
    if isinstance(first.layer, nn.Linear):
        expected = f"vectors of shape (n, {first.layer.in_features})"
        if first.input.shape[-1] == first.layer.in_features or first.input.numel() != batch.numel():
            return None
        way_out = _way_to_vectors(x_name, x, first.layer.in_features)
    elif isinstance(first.layer, _ConvNd) and first.input.shape == batch.shape:
        channels, rank = first.layer.in_channels, len(first.layer.kernel_size)
        sides = ("depth", "height", "width")[-rank:] if rank > 1 else ("length",)
        expected = f"images of shape (n, {channels}, {', '.join(sides)})"
        way_out = _way_to_maps(x_name, tuple(x.shape), channels, rank)
    else:
        return None  # the model has moved the axes itself, and knows how
    if way_out is None:
        return None
    return f"{x_name}: expected {expected} for {first}, found shape {tuple(x.shape)}{way_out}"


def _way_to_vectors(x_name: str, x: Tensor, features: int) -> str:
    """Return what makes vectors of images."""
    if x[0].numel() == features:
        return f"; {x_name}.flatten(1) makes a row of each image"
    if x.numel() == features:
        return f", a single image; {x_name}.reshape(1, -1) is a batch of one"
    return f", {x[0].numel()} numbers for each image"


def _way_to_maps(x_name: str, found: tuple[int, ...], channels: int, rank: int) -> str | None:
    """Return what makes maps of images of this shape, "" if nothing is known, None if they are."""
    lacking = rank + 2 - len(found)
    if lacking == 0:
        if found[1] == channels:
            return None
        if found[-1] == channels:
            return f", the channels last; {x_name}.movedim(-1, 1) puts them first"
        if channels == 1:
            return f", {found[1]} channels; {x_name}.mean(dim=1, keepdim=True) makes one of them"
        if found[1] == 1:
            return f", 1 channel; {x_name}.repeat_interleave({channels}, dim=1) makes {channels}"
        return f", {found[1]} channels"
    if lacking == 1:
        if found[0] == channels:
            return f", a single image; {x_name}[None] is a batch of one"
        if channels == 1:
            return f", no axis for the channel; {x_name}[:, None] adds it"
        if found[-1] == channels:
            return f", a single image, its channels last; {x_name}.movedim(-1, 0)[None] is a batch"
    if lacking == 2 and channels == 1 and rank == 2:
        side = math.isqrt(found[1])
        if side > 1 and side**2 == found[1] and found[0] != found[1]:
            return f", a row for each; {x_name}.reshape(-1, 1, {side}, {side}) makes images of them"
        return f", a single image; {x_name}[None, None] is a batch of one"
    return ""


def _sizes(x_name: str, batch: Tensor, call: _Call) -> str | None:
    """Return what the layer that failed expects of its input's size, if that is the reason."""
    shape, layer = tuple(call.input.shape), call.layer
    image = tuple(batch.shape[1:])
    if isinstance(layer, nn.Linear) and shape and shape[-1] != layer.in_features:
        if len(shape) > 2 and math.prod(shape[1:]) == layer.in_features:
            return (
                f"model: expected {layer.in_features} features for {call}, found shape {shape}; "
                "nn.Flatten() before it makes one row of each image"
            )
        return (
            f"{x_name}: expected images that give {call} its {layer.in_features} features, found "
            f"that those of shape {image} give it {shape[-1]}; images of another size, or "
            f"nn.Linear({shape[-1]}, {layer.out_features}) there"
        )
    expected = None
    if isinstance(layer, _ConvNd) and len(shape) == len(layer.kernel_size) + 2:
        expected = layer.in_channels
    elif isinstance(layer, _BatchNorm) and len(shape) > 1:
        expected = layer.num_features
    if expected is None or expected == shape[1]:
        demand = unmet(layer, (call.input,))
        return demand and (
            f"{x_name}: expected images for which {call} gets {demand}, found that those of shape "
            f"{image} give it {shape}"
        )
    return f"model: expected {expected} channels for {call}, found {shape[1]}, in shape {shape}"

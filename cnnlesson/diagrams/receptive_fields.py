"""The receptive field: which window of the input an output pixel sees, after each layer."""

import copy
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from cnnlesson._support.arguments import checked
from cnnlesson._support.eager import in_python
from cnnlesson._support.functions import tensors_in
from cnnlesson._support.verdicts import is_on_maps, times
from cnnlesson.diagrams.blank_input import InputShape, Model, blank_input
from cnnlesson.diagrams.flow import Flow
from cnnlesson.diagrams.operations import PATCHES, RESHAPES, Operation
from cnnlesson.diagrams.origin import Origin, Reach
from cnnlesson.tracing import LayerShape, ShapeError, ShapeTracer

__all__ = ["ReceptiveField", "receptive_fields"]

# Pairs of sides that are tried in turn, until the windows fit. All can be halved five times.
_SIDES = ((64, 96), (256, 384), (1024, 1536))
_GIVE_A_SHAPE = "give the shape of the input, such as input_shape=(1, 1, 28, 28)"
_UNKNOWN = "expected a layer whose window is known, such as a convolution or a pooling"
_MIXED = "expected channels that see alike, found some of those that cat or stack laid side by side"
_CUT_OFF = "expected data that come from the input, found others; were they made by NumPy or lists?"


class ReceptiveField(NamedTuple):
    """The window of the input that one output pixel sees, along one axis.

    Attributes
    ----------
    name : str
        Where the layer is in the model; of a function, as in the table of ``ShapeTracer``.
    size : int
        Side of the window, in input pixels. Where it differs from pixel to pixel, as after a
        transposed convolution, the largest.
    stride : int or fractions.Fraction
        Distance between the windows of two neighbouring output pixels, in input pixels. Below 1
        where maps are larger than the input.
    """

    name: str
    size: int
    stride: int | Fraction


@checked
def receptive_fields(model: Model, input_shape: InputShape | None = None) -> list[ReceptiveField]:
    """Return the receptive field after each layer or function that looks through a window.

    The model is traced, and each basic operation followed. A window with kernel size k and
    dilation d widens the field by d(k − 1) steps, each as long as the strides before it multiplied
    together. Where branches meet, a pixel sees what it sees by way of any of them.

    Parameters
    ----------
    model : torch.nn.Module
        A network on maps, with 1, 2 or 3 axes, branches included. It is traced in evaluation mode.
    input_shape : tuple of int, optional
        Shape of its input, batch dimension first, such as (1, 1, 28, 28). By default an image
        that is large enough, with as many channels as the first layer takes.

    Returns
    -------
    list of ReceptiveField
        One per convolution, pooling and resizing, and where branches meet that see differently, in
        order of execution. What looks at one pixel at a time is skipped. What mixes all positions
        (flattening, fully connected, global pooling, group normalisation) ends the list, as far as
        its output is used. Fields may reach beyond the image.

    Raises
    ------
    ValueError
        If windows are not square, are of an unknown kind, or depend on the size of the image; or
        if the model needs an input shape that is not given.
    ShapeError
        If the model cannot take the given input.

    References
    ----------
    A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks",
    Distill, 2019.
    """
    if input_shape is not None:
        flow, error = _follow(model, blank_input(model, input_shape))
        if error is not None:
            raise error
        return list(flow.fields())
    if any(is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
        model = copy.deepcopy(model)  # or it would learn the size of our images
    for sides in _SIDES:
        found, failure = [], None
        for shape in (_image_shape(model, side) for side in sides):
            flow, error = _follow(model, blank_input(model, shape))
            if error is not None and not _is_complete(model, flow, error):
                failure = error
                break
            found.append(list(flow.fields()))
        if failure is None:
            return _same_for_all(found)
    raise ValueError(
        f"model: could not be run on images of our choice, {times(shape)} the last one; "
        f"{_GIVE_A_SHAPE}"
    ) from failure


def _image_shape(model: nn.Module, side: int) -> tuple[int, ...]:
    """Return the shape of an image with the channels and axes that the first layers take."""
    channels, axes = 1, 2
    for layer in model.modules():
        taken = getattr(layer, "in_channels", None) or getattr(layer, "num_features", None)
        if isinstance(taken, int):
            channels = taken
            break
    for layer in model.modules():
        if (ending := type(layer).__name__[-2:]) in ("1d", "2d", "3d"):
            axes = int(ending[0])
            break
    return (1, channels, *[side] * axes)


def _same_for_all(found: list[list[ReceptiveField]]) -> list[ReceptiveField]:
    """Return the fields found on images of several sizes, if they are the same."""
    for field, other in zip_longest(*found):
        if field != other:
            raise ValueError(
                f"{(field or other).name}: its window depends on the size of the image; "
                f"{_GIVE_A_SHAPE}"
            )
    return found[0]


class _Fields(Flow):
    """Keeps what each row of the table sees, if a window was moved in it."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__()
        self.begin([image], -1)
        self._image = tuple(image.shape)
        self._found: list[tuple[LayerShape, Origin]] = []
        self._culprit = ""
        self._cut_off = ""
        self._last: Origin | None = None
        self._ends_on_maps = False

    def row_added(self, row: LayerShape, output: Any) -> None:
        """Take a row of the table and what the step gave."""
        tensor = next(filter(self.origin_of, tensors_in(output)), None)
        origin = self.origin_of(tensor)
        operations, self.operations = self.operations, []
        self._cut_off = "" if origin else f"{row.name}: {_CUT_OFF}"
        if tensor is None or origin is None:
            return
        self._last, self._ends_on_maps = origin, tensor.dim() == len(self._image)
        if origin.reach is Reach.UNKNOWN:
            self._culprit = self._culprit or f"{row.name}: {self._expected(row, operations)}"
        moves_window = any(o.has_window or o.name in PATCHES for o in operations)
        if moves_window or any(_joins_unlike(o.origins) for o in operations):
            self._found.append((row, origin))

    def fields(self) -> Iterator[ReceptiveField]:
        """Yield the fields."""
        if self._cut_off:  # the last step has nothing to do with the input
            raise ValueError(self._cut_off)
        if self._ends_on_maps and self._last and self._last.reach is Reach.UNKNOWN:
            raise ValueError(self._culprit)
        for row, origin in self._found:
            if origin.reach is Reach.UNKNOWN:
                raise ValueError(self._culprit)
            sights = origin.sights()
            if not sights:
                continue
            sizes, strides = ([getattr(s, a) for s in sights] for a in ("size", "stride"))
            for values in (sizes, strides):
                if len(set(values)) > 1:
                    found = ", ".join(map(str, values))
                    raise ValueError(f"{row.name}: expected a square window, found ({found})")
            yield ReceptiveField(row.name, sizes[0], _whole(strides[0]))

    def _expected(self, row: LayerShape, operations: list[Operation]) -> str:
        """Say what was expected in place of a step of which we cannot tell what it sees."""
        if any(o.mixed_along is not None for operation in operations for o in operation.origins):
            return _MIXED
        if row.kind[-2:] in ("1d", "2d", "3d") and len(row.input_shape) == int(row.kind[-2]) + 1:
            return f"expected a batch, batch first, found an input of {times(row.input_shape)}"
        if len(self._image) < 3 and any(operation.has_window for operation in operations):
            found = f"numbers in a row, {times(self._image)}"
            return f"expected maps, found that the network was given {found}; {_GIVE_A_SHAPE}"
        return f"{_UNKNOWN}, found {row.kind}"

    def has_left_the_maps(self) -> bool:
        """Say whether the error came where positions are mixed or strung together anyway."""
        if self.failed is not None and self.failed.name in RESHAPES:
            return len(self.failed.given.get("size", self.failed.given.get("shape", ()))) == 2
        return self._last is not None and not any(
            len(dim) == 1 and dim[0].sight for dim in self._last.dims
        )


def _joins_unlike(origins: list[Origin]) -> bool:
    known = [origin.sights() for origin in origins if origin.dims]
    return any(sights != known[0] for sights in known[1:])


def _is_complete(model: nn.Module, flow: _Fields, error: ShapeError) -> bool:
    """Say whether a run that failed was past all windows, as where ``in_features`` does not fit."""
    ran = {row.name for row in error.table.rows}
    windows = [name for name, layer in in_python(model).named_modules() if is_on_maps(layer)]
    return flow.has_left_the_maps() and ran.issuperset(windows)


def _whole(stride: Fraction) -> int | Fraction:
    return stride.numerator if stride.denominator == 1 else stride


def _follow(model: nn.Module, image: torch.Tensor) -> tuple[_Fields, ShapeError | None]:
    """Run a model on an image; return what was followed, and how it failed if it did."""
    flow = _Fields(image)
    tracer = ShapeTracer(model, on_row=flow.row_added)
    with flow:
        try:
            tracer.trace(image)
        except ShapeError as error:
            return flow, error
    return flow, None

"""The stages of a network, read from its trace: what the diagrams draw, and the words for it."""

import math
import re
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any, NamedTuple

import torch
from pydantic import Field
from torch import nn

from cnnlesson._support.arguments import Count, checked
from cnnlesson.tracing import LayerShape, ShapeTracer

__all__ = ["InputShape", "Model", "Stage", "Window", "describe", "trace_stages"]

Model = Annotated[nn.Module, Field(description="a torch.nn.Module")]
InputShape = Annotated[
    tuple[Count, ...],
    Field(description="whole numbers, 1 or more, batch first, such as (1, 1, 28, 28)"),
]

_WINDOWED = (nn.Conv1d, nn.Conv2d, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)


class Window(NamedTuple):
    """The sliding window of a convolution or a pooling layer, one number per spatial axis.

    Attributes
    ----------
    reach : tuple of int
        Input pixels from the window's first to its last: d(k − 1) + 1.
    stride : tuple of int
        Input pixels from one position to the next.
    padding : tuple of int
        Pixels added before the first one.
    """

    reach: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    def seen_by(self, pixel: int, axis: int) -> tuple[int, int]:
        """Return the first input pixel that an output pixel sees, and the one after the last."""
        first = pixel * self.stride[axis] - self.padding[axis]
        return first, first + self.reach[axis]


class Stage(NamedTuple):
    """What the data is after one step of the network.

    Attributes
    ----------
    shape : tuple of int
        (features,), (channels, length) or (channels, height, width). The batch is left out.
    kind : str
        ``"Input"``, or the class name of the layer that made the stage.
    operations : tuple of str
        That layer and the element-wise ones after it, such as ``("Conv 3×3, padding 1", "ReLU")``.
    window : Window or None
        How that layer looks at the stage before, if it does so through a window.
    """

    shape: tuple[int, ...]
    kind: str
    operations: tuple[str, ...] = ()
    window: Window | None = None

    @property
    def label(self) -> str:
        """The shape in the notation of LeNet: ``64@11×11``, or ``1600`` for plain features."""
        channels, *size = self.shape
        return f"{channels}@{_times(size)}" if size else str(channels)

    def __str__(self) -> str:
        channels, *size = self.shape
        noun = "feature map" if size else "number"
        amount = f"{channels} {noun}{'' if channels == 1 else 's'}"
        operations = ", then ".join(self.operations) or self.kind
        return f"{operations}: {amount}{' of ' + _times(size) if size else ''}."


@checked
def describe(model: Model, input_shape: InputShape = (1, 1, 28, 28)) -> str:
    """Say in words what the diagrams of a network show; it serves as their alternative text.

    Parameters
    ----------
    model : torch.nn.Module
        A network whose layers run one after the other.
    input_shape : tuple of int, default (1, 1, 28, 28)
        Shape of the input, batch dimension first.

    Returns
    -------
    str
        One sentence per stage.

    Raises
    ------
    ShapeError
        If the network cannot take such an input.
    ValueError
        If it is no chain of layers, or a shape has too many dimensions to be drawn.

    Examples
    --------
    >>> from torch import nn
    >>> describe(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()))
    'Input: 1 feature map of 28×28. Conv 3×3, then ReLU: 4 feature maps of 26×26.'
    """
    return " ".join(str(stage) for stage in trace_stages(model, input_shape))


def trace_stages(model: nn.Module, input_shape: tuple[int, ...]) -> list[Stage]:
    """Trace a network and group its layers: an element-wise layer joins the one before it.

    Parameters
    ----------
    model : torch.nn.Module
        A network whose layers run one after the other, on any device.
    input_shape : tuple of int
        Shape of the input, batch dimension first.

    Returns
    -------
    list of Stage
        The input, then one stage per layer that is not element-wise.

    Raises
    ------
    ShapeError
        If the network cannot take such an input.
    ValueError
        If it is no chain of layers, or a shape has too many dimensions to be drawn.
    """
    rows = ShapeTracer(model).trace(_zeros(model, input_shape)).rows
    if not rows:
        raise ValueError("model: expected at least one layer that runs, found none")
    layers = {name or type(model).__name__: layer for name, layer in model.named_modules()}
    stages = [Stage(_drawable(rows[0], rows[0].input_shape), "Input")]
    for row in rows:
        before, after = _drawable(row, row.input_shape), _drawable(row, row.output_shape)
        if before != stages[-1].shape:
            stages.append(_reshaped(stages[-1], before, row))
        layer = layers[row.name]
        operation, window = _operation(layer, row), _window(layer, row)
        makes_stage = before != after or isinstance(layer, nn.Linear) or window is not None
        if makes_stage or len(stages) == 1:
            stages.append(Stage(after, row.kind, (operation,), window))
        else:
            last = stages[-1]
            stages[-1] = last._replace(operations=(*last.operations, operation))
    return stages


def _zeros(model: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """Return a blank input where the model is, in its precision."""
    for tensor in chain(model.parameters(), model.buffers()):
        if tensor.is_floating_point():
            return torch.zeros(shape, device=tensor.device, dtype=tensor.dtype)
    return torch.zeros(shape)


def _drawable(row: LayerShape, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Return a shape without its batch dimension, if it can be drawn."""
    if 2 <= len(shape) <= 4 and all(isinstance(length, int) and length > 0 for length in shape):
        return shape[1:]
    raise ValueError(
        f"{row.name} ({row.kind}) cannot be drawn: expected batch×features, "
        f"batch×channels×length or batch×channels×height×width, found {_times(shape)}"
    )


def _reshaped(last: Stage, shape: tuple[int, ...], row: LayerShape) -> Stage:
    """Return the stage that the model's own code made between two layers, if it only reshapes."""
    if math.prod(last.shape) != math.prod(shape):
        raise ValueError(
            f"{row.name} ({row.kind}) cannot be drawn: expected the output of the layer before, "
            f"{_times(last.shape)}, found {_times(shape)}; the diagrams show one chain of layers, "
            f"so write each step as a layer, such as nn.MaxPool2d for F.max_pool2d"
        )
    kind = "Flatten" if len(shape) == 1 else "Reshape"
    return Stage(shape, kind, (kind,))


def _operation(layer: nn.Module, row: LayerShape) -> str:
    """Name a layer and those of its settings that are not the default."""
    name = re.sub(r"\dd$", "", row.kind)
    if not isinstance(layer, _WINDOWED):
        return name
    axes = _axes(layer)
    kernel = _per_axis(layer.kernel_size, axes)
    convolves = isinstance(layer, nn.Conv1d | nn.Conv2d)
    usual = {"stride": (1,) * axes if convolves else kernel, "padding": (0,) * axes}
    usual |= {"dilation": (1,) * axes, "groups": (1,) * axes}
    parts = [f"{name} {_times(kernel)}"]
    for setting, default in usual.items():
        value = getattr(layer, setting, default)
        if isinstance(value, str):
            parts += [f"{setting} {value}"] if value != "valid" else []
        elif (found := _per_axis(value, axes)) != default:
            parts.append(f"{setting} {found[0] if len(set(found)) == 1 else _times(found)}")
    return ", ".join([*parts, "ceil mode"] if getattr(layer, "ceil_mode", False) else parts)


def _window(layer: nn.Module, row: LayerShape) -> Window | None:
    if not isinstance(layer, _WINDOWED):
        return None
    axes = _axes(layer)
    if len(row.input_shape) != axes + 2:
        raise ValueError(
            f"{row.name} ({row.kind}) cannot be drawn: expected a batch, "
            f"{axes + 2} dimensions, found {_times(row.input_shape)}"
        )
    kernel = _per_axis(layer.kernel_size, axes)
    dilation = _per_axis(getattr(layer, "dilation", 1), axes)
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    if isinstance(layer.padding, str):
        same = layer.padding == "same"
        padding = tuple((length - 1) // 2 if same else 0 for length in reach)
    else:
        padding = _per_axis(layer.padding, axes)
    return Window(reach, _per_axis(layer.stride, axes), padding)


def _axes(layer: nn.Module) -> int:
    return 1 if isinstance(layer, nn.Conv1d | nn.MaxPool1d | nn.AvgPool1d) else 2


def _per_axis(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * axes
    return tuple(value) * (axes // len(value))


def _times(numbers: Sequence[object]) -> str:
    return "×".join(str(number) for number in numbers)

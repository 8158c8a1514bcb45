"""The stages of a network, read from its trace: what the diagrams draw, and the words for it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.nn.utils.parametrize import type_before_parametrizations

from cnnlesson._support.arguments import checked
from cnnlesson._support.eager import in_python
from cnnlesson._support.functions import tensors_in
from cnnlesson._support.verdicts import times
from cnnlesson.diagrams.blank_input import InputShape, Model, blank_input
from cnnlesson.diagrams.flow import Flow
from cnnlesson.diagrams.operations import CONTRACTIONS, Operation
from cnnlesson.diagrams.origin import Origin, Reach
from cnnlesson.diagrams.windows import Sight
from cnnlesson.tracing import LayerShape, ShapeTracer

__all__ = ["Stage", "Window", "describe", "trace_stages"]

_WINDOWED = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d),
    *(nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d),
)
# The layer that does what a function does, by its name in small letters: "maxpool2d".
_LAYERS = {name.lower(): name for name, value in vars(nn).items() if isinstance(value, type)}
_LAYERS["interpolate"] = "Upsample"

_SAME_PIXEL = Sight(period=1, advance=1, ends=((0, 0),))


class Window(NamedTuple):
    """How the pixels of a stage look at the stage before.

    Attributes
    ----------
    axes : tuple of Sight
        What they see along each spatial axis.
    """

    axes: tuple[Sight, ...]

    def seen_by(self, pixel: int, axis: int) -> tuple[int, int]:
        """Return the first input pixel that an output pixel sees, and the one after the last.

        Of a pixel that sees none, as there are after some transposed convolutions, return those
        of the nearest one before that does.

        Parameters
        ----------
        pixel : int
            The output pixel along the axis, from 0.
        axis : int
            Number of the spatial axis, from 0.

        Returns
        -------
        tuple of int
            Input pixels from 0; where the window reaches over the border, negative, or beyond
            the last.
        """
        sight = self.axes[axis]
        ends = next(filter(None, map(sight.seen_by, range(pixel, pixel - sight.period, -1))))
        return ends[0], ends[1] + 1


class Stage(NamedTuple):
    """What the data is after one step of the network.

    Attributes
    ----------
    shape : tuple of int
        (features,), (channels, length) or (channels, height, width). The batch is left out.
    kind : str
        ``"Input"``, or the class name of the layer that made the stage.
    operations : tuple of str
        That layer and those after it that keep its shape and have no window, as a ReLU or a
        normalisation: ``("Conv 3×3, padding 1", "ReLU")``.
    window : Window or None
        How that layer looks at the stage before, if it does so through a window.
    mixes : bool
        Whether each of its numbers is made from all of the stage before.
    """

    shape: tuple[int, ...]
    kind: str
    operations: tuple[str, ...] = ()
    window: Window | None = None
    mixes: bool = False

    @property
    def label(self) -> str:
        """The shape in the notation of LeNet: ``64@11×11``, or ``1600`` for plain features."""
        channels, *size = self.shape
        return f"{channels}@{times(size)}" if size else str(channels)

    def __str__(self) -> str:
        channels, *size = self.shape
        noun = "feature map" if size else "number"
        amount = f"{channels} {noun}{'' if channels == 1 else 's'}"
        operations = ", then ".join(self.operations) or self.kind
        return f"{operations}: {amount}{' of ' + times(size) if size else ''}."


@checked
def describe(model: Model, input_shape: InputShape = (1, 1, 28, 28)) -> str:
    """Say in words what the diagrams of a network show; it serves as their alternative text.

    Parameters
    ----------
    model : torch.nn.Module
        A network whose layers and functions run one after the other.
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
        If it is no chain, or a shape has too many dimensions to be drawn.

    Examples
    --------
    >>> from torch import nn
    >>> describe(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()))
    'Input: 1 feature map of 28×28. Conv 3×3, then ReLU: 4 feature maps of 26×26.'
    """
    return " ".join(str(stage) for stage in trace_stages(model, input_shape))


class _Step(NamedTuple):
    """A row of the trace, where its output comes from, and what was done for it."""

    row: LayerShape
    origin: Origin
    operations: list[Operation]


def trace_stages(model: nn.Module, input_shape: tuple[int, ...]) -> list[Stage]:
    """Trace a network and group its layers: one that keeps the shape joins the one before it.

    Parameters
    ----------
    model : torch.nn.Module
        A network whose layers and functions run one after the other, on any device.
    input_shape : tuple of int
        Shape of the input, batch dimension first.

    Returns
    -------
    list of Stage
        The input, then one stage per layer or function that changes the shape, slides or contracts.

    Raises
    ------
    ShapeError
        If the network cannot take such an input.
    ValueError
        If it is no chain, or a shape has too many dimensions to be drawn.
    """
    model = in_python(model)
    steps = _chain(model, blank_input(model, input_shape))
    layers = {
        name.replace("_orig_mod.", "") or type_before_parametrizations(model).__name__: layer
        for name, layer in model.named_modules()
    }
    stages = [Stage(_drawable(steps[0].row, input_shape), "Input")]
    for step in steps:
        row, layer = step.row, layers.get(step.row.name)
        after, window = _drawable(row, row.output_shape), _window(step)
        kind, operation = _function(step) if row.settings else (row.kind, _operation(layer, row))
        makes_stage = (
            after != stages[-1].shape
            or any(o.has_window or o.name in CONTRACTIONS for o in step.operations)
            or len(stages) == 1
        )
        if makes_stage:
            mixes = step.origin.reach is Reach.EVERYTHING and set(after[1:]) <= {1}
            stages.append(Stage(after, kind, (operation,), window, mixes))
        else:
            last = stages[-1]
            stages[-1] = last._replace(operations=(*last.operations, operation))
    return stages


def _chain(model: nn.Module, image: Tensor) -> list[_Step]:
    """Trace a network; each of its steps takes what the one before gives, and nothing else."""
    steps: list[_Step] = []
    returned: list[Tensor] = []
    unseen: list[LayerShape] = []
    flow = Flow()
    flow.begin([image], -1)

    def add(row: LayerShape, output: Any) -> None:
        tensors = list(tensors_in(output))
        origins = [origin for origin in map(flow.origin_of, tensors) if origin is not None]
        if origins:  # else a constant, such as a table of positions
            steps.append(_Step(row, origins[0], flow.operations))
            flow.begin(tensors, len(steps) - 1)
        elif any(map(is_functorch_wrapped_tensor, tensors)):
            unseen.append(row)
        flow.operations = []

    hook = model.register_forward_hook(lambda _, __, output: returned.extend(tensors_in(output)))
    try:
        with flow:
            ShapeTracer(model, on_row=add).trace(image)
            ends = [flow.origin_of(tensor) for tensor in returned]
    finally:
        hook.remove()
    if unseen:
        raise ValueError(
            f"{unseen[0].name} ({unseen[0].kind}) cannot be drawn: expected it to run on the "
            "batch, found it inside torch.vmap or torch.func, where the data cannot be followed"
        )
    if not steps:
        raise ValueError("model: expected at least one layer that runs, found none")
    if ends and not any(ends):
        raise ValueError(
            "the model cannot be drawn: expected it to return data that come from the input, "
            "found others; were they made by NumPy or lists?"
        )
    names = {k: f"{step.row.name} ({step.row.kind})" for k, step in enumerate(steps)}
    names[-1] = "the input"
    for k, step in enumerate(steps):
        if step.origin.steps != {k - 1}:
            found = " and ".join(names[source] for source in sorted(step.origin.steps))
            raise ValueError(
                f"{names[k]} cannot be drawn: expected it to take the output of {names[k - 1]}, "
                f"found that it takes {found}; the diagrams show one chain of layers, no branches"
            )
    last = len(steps) - 1
    if sources := frozenset[int]().union(*(end.steps for end in ends if end)) - {last}:
        raise ValueError(
            f"the model cannot be drawn: expected it to return the output of {names[last]} alone, "
            f"found that of {names[max(sources)]} beside it; the diagrams show one chain of "
            "layers, no branches"
        )
    return steps


def _drawable(row: LayerShape, shape: tuple[Any, ...] | None) -> tuple[int, ...]:
    """Return a shape without its batch dimension, if it can be drawn."""
    if (
        shape is not None
        and 2 <= len(shape) <= 4
        and all(isinstance(length, int) and length > 0 for length in shape)
    ):
        return shape[1:]
    raise ValueError(
        f"{row.name} ({row.kind}) cannot be drawn: expected batch×features, "
        f"batch×channels×length or batch×channels×height×width, found {times(shape)}"
    )


def _window(step: _Step) -> Window | None:
    """Return how each pixel of a map looks at the map before, if all look alike."""
    row, dims = step.row, step.origin.dims
    ending = row.kind[-2:]
    slides = any(operation.has_window for operation in step.operations)
    if slides and ending in ("1d", "2d") and len(row.input_shape or ()) == int(ending[0]) + 1:
        raise ValueError(
            f"{row.name} ({row.kind}) cannot be drawn: expected a batch, "
            f"{int(ending[0]) + 2} dimensions, found {times(row.input_shape)}"
        )
    sights = [dim[0].sight for dim in dims[2:] if len(dim) == 1 and dim[0].sight is not None]
    stands_still = not slides and all(sight == _SAME_PIXEL for sight in sights)  # a ReLU, say
    if not sights or stands_still or len(sights) != len(dims) - 2:
        return None
    return Window(tuple(sights))


def _operation(layer: nn.Module | None, row: LayerShape) -> str:
    """Name a layer and those of its settings that are not the default."""
    name = re.sub(r"\dd$", "", row.kind)
    if not isinstance(layer, _WINDOWED):
        return name
    axes = int(re.findall(r"(\d)d$", type_before_parametrizations(layer).__name__)[0])
    return _with_settings(name, vars(layer), axes)


def _function(step: _Step) -> tuple[str, str]:
    """Return kind and name of the layer that does what a function does, where there is one."""
    row = step.row
    key = row.kind.replace("_", "")
    kind = _LAYERS.get(key, _LAYERS.get(key + "1d", row.kind))
    if key in ("view", "reshape", "squeeze"):
        kind = "Flatten" if len(row.output_shape or ()) == 2 else "Reshape"
    name = re.sub(r"\dd$", "", kind)
    moved = next((o for o in step.operations if o.has_window), None)
    if moved is None or "kernel_size" not in moved.given | _kernel_of(moved):
        return kind, name
    axes = len(row.output_shape or ()) - 2
    return kind, _with_settings(name, moved.given | _kernel_of(moved), axes)


def _kernel_of(operation: Operation) -> dict[str, Any]:
    """Return the kernel size of a convolution, which its weights have."""
    weight = operation.given.get("weight")
    return {} if weight is None else {"kernel_size": list(weight[2:])}


def _with_settings(name: str, settings: Mapping[str, Any], axes: int) -> str:
    """Return a name with those settings that are not the default."""
    kernel = _per_axis(settings["kernel_size"], axes)
    usual = {"stride": (1,) * axes if "Conv" in name else kernel, "padding": (0,) * axes}
    usual |= {"output_padding": (0,) * axes, "dilation": (1,) * axes, "groups": (1,) * axes}
    parts = [f"{name} {times(kernel)}"]
    for setting, default in usual.items():
        value = settings.get(setting, default) or default
        if isinstance(value, str):
            parts += [f"{setting} {value}"] if value != "valid" else []
        elif (found := _per_axis(value, axes)) != default:
            shown = found[0] if len(set(found)) == 1 else times(found)
            parts.append(f"{setting.replace('_', ' ')} {shown}")
    return ", ".join([*parts, "ceil mode"] if settings.get("ceil_mode") else parts)


def _per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Return a setting for each axis; what works in two is done in one of them for a signal."""
    if isinstance(value, int):
        return (value,) * axes
    return (tuple(value) * axes)[-axes:]

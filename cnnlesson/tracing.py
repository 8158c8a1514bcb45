"""What shape the data has after each layer: the tracer, the formula, the receptive field."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from traceback import walk_tb
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from cnnlesson._support.arguments import Count, Flag, NonNegativeCount, checked

__all__ = [
    "LayerShape",
    "ReceptiveField",
    "ShapeError",
    "ShapeTable",
    "ShapeTracer",
    "output_size",
    "receptive_fields",
]

Shape = tuple[Any, ...]


@checked
def output_size(
    size: NonNegativeCount,
    kernel_size: Count,
    stride: Count = 1,
    padding: NonNegativeCount = 0,
    dilation: Count = 1,
    ceil_mode: Flag = False,
) -> int:
    r"""Return how many positions a sliding window takes along one axis.

    .. math::

        n_\text{out} = \left\lfloor \frac{n + 2p - d(k - 1) - 1}{s} \right\rfloor + 1

    Parameters
    ----------
    size : int
        Input size n, in pixels.
    kernel_size : int
        Window size k, 1 or more.
    stride : int, default 1
        Distance s between positions, 1 or more.
    padding : int, default 0
        Pixels p added on each side, 0 or more.
    dilation : int, default 1
        Distance d between the pixels of the window, 1 or more.
    ceil_mode : bool, default False
        Round up instead of down, as pooling layers can: a last window may reach beyond the
        padded input. One that would start in the padding on the right is left out, as in PyTorch.

    Returns
    -------
    int
        Output size, 1 or more.

    Raises
    ------
    ValueError
        If an argument is out of its range, or there is no room for the window.

    References
    ----------
    PyTorch documentation, ``torch.nn.Conv2d`` and ``torch.nn.MaxPool2d``, section *Shape*.
    """
    reach = dilation * (kernel_size - 1) + 1
    padded = size + 2 * padding
    if ceil_mode:
        positions = -((reach - padded) // stride) + 1
        if (positions - 1) * stride >= size + padding:
            positions -= 1
    else:
        positions = (padded - reach) // stride + 1
    if positions < 1:
        needed = max(reach - stride + 1, 1) if ceil_mode else reach
        raise ValueError(
            f"the window does not fit: expected an input of at least {needed} pixels "
            f"(kernel_size {kernel_size}, dilation {dilation}), "
            f"found {padded} (size {size}, padding {padding} on each side)"
        )
    return positions


class LayerShape(NamedTuple):
    """One call of one layer.

    Attributes
    ----------
    name : str
        Where the layer is in the model, such as ``"layers.0"``.
    kind : str
        Class name of the layer, such as ``"Conv2d"``.
    input_shape, output_shape : tuple of int
        Shapes with the batch dimension first. A layer with several tensors has a tuple of shapes.
    num_parameters : int
        Parameters of this layer.
    """

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    num_parameters: int


class ShapeTable:
    """The shapes of one forward pass, layer by layer.

    Attributes
    ----------
    rows : list of LayerShape
        One row per call of a layer, in order of execution.
    num_parameters : int
        Parameters of the whole model; one that several layers share counts once.
    """

    def __init__(self, rows: list[LayerShape], num_parameters: int) -> None:
        self.rows = rows
        self.num_parameters = num_parameters

    def _cells(self) -> Iterator[tuple[str, ...]]:
        for row in self.rows:
            shapes = (_format_shape(row.input_shape), _format_shape(row.output_shape))
            yield row.name, row.kind, *shapes, f"{row.num_parameters:,}"

    def __repr__(self) -> str:
        lines = [_HEADINGS, *self._cells()]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        text = []
        for line in lines:
            *left, last = (
                cell.rjust(width) if heading == _HEADINGS[-1] else cell.ljust(width)
                for heading, cell, width in zip(_HEADINGS, line, widths, strict=True)
            )
            text.append("  ".join([*left, last]))
        text.insert(1, "─" * len(text[0]))
        text.append(text[1])
        text.append(f"{self.num_parameters:,} parameters".rjust(len(text[0])))
        return "\n".join(text)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
            for line in self._cells()
        )
        foot = (
            f'<tr><td colspan="{len(_HEADINGS) - 1}">all</td><td>{self.num_parameters:,}</td></tr>'
        )
        return (
            f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
            f"<tfoot>{foot}</tfoot></table>"
        )


_HEADINGS = ("name", "layer", "input", "output", "parameters")


class ShapeError(RuntimeError):
    """A forward pass failed; the message says where, and the table holds the layers before.

    Attributes
    ----------
    table : ShapeTable
        The rows that worked.
    """

    def __init__(self, message: str, table: ShapeTable) -> None:
        super().__init__(message)
        self.table = table


class ShapeTracer(nn.Module):
    """A model that remembers the shapes of its last forward pass.

    A row of the table is one call of a layer, that is, of a module that calls no other module.
    Calling the tracer is calling the model: same mode, same gradients, same result. The table is
    a by-product. It works on any model, however nested, by hooks that live for one call.

    Parameters
    ----------
    model : torch.nn.Module
        The model to trace. It may be on any device, ``meta`` included, where nothing is computed.

    Attributes
    ----------
    model : torch.nn.Module
        The model itself.
    table : ShapeTable
        Shapes of the last call. Before the first call there are no rows.

    Examples
    --------
    >>> import torch
    >>> from cnnlesson import ConvNet, ShapeTracer
    >>> ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28)).rows[-1].output_shape
    (1, 10)
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise TypeError(f"model: expected a torch.nn.Module, found {type(model).__name__}")
        self.model = model
        self.table = ShapeTable([], _count_parameters(model))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return ``model(*args, **kwargs)`` and remember the shapes in ``table``.

        Parameters
        ----------
        *args, **kwargs
            What the model takes.

        Returns
        -------
        object
            What the model returns.

        Raises
        ------
        ShapeError
            If the model fails. It names the layer, what it got and what it wanted; the original
            error is its cause.
        """
        rows: list[LayerShape] = []
        running: list[_Call] = []
        try:
            with _hooks(self.model, rows, running):
                return self.model(*args, **kwargs)
        except Exception as error:
            table = ShapeTable(rows, _count_parameters(self.model))
            source = (isinstance(error, ShapeError) and error.__cause__) or error  # tracer inside
            raise ShapeError(_explain(source, table, running), table) from source
        finally:
            self.table = ShapeTable(rows, _count_parameters(self.model))

    def trace(self, *args: Any, **kwargs: Any) -> ShapeTable:
        """Try the model out and return the shapes, leaving no other trace.

        The pass runs in evaluation mode and without gradients. Afterwards every layer is in the
        mode it was in, and the random state is as it was. Only a lazy layer changes: it takes
        the size it has just learnt.

        Parameters
        ----------
        *args, **kwargs
            What the model takes; usually one batch of images, shape (n, channels, height, width).

        Returns
        -------
        ShapeTable
            The shapes, also kept as ``table``.

        Raises
        ------
        ShapeError
            If the model fails.
        """
        modes = {module: module.training for module in self.model.modules()}
        self.model.eval()
        try:
            with torch.random.fork_rng(), torch.no_grad():
                self(*args, **kwargs)
        finally:
            for module, training in modes.items():
                module.training = training
        return self.table


class _Call(NamedTuple):
    """A module that has been entered, and how many rows there were then."""

    name: str
    module: nn.Module
    input_shape: Shape
    input_dtype: torch.dtype | None
    rows_before: int


@contextmanager
def _hooks(model: nn.Module, rows: list[LayerShape], running: list[_Call]) -> Iterator[None]:
    """Keep a stack of the modules that are running; a leaf adds a row when it is done."""
    names = {module: name or type(module).__name__ for name, module in model.named_modules()}

    def enter(module: nn.Module, args: tuple, kwargs: dict) -> None:
        inputs = (*args, *kwargs.values())
        dtype = next((tensor.dtype for tensor in _tensors(inputs)), None)
        running.append(_Call(names[module], module, _shape_of(inputs), dtype, len(rows)))

    def leave(module: nn.Module, args: tuple, output: Any) -> None:
        call = running.pop()
        while call.module is not module:  # left over from an error that the model itself caught
            call = running.pop()
        if len(rows) == call.rows_before:
            rows.append(
                LayerShape(
                    call.name,
                    type(module).__name__,
                    call.input_shape,
                    _shape_of(output),
                    _count_parameters(module),
                )
            )

    handles: list[RemovableHandle] = []
    try:
        for module in names:  # first of all hooks, as a lazy layer may fail in its own
            handles.append(module.register_forward_pre_hook(enter, prepend=True, with_kwargs=True))
            handles.append(module.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _shape_of(value: Any) -> Shape:
    """Return the shape of the only tensor in ``value``, or the shapes of all of them."""
    shapes = [tuple(tensor.shape) for tensor in _tensors(value)]
    return shapes[0] if len(shapes) == 1 else tuple(shapes)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _format_shape(shape: Shape) -> str:
    if shape and isinstance(shape[0], tuple):
        return ", ".join(_format_shape(part) for part in shape)
    return "×".join(str(length) for length in shape) or "scalar"


def _count_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if not is_lazy(p))


def _wanted(module: nn.Module, dtype: torch.dtype | None) -> str | None:
    """Say what input a layer takes, where the layer itself knows."""
    weight = next(module.parameters(recurse=False), None)
    match module:
        case nn.Linear() | nn.modules.conv._ConvNd() if (
            weight is not None and dtype != weight.dtype
        ):
            return f"{weight.dtype}, like its weights; x.to({weight.dtype}) converts x"
        case nn.Linear():
            return f"a last dimension of in_features={module.in_features}"
        case nn.Conv1d() | nn.Conv2d() | nn.Conv3d():
            axes = {1: "length", 2: "height×width", 3: "depth×height×width"}
            return (
                f"batch×{module.in_channels}×{axes[len(module.kernel_size)]}, that is "
                f"in_channels={module.in_channels}, at least as large as its "
                f"{_format_shape(module.kernel_size)} kernel"
            )
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
            return f"num_features={module.num_features} channels in dimension 1"
        case _:
            return None


def _explain(error: BaseException, table: ShapeTable, running: list[_Call]) -> str:
    count = len(table.rows)
    lines = [f"the forward pass failed after {count} layer{'' if count == 1 else 's'}"]
    if table.rows:
        lines += [repr(table)]
    # A call that the error did not pass through is left over from one that the model caught.
    passed = {id(frame.f_locals.get("self")) for frame, _ in walk_tb(error.__traceback__)}
    if failed := [call for call in running if id(call.module) in passed]:
        name, module, shape, dtype, _ = failed[-1]
        is_leaf = next(module.children(), None) is None
        lines += [f"failed: {name}, {module}" if is_leaf else f"failed: {name}"]
        found = f"an input of shape {_format_shape(shape)}, {dtype}" if dtype else "no tensor"
        lines += [f"found:    {found}"]
        if wanted := _wanted(module, dtype):
            lines += [f"expected: {wanted}"]
    lines += [f"PyTorch says: {error}"]
    return "\n".join(lines)


class ReceptiveField(NamedTuple):
    """The window of the input that one output pixel sees, along one axis.

    Attributes
    ----------
    name : str
        Where the layer is in the model.
    size : int
        Side of the window, in input pixels.
    stride : int
        Distance between the windows of two neighbouring output pixels, in input pixels.
    """

    name: str
    size: int
    stride: int


@checked
def receptive_fields(model: nn.Module) -> list[ReceptiveField]:
    """Return the receptive field after each convolution and pooling layer of a chain.

    A layer with kernel size k and dilation d widens the window by d(k − 1) steps, each as long
    as the strides before it multiplied together.

    Parameters
    ----------
    model : torch.nn.Module
        A model whose layers run one after the other, in the order they were defined. Layers that
        look at one pixel at a time are skipped; the first layer that mixes all positions
        (flattening, fully connected, adaptive pooling) ends the list.

    Returns
    -------
    list of ReceptiveField
        One per convolution or pooling layer.

    Raises
    ------
    ValueError
        If a layer has windows that are not square, or windows of another kind.

    References
    ----------
    A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks",
    Distill, 2019.
    """
    fields = []
    size, stride = 1, 1
    for name, layer in model.named_modules(remove_duplicate=False):  # one used twice runs twice
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            kernel_size, dilation = _side(name, layer.kernel_size), _side(name, layer.dilation)
        elif isinstance(layer, nn.AvgPool2d):
            kernel_size, dilation = _side(name, layer.kernel_size), 1
        elif isinstance(
            layer, nn.Flatten | nn.Linear | nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d
        ):
            break
        elif hasattr(layer, "kernel_size") or isinstance(layer, nn.Upsample):
            raise ValueError(
                f"{name}: expected a Conv2d, MaxPool2d or AvgPool2d layer, "
                f"found {type(layer).__name__}"
            )
        else:
            continue
        size += dilation * (kernel_size - 1) * stride
        stride *= _side(name, layer.stride)
        fields.append(ReceptiveField(name, size, stride))
    return fields


def _side(name: str, value: Any) -> int:
    """Return the side of a square window, which PyTorch gives as a number or a pair."""
    sides = {value} if isinstance(value, int) else set(value)
    if len(sides) != 1:
        raise ValueError(f"{name}: expected a square window, found {value}")
    return sides.pop()

"""What shape the data has after each step: the formula, and the tracer that fills a table."""

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Literal, Self

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList, type_before_parametrizations

from cnnlesson._support.arguments import Flag, checked
from cnnlesson._support.axes import AxisCounts, AxisPadding, NonNegativeAxisCounts, along_each_axis
from cnnlesson._support.eager import eagerly, in_python
from cnnlesson._support.functions import FunctionCall, FunctionMode, as_text, shape_of, tensors_in
from cnnlesson._support.modes import evaluating
from cnnlesson._support.parameters import count_parameters, outside_the_rows
from cnnlesson._support.shape_table import LayerShape, Shape, ShapeTable
from cnnlesson._support.verdicts import ModuleCall, explain, is_on_maps
from cnnlesson._support.work import MultiplyAdds

__all__ = ["ShapeError", "ShapeTracer", "output_size"]


@checked
def output_size(
    size: NonNegativeAxisCounts,
    kernel_size: AxisCounts,
    stride: AxisCounts = 1,
    padding: AxisPadding = 0,
    dilation: AxisCounts = 1,
    ceil_mode: Flag = False,
) -> Any:
    r"""Return how many positions a sliding window takes along one axis, or along each.

    .. math::

        n_\text{out} = \left\lfloor \frac{n + 2p - d(k - 1) - 1}{s} \right\rfloor + 1

    Parameters
    ----------
    size : int or tuple of int
        Input size n, in pixels. Give a pair, here or below, for height and width.
    kernel_size : int or tuple of int
        Window size k, 1 or more.
    stride : int or tuple of int, default 1
        Distance s between positions, 1 or more.
    padding : int, tuple of int or str, default 0
        Pixels p added on each side, 0 or more; "valid" is 0. "same" adds d(k − 1) pixels in all,
        which keeps the size; as in PyTorch it needs stride 1.
    dilation : int or tuple of int, default 1
        Distance d between the pixels of the window, 1 or more.
    ceil_mode : bool, default False
        Round up instead of down, as pooling layers can: a last window may reach beyond the
        padded input. One that would start in the padding on the right is left out, as in PyTorch.

    Returns
    -------
    int or tuple of int
        Output size, 1 or more; a tuple if any argument is one.

    Raises
    ------
    ValueError
        If an argument is out of its range, or there is no room for the window.

    References
    ----------
    PyTorch documentation, ``torch.nn.Conv2d`` and ``torch.nn.MaxPool2d``, section *Shape*.
    """
    return along_each_axis(
        partial(_positions, ceil_mode),
        size=size,
        kernel_size=kernel_size,
        stride=stride,
        padding=0 if padding == "valid" else padding,
        dilation=dilation,
    )


def _positions(ceil_mode: bool, n: int, k: int, s: int, p: int | Literal["same"], d: int) -> int:
    reach = d * (k - 1) + 1
    if p == "same" and s != 1:
        raise ValueError(f"stride: expected 1 where padding is 'same', found {s}")
    added = (0, reach - 1) if p == "same" else (p, 2 * p)
    padded = n + added[1]
    if not ceil_mode:
        positions = (padded - reach) // s + 1
    elif n == 0:
        raise ValueError("size: expected 1 or more, as pooling takes no empty input, found 0")
    else:
        positions = -((reach - padded) // s) + 1
        if (positions - 1) * s >= n + added[0]:
            positions -= 1
    if positions < 1:
        needed = max(reach - s + 1, 1) if ceil_mode else reach
        raise ValueError(
            f"the window does not fit: expected an input of at least {needed} pixels "
            f"(kernel_size {k}, dilation {d}), "
            f"found {padded} (size {n}, padding {p} on each side)"
        )
    return positions


class ShapeError(RuntimeError):
    """A forward pass failed; the message says where, and the table holds the steps before.

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

    A row of the table is one call of a layer, that is, of a module that calls no other module, or
    of a function outside the layers, such as ``F.relu``, ``x.view`` and ``+``. Calling the tracer
    is calling the model: same mode, same gradients, same result. The table is a by-product. It
    works on any model, however nested, by hooks and a function mode that live for one call.

    Parameters
    ----------
    model : torch.nn.Module
        The model to trace. It may be on any device, ``meta`` included, where nothing is computed.
        Of a compiled model the one it wraps is traced.
    functions : bool, default True
        Whether functions have rows of their own.
    on_row : callable, optional
        Called with each row and the output of its step, as soon as both are there.

    Attributes
    ----------
    model : torch.nn.Module
        The model itself.
    table : ShapeTable
        Shapes of the last call. Before the first call there are no rows.

    Raises
    ------
    TypeError
        If the model is no module, or a part of it is scripted and runs outside Python.

    Examples
    --------
    >>> import torch
    >>> from cnnlesson import ConvNet, ShapeTracer
    >>> ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28)).rows[-1].output_shape
    (1, 10)
    """

    def __init__(
        self,
        model: nn.Module,
        functions: bool = True,
        on_row: Callable[[LayerShape, Any], None] | None = None,
    ) -> None:
        super().__init__()
        self.model = in_python(model)
        self.functions = functions
        self.on_row = on_row
        self.table = ShapeTable([], count_parameters(self.model).all)

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
        recorder = _Recorder(self.model, self.functions, self.on_row)
        try:
            with recorder:
                return self.model(*args, **kwargs)
        except Exception as error:
            source = (isinstance(error, ShapeError) and error.__cause__) or error  # tracer inside
            raise ShapeError(recorder.explain(source), recorder.table()) from source
        finally:
            self.table = recorder.table()

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
        with evaluating(self.model), torch.random.fork_rng():
            self(*args, **kwargs)
        return self.table


class _Recorder:
    """While it is entered, adds a row for each step of a model.

    Each module has two hooks, one called when it is entered and one when it is left; in between
    it stands on a stack. A function mode is told of every function, and finds on top of the stack
    which module called it.
    """

    def __init__(
        self,
        model: nn.Module,
        functions: bool,
        on_row: Callable[[LayerShape, Any], None] | None,
    ) -> None:
        self.model = model
        self.on_row = on_row
        self.rows: list[LayerShape] = []
        self.layers: list[nn.Module] = []  # those that have a row
        self.running: list[ModuleCall] = []
        self.failed: list[tuple[BaseException, ModuleCall]] = []
        self.first: ModuleCall | None = None  # the first layer on maps
        self.names = {
            module: name.replace("_orig_mod.", "").removesuffix("._orig_mod") or _kind(module)
            for name, module in model.named_modules()
        }
        self.taken = Counter(self.names.values())
        self.functions = FunctionMode(self.called) if functions else None
        self.work = MultiplyAdds()
        self.is_complete = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for module in self.names:  # first of all hooks, as a lazy layer may fail in its own
                entering = module.register_forward_pre_hook(
                    self.entered, prepend=True, with_kwargs=True
                )
                stack.callback(entering.remove)
                leaving = module.register_forward_hook(self.left, always_call=True)
                stack.callback(leaving.remove)
            for context in (eagerly(), self.work, self.functions):
                if context is not None:
                    stack.enter_context(context)
            self.exit = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self.is_complete = error[0] is None
        self.exit.__exit__(*error)

    def entered(self, module: nn.Module, args: tuple, kwargs: dict) -> None:
        """Put a module on the stack."""
        is_silent = isinstance(module, ParametrizationList)  # computes a weight, and is no layer
        is_silent |= bool(self.running) and self.running[-1].is_silent
        call = ModuleCall(
            self.names[module],
            module,
            (*args, *kwargs.values()),
            [shape_of(tensor) for tensor in tensors_in((args, kwargs))],
            self.is_leaf(module),
            is_silent,
            len(self.rows),
            sys.exception(),
        )
        self.running.append(call)
        if not is_silent:
            self.work.reset()

    def left(self, module: nn.Module, args: tuple, output: Any) -> None:
        """Take a module from the stack; if no row was added since it was put there, it has one."""
        call = self.running[-1]
        error = sys.exception()
        if error is not None and error is not call.handled:
            self.failed.append((error, call))
        elif not call.is_silent and len(self.rows) == call.rows_before:
            self.first = self.first or (call if is_on_maps(module) else None)
            self.layers.append(module)
            count = count_parameters(module)
            self.add(call.name, _kind(module), call.shapes, output, count.all, count.trainable)
        self.running.pop()

    def called(self, call: FunctionCall) -> None:
        """Add a row for a function, unless a layer called it: that has a row itself."""
        caller = self.running[-1]
        if caller.is_leaf or caller.is_silent:
            return
        name = call.kind if caller.module is self.model else f"{caller.name}.{call.kind}"
        self.taken[name] += 1
        number = self.taken[name] - 1
        held = {id(tensor) for tensor in (*self.model.parameters(), *self.model.buffers())}
        shapes = [
            shape
            for tensor, shape in zip(call.inputs, call.shapes, strict=True)
            if id(tensor) not in held
        ]
        self.add(
            f"{name}_{number}" if number else name,
            call.kind,
            shapes,
            call.output,
            settings=as_text(call.kind, call.settings),
        )

    def add(
        self,
        name: str,
        kind: str,
        inputs: list[Shape],
        output: Any,
        num_parameters: int = 0,
        num_trainable: int = 0,
        settings: str = "",
    ) -> None:
        tensors = list(tensors_in(output))
        row = LayerShape(
            name,
            kind,
            _only(inputs),
            _only([shape_of(tensor) for tensor in tensors]),
            num_parameters,
            num_trainable,
            self.work.since_reset(),
            sum(tensor.numel() * tensor.element_size() for tensor in tensors),
            settings,
        )
        self.rows.append(row)
        if self.on_row is not None:
            self.on_row(row, output)
        self.work.reset()

    def is_leaf(self, module: nn.Module) -> bool:
        """Say whether a module is one step, whatever functions it calls."""
        if module is self.model and not type(module).__module__.startswith("torch."):
            return False  # of a network that is all functions one wants to see them
        parts = [n for n, _ in module.named_children() if n != "parametrizations" and n[0] != "_"]
        return not parts or isinstance(module, nn.MultiheadAttention)  # calls none of its parts

    def table(self) -> ShapeTable:
        """Return the rows so far."""
        notes = outside_the_rows(self.model, self.layers) if self.is_complete else []
        return ShapeTable(self.rows, count_parameters(self.model).all, notes)

    def explain(self, error: BaseException) -> str:
        """Say in words why the model failed, and show the rows before."""
        function = None
        if self.functions and self.functions.failed and self.functions.failed[0] is error:
            call = self.functions.failed[1]
            function = (as_text(call.kind, call.settings), tuple(call.inputs))
        # The innermost that the error passed through; others failed before, and were caught.
        failed = next((call for reason, call in self.failed if reason is error), None)
        whole, verdict = explain(error, failed, function, self.first)
        step = "step" if any(row.settings for row in self.rows) else "layer"
        count = f"{len(self.rows)} {step}{'' if len(self.rows) == 1 else 's'}"
        table = [repr(self.table())] if self.rows else []
        lines = [whole, f"the forward pass failed after {count}", *table, verdict]
        return "\n".join(filter(None, lines))


def _kind(module: nn.Module) -> str:
    return type_before_parametrizations(module).__name__


def _only(shapes: list[Shape]) -> Any:
    """Return the only shape, or all of them; None of no tensor."""
    return (shapes[0] if len(shapes) == 1 else tuple(shapes)) if shapes else None

"""The functions that a model calls, such as ``F.relu`` and ``x.view``: their names and settings."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

__all__ = ["FunctionCall", "FunctionMode", "as_text", "shape_of", "tensors_in"]

# They hand a tensor on as it is, in another place or precision: neither computed nor reshaped.
_BOOKKEEPING = {
    *("clone", "contiguous", "cpu", "cuda", "data", "detach", "double", "float", "grad", "half"),
    *("numpy", "requires_grad", "to", "type", "type_as"),
}
_SAID_ELSEWHERE = {"inplace", "input", "self", "stacklevel", "training"}
_LONGEST = 40  # characters of a setting; a table of numbers would fill pages
_PLAIN = (bool, int, float, str, slice, type(Ellipsis), torch.dtype)


class FunctionCall(NamedTuple):
    """One call of a function.

    Attributes
    ----------
    kind : str
        Name of the function, such as ``"max_pool2d"``; an operator has the name of its method,
        so that ``+`` is ``"add"``.
    settings : dict of str to object
        What it was given besides tensors, where that is not the default.
    inputs : list of torch.Tensor
        The tensors it was given.
    shapes : list of tuple of int
        Their shapes then; it may have changed them since.
    output : object
        What it returned; of one that changes its input, the input. None while it runs.
    """

    kind: str
    settings: dict[str, Any]
    inputs: list[Tensor]
    shapes: list[tuple[Any, ...]]
    output: Any = None


class FunctionMode(TorchFunctionMode):
    """While it is entered, reports each function that makes, changes or reshapes a tensor.

    What such a function calls in turn is its own affair, and is not reported.

    Parameters
    ----------
    report : callable
        Called with each FunctionCall, when it has returned.

    Attributes
    ----------
    failed : tuple of (Exception, FunctionCall), optional
        The last call that raised.
    """

    def __init__(self, report: Callable[[FunctionCall], None]) -> None:
        super().__init__()
        self.report = report
        self.failed: tuple[Exception, FunctionCall] | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the function, and report it if a tensor comes of it."""
        kwargs = kwargs or {}
        kind = _kind(func)
        inputs = [tensor for tensor in tensors_in((args, kwargs)) if not is_lazy(tensor)]
        shapes = [shape_of(tensor) for tensor in inputs]
        try:
            output = func(*args, **kwargs)
        except Exception as error:
            settings = _settings(func, kind, args, kwargs)
            self.failed = (error, FunctionCall(kind, settings, inputs, shapes))
            raise
        made = args[0] if kind == "setitem" else output
        if kind not in _BOOKKEEPING and _makes(func, made, inputs, kwargs):
            settings = _settings(func, kind, args, kwargs)
            self.report(FunctionCall(kind, settings, inputs, shapes, made))
        return output


def shape_of(tensor: Tensor) -> tuple[Any, ...]:
    """Return the shape of a tensor, a nested one included.

    Parameters
    ----------
    tensor : torch.Tensor
        Any tensor.

    Returns
    -------
    tuple of int or str
        Its lengths; for a nested tensor, ``"ragged"`` along all axes but the first.
    """
    if tensor.is_nested and tensor.layout == torch.strided:
        return (tensor.size(0), *("ragged" for _ in range(tensor.dim() - 1)))
    return tuple(tensor.shape)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a value, however it nests tuples, lists and dicts.

    Parameters
    ----------
    value : object
        What a function was given or returned.

    Yields
    ------
    torch.Tensor
        Each tensor, in order; one that occurs twice, twice.
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)


def as_text(kind: str, settings: dict[str, Any]) -> str:
    """Return a call as one would write it, without its tensors: ``max_pool2d(kernel_size=2)``.

    Parameters
    ----------
    kind : str
        Name of the function, as in `FunctionCall`.
    settings : dict of str to object
        What it was given besides tensors, as in `FunctionCall`.

    Returns
    -------
    str
        The call; of an index ``getitem[0, 1:]``, with ``…`` for one that holds a tensor.
    """
    if kind in ("getitem", "setitem"):
        return f"{kind}[{_index_text(settings.get('index', '…'))}]"
    return kind + (
        f"({', '.join(f'{k}={_plain(v)}' for k, v in settings.items())})" * bool(settings)
    )


def _plain(value: Any) -> str:
    text = repr(tuple(value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _index_text(index: Any) -> str:
    if isinstance(index, tuple):
        return ", ".join(map(_index_text, index))
    if isinstance(index, slice):
        parts = ["" if part is None else str(part) for part in (index.start, index.stop)]
        return ":".join([*parts, str(index.step)] if index.step is not None else parts)
    return "..." if index is Ellipsis else str(index)


def _kind(function: Callable[..., Any]) -> str:
    """Return ``"add"`` for ``Tensor.__iadd__`` and ``Tensor.add_``, ``"T"`` for ``Tensor.T``."""
    name = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    return name.split(".")[0].strip("_") or name  # "relu.default" in what was exported


def _makes(
    function: Callable[..., Any], output: Any, inputs: list[Tensor], kwargs: dict[str, Any]
) -> bool:
    """Say whether a tensor comes of a call that was not there before as it is now."""
    tensors = list(tensors_in(output))
    given = {id(tensor) for tensor in inputs}
    if not tensors:
        return False
    if any(id(tensor) not in given for tensor in tensors):
        return True
    name = getattr(function, "__name__", "")
    changes = (name.endswith("_") and name != "requires_grad_") or kwargs.get("inplace")
    return (
        bool(changes)
        or kwargs.get("out") is not None
        or getattr(function, "__module__", None) == "torch.nn.functional"
    )


def _settings(
    function: Callable[..., Any], kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    if kind in ("getitem", "setitem"):
        return {"index": args[1]} if _is_plain(args[1]) else {}
    given, defaults = _named(function, kind, args, kwargs)
    return {
        name: value
        for name, value in given.items()
        if _is_plain(value)
        and name.strip("_") not in _SAID_ELSEWHERE
        and not _equal(value, defaults.get(name))
    }


def _named(
    function: Callable[..., Any], kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments by name, and the defaults, of the first signature that they fit."""
    packed = (args[0], args[1:]) if len(args) > 2 else args  # x.view(1, -1) gives one size
    for names, defaults in _signatures(function, kind):
        for values in (args, packed):
            if len(values) <= len(names) and kwargs.keys() <= defaults.keys():
                return dict(zip(names, values, strict=False)) | kwargs, defaults
    return {str(place): value for place, value in enumerate(args)} | kwargs, {}


def _signatures(
    function: Callable[..., Any], kind: str
) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Yield the names that may go unsaid, and all names with their defaults."""
    # F.max_pool2d and its like hand all they are given to one of two, of the same parameters.
    function = getattr(torch.nn.functional, f"{kind}_with_indices", function)
    if inspect.isfunction(function):
        parameters = inspect.signature(function).parameters
        names = [n for n, p in parameters.items() if p.kind is not p.KEYWORD_ONLY]
        yield names, {name: parameter.default for name, parameter in parameters.items()}
    packet = getattr(torch.ops.aten, kind, None)
    for overload in packet.overloads() if packet else []:
        arguments = getattr(packet, overload)._schema.arguments
        names = [argument.name for argument in arguments if not argument.kwarg_only]
        yield names, {argument.name: argument.default_value for argument in arguments}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _equal(value: Any, default: Any) -> bool:
    """Compare a setting with its default, which may stand for all axes at once."""
    if isinstance(value, list | tuple):
        each = list(default) if isinstance(default, list | tuple) else [default]
        return bool(value and each) and list(value) == each * (len(value) // len(each))
    if isinstance(default, list | tuple):
        return len(default) > 0 and all(part == value for part in default)
    return type(value) is type(default) and value == default

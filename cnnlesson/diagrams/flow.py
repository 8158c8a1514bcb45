"""Follow the data through a forward pass: which steps a tensor comes from, what it sees.

Whatever a model calls, layers or functions, PyTorch carries it out by basic operations. A dispatch
mode is told of each.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from cnnlesson._support.functions import tensors_in
from cnnlesson._support.operations import OperationMode
from cnnlesson.diagrams.operations import Operation, origin_after
from cnnlesson.diagrams.origin import Origin

__all__ = ["Flow"]


class _Known(NamedTuple):
    """The origin of a tensor, as long as nobody writes into it under another name."""

    origin: Origin
    version: int


class _Straight(TorchFunctionMode):
    """While it is entered, pads by repetition what would be padded by wrapping around.

    The shapes are the same, and so is what pixels away from the border see.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.nn.functional.pad and "circular" in (*args[2:3], kwargs.get("mode")):
            args, kwargs = args[:2], kwargs | {"mode": "replicate"}
        return func(*args, **kwargs)


class Flow(OperationMode):
    """While it is entered, follows where the numbers of every tensor come from.

    At the border of a map it follows what lies inside, and not what padding makes of it.

    Attributes
    ----------
    operations : list of Operation
        What was done with the data since the list was last emptied, in order.
    failed : Operation or None
        The operation that raised an error last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.failed: Operation | None = None
        self._known: Any = WeakTensorKeyDictionary()
        self._written: list[tuple[Any, frozenset[int]]] = []
        self._straight = _Straight()

    def __enter__(self) -> "Flow":
        self._straight.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._straight.__exit__(*error)

    def begin(self, tensors: Iterable[Tensor], step: int) -> None:
        """Let tensors see themselves from now on, as outputs of a step.

        Parameters
        ----------
        tensors : iterable of torch.Tensor
            Such as an input, batch first, or what a step gave.
        step : int
            Number of the step, 0 or more; -1 for the input.
        """
        for tensor in tensors:
            self._known[tensor] = _Known(Origin.of_input(tensor.shape, step), _version(tensor))

    def origin_of(self, tensor: Any) -> Origin | None:
        """Return the origin of a tensor.

        Parameters
        ----------
        tensor : object
            What an operation takes or gives, a tensor or not.

        Returns
        -------
        Origin or None
            None if it is no tensor, or does not come from the input. Of a tensor that data were
            written into under another name, the reach is unknown.
        """
        if not isinstance(tensor, Tensor):
            return None
        known = self._known.get(tensor)
        if known is not None:
            unchanged = tensor.is_inference() or known.version == _version(tensor)
            return known.origin if unchanged else known.origin.unknown()
        here = _storage(tensor) if self._written else None
        for storage, steps in self._written:
            if here is not None and storage._cdata == here._cdata:
                return Origin(steps).unknown()
        return None

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation and note where its result comes from."""
        kwargs = kwargs or {}
        origins = [o for t in tensors_in((args, kwargs)) if (o := self.origin_of(t)) is not None]
        if not origins:
            return func(*args, **kwargs)
        name = func._schema.name.split("::")[-1]
        changes = name.endswith("_")
        operation = Operation(
            name.strip("_") if changes else name,
            _by_name(func, args, kwargs),
            None,
            origins,
            self.origin_of,
            torch.Tag.pointwise in func.tags,
        )
        try:
            output = func(*args, **kwargs)
        except Exception:
            self.failed = operation
            raise
        tensors = list(tensors_in(output))
        if tensors:
            operation = operation._replace(output=tensors[0])
            origin = origin_after(operation)
            self.operations.append(operation._replace(output=None, given=_sizes(operation.given)))
            is_view = any(value.alias_info is not None for value in func._schema.returns)
            for tensor in tensors:
                alike = tensor.shape == tensors[0].shape
                # A view counts changes with what it is a view of, but only after we return.
                counts = next(tensors_in(args), tensor) if is_view and not changes else tensor
                version = _version(counts) + int(changes)  # a change too is counted after that
                self._note(
                    tensor, origin if alike or not origin else origin.unknown(), changes, version
                )
        return output

    def _note(self, tensor: Tensor, origin: Origin | None, changes: bool, version: int) -> None:
        if origin is None:
            self._known.pop(tensor, None)
            return
        if changes and tensor not in self._known:  # data were written into a constant
            storage = _storage(tensor)
            self._written += [(storage, origin.steps)] if storage is not None else []
        self._known[tensor] = _Known(origin, version)


def _by_name(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an operation by name, defaults included."""
    arguments = func._schema.arguments
    given = {a.name: a.default_value for a in arguments if a.has_default_value()}
    given = {a.name: given.get(a.name) for a in arguments}
    return given | {a.name: v for a, v in zip(arguments, args, strict=False)} | kwargs


def _sizes(given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with the shape of each tensor in its place: tensors are not kept."""
    return {k: v.shape if isinstance(v, Tensor) else v for k, v in given.items()}


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _storage(tensor: Tensor) -> Any:
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):  # nested or opaque
        return None

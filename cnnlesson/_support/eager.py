"""A model run as its Python code says: nothing compiled, no fused shortcut past its layers."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from cnnlesson._support.inputs import what_is_no_model

__all__ = ["eagerly", "in_python", "uncompiled"]


def in_python(model: nn.Module) -> nn.Module:
    """Return the model that a compiled one wraps, and refuse one that does not run in Python.

    Parameters
    ----------
    model : torch.nn.Module
        A model, compiled or not.

    Returns
    -------
    torch.nn.Module
        The model itself.

    Raises
    ------
    TypeError
        If it is no module, or has a scripted part, which runs outside Python.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch.nn.Module, found {what_is_no_model(model)}")
    model = uncompiled(model)
    for name, part in model.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            where = f" at {name}" if name else ""
            raise TypeError(
                f"model: expected layers that run in Python, found a scripted one{where}, "
                f"{type(part).__name__}; take the model as it was before torch.jit"
            )
    return model


def uncompiled(model: nn.Module) -> nn.Module:
    """Return the model that a compiled one wraps.

    Parameters
    ----------
    model : torch.nn.Module
        A model, compiled or not.

    Returns
    -------
    torch.nn.Module
        The model as it was written.
    """
    while isinstance(wrapped := getattr(model, "_orig_mod", None), nn.Module):
        model = wrapped
    return model


@contextmanager
def eagerly() -> Iterator[None]:
    """Run layers one by one: what is compiled runs as written, and attention takes no shortcut.

    The shortcut of a transformer's layers computes the same in one piece, past the layers within.

    Yields
    ------
    None
        Nothing; at the end the shortcut is again as it was.
    """
    shortcut = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with ExitStack() as stack:
            if "torch._dynamo" in sys.modules:  # else nothing is compiled
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(shortcut)

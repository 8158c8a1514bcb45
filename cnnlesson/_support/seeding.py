"""Random numbers from a generator of one's own, where PyTorch would take the global one."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["Seeded"]


class Seeded(TorchFunctionMode):
    """Inside ``with Seeded(seed):`` layers draw the initial weights that ``seed`` gives.

    They are those after ``torch.manual_seed(seed)``, but the global generator is neither used nor
    changed. So the weights follow from the seed even if another thread draws numbers meanwhile.

    Parameters
    ----------
    seed : int
        The seed, 0 or more.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of PyTorch, with this generator if it takes one."""
        kwargs = kwargs or {}
        # torch.nn.init, from which layers take their weights, always hands one on, None or not.
        own = {"generator": self.generator} if "generator" in kwargs else {}
        return func(*args, **kwargs | own)

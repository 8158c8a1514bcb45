"""How many multiply-adds a forward pass takes, counted while it runs."""

from collections.abc import Callable
from typing import Any

from torch.utils.flop_counter import flop_registry, sdpa_flop_count

from cnnlesson._support.operations import OperationMode

__all__ = ["MultiplyAdds"]

# Such a name multiplies matrices; where PyTorch does not say how often, neither do we.
_MULTIPLIES = ("attention", "conv", "gru", "linear", "lstm", "mm", "rnn")
_LOOKS_LIKE_IT = ("convert", "upsample")


class MultiplyAdds(OperationMode):
    """Counts multiplications that are followed by an addition, while it is entered.

    The counts are those of ``torch.utils.flop_counter``, which takes one for two operations.
    """

    def __init__(self) -> None:
        super().__init__()
        self._count: int | None = 0

    def reset(self) -> None:
        """Begin again at 0."""
        self._count = 0

    def since_reset(self) -> int | None:
        """Return the multiply-adds since the count was last at 0.

        Returns
        -------
        int or None
            How many, 0 or more; None if PyTorch does not know those of a step.
        """
        return self._count

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation and count its work."""
        output = func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[-1]
        count: Callable[..., int] | None = flop_registry.get(func._overloadpacket)
        if self._count is None:
            return output
        if count is not None:
            self._count += count(*args, **(kwargs or {}), out_val=output) // 2
        elif name == "_scaled_dot_product_flash_attention_for_cpu":
            self._count += sdpa_flop_count(*(tensor.shape for tensor in args[:3])) // 2
        elif any(part in name for part in _MULTIPLIES) and not any(
            part in name for part in _LOOKS_LIKE_IT
        ):
            self._count = None
        return output

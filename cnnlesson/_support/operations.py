"""A mode that is told of PyTorch's basic operations, and does not load its compiler for that."""

from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["OperationMode"]


class OperationMode(TorchDispatchMode):
    """The base of modes that watch: what they do themselves never runs in compiled code."""

    def __init__(self) -> None:
        super().__init__()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # PyTorch would load its compiler, several seconds, to keep it away from here

"""The laboratory's kernel, run by Python: what the tests hold against PyTorch."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from wasmtime import Engine, Instance, Module, Store

from cnnlesson import ConvNet
from cnnlesson.widgets.shared.sources import WIDGETS

WASM = WIDGETS / "training_lab" / "kernel.wasm"
RULES = ("classical", "pytorch", "nesterov")
COUNT = 34_826


@cache
def _module(path: Path) -> tuple[Engine, Module]:
    engine = Engine()
    return engine, Module.from_file(engine, str(path))


class Kernel:
    """One network in the memory of one instance; arrays are views of that memory."""

    def __init__(self, model: ConvNet | None = None, *, slope: float = 0.0, path: Path = WASM):
        engine, module = _module(path)
        self._store = Store(engine)
        self._exports = Instance(self._store, module, []).exports(self._store)
        self.slope = slope
        self.parameters = self._view("get_parameters", np.float32, COUNT)
        self.velocities = self._view("get_velocities", np.float32, COUNT)
        self.gradients = self._view("get_gradients", np.float32, COUNT)
        self.logits = self._view("get_logits", np.float32, 256, 10)
        self.pool1 = self._view("get_pool1", np.float32, 13, 13, 32)
        self.pool2 = self._view("get_pool2", np.float32, 5, 5, 64)
        self.awake = self._view("get_awake", np.uint8, 96)
        self._images = self._view("get_images", np.float32, 256, 784)
        self._labels = self._view("get_labels", np.int32, 256)
        if model is not None:
            self.parameters[:] = nn.utils.parameters_to_vector(model.parameters()).detach().numpy()

    def _view(self, name: str, dtype: type, *shape: int) -> NDArray:
        memory = self._exports["memory"]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        whole = (memory.data_len(self._store),)
        content = np.ctypeslib.as_array(memory.data_ptr(self._store), whole)
        at = self._exports[name](self._store)
        return content[at : at + size].view(dtype).reshape(shape)

    def _put(self, x: torch.Tensor, y: torch.Tensor) -> int:
        self._images[: len(x)] = x.reshape(len(x), -1).numpy()
        self._labels[: len(y)] = y.numpy()
        return len(x)

    def gradient(self, x: torch.Tensor, y: torch.Tensor) -> float:
        n = self._put(x, y)
        return self._exports["compute_gradients"](self._store, n, self.slope)

    def update(self, lr: float, momentum: float, rule: str = "pytorch") -> None:
        self._exports["take_step"](self._store, lr, momentum, RULES.index(rule))

    def measure(self, x: torch.Tensor, y: torch.Tensor) -> tuple[float, torch.Tensor]:
        """Return the mean loss and the logits of any number of images."""
        self.awake[:] = 0
        total, logits = 0.0, []
        for xs, ys in zip(x.split(256), y.split(256), strict=True):
            n = self._put(xs, ys)
            total += n * self._exports["measure"](self._store, n, self.slope)
            logits.append(torch.from_numpy(self.logits[:n].copy()))
        return total / len(x), torch.cat(logits)

    @property
    def dead(self) -> tuple[float, float]:
        """The share of channels of each layer that the last measurement did not wake."""
        return 1 - self.awake[:32].mean().item(), 1 - self.awake[32:].mean().item()

    @property
    def is_finite(self) -> bool:
        return bool(self._exports["all_finite"](self._store))

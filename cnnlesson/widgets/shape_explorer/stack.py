"""A network as one short line of text, such as ``1x28x28 conv32k3 relu pool2 flatten``."""

import re
from typing import Any, NamedTuple

from torch import nn
from traitlets import HasTraits, TraitError

from cnnlesson.widgets.shared.settings import Setting

__all__ = ["NETWORKS", "Layer", "Network", "Stack"]

NETWORKS = {
    "ConvNet": "1x28x28 conv32k3 relu pool2 conv64k3 relu pool2 flatten linear1600to10",
    # Average pooling without weights and a plain linear layer stand for what 1998 did by hand.
    "LeNet-5": "1x32x32 conv6k5 tanh avgpool2 conv16k5 tanh avgpool2 flatten "
    "linear400to120 tanh linear120to84 tanh linear84to10",
    "AlexNet": "3x224x224 conv64k11s4p2 relu pool3s2 conv192k5p2 relu pool3s2 conv384k3p1 relu "
    "conv256k3p1 relu conv256k3p1 relu pool3s2 flatten dropout linear9216to4096 relu dropout "
    "linear4096to4096 relu linear4096to1000",
}

# What each number may be. Products of all of them stay below 2**53, exact in JavaScript too.
_RANGES = {
    "size": (1, 512),
    "channels": (1, 2048),
    "k": (1, 15),
    "s": (1, 15),
    "p": (0, 15),
    "d": (1, 15),
    "from": (1, 10**11 - 1),
    "to": (1, 9999),
}
_MOST_LAYERS = 32

# The numbers of each kind of layer: the first stands right behind its name. An example of each.
_NUMBERS = {
    "conv": ("channels", "k", "s", "p", "d"),
    "pool": ("k", "s", "p", "d"),
    "avgpool": ("k", "s", "p"),
    "linear": ("from", "to"),
    "relu": (),
    "tanh": (),
    "dropout": (),
    "flatten": (),
}
_FORMS = {
    "conv": r"conv#k#(?:s#)?(?:p#)?(?:d#)?",
    "pool": r"pool#(?:s#)?(?:p#)?(?:d#)?",
    "avgpool": r"avgpool#(?:s#)?(?:p#)?",
    "linear": r"linear#to#",
} | {kind: kind for kind in ("relu", "tanh", "dropout", "flatten")}
_FORMS = {kind: form.replace("#", r"\d{1,11}") for kind, form in _FORMS.items()}
_EXAMPLES = (
    "conv32k3, conv32k5s2p1d2, pool2, pool3s2, avgpool2, linear1600to10, "
    "relu, tanh, dropout or flatten"
)
_INPUT = r"\d{1,4}x\d{1,4}x\d{1,4}"


class Layer(NamedTuple):
    """One layer.

    Attributes
    ----------
    kind : str
        One of conv, pool (by the maximum), avgpool, linear, relu, tanh, dropout and flatten.
    numbers : dict of str to int
        All its settings: channels, k (kernel size), s (stride), p (padding), d (dilation), from
        and to (in_features and out_features).
    """

    kind: str
    numbers: dict[str, int]

    def __str__(self) -> str:
        usual = {"s": self.numbers.get("k") if "pool" in self.kind else 1, "p": 0, "d": 1}
        text = self.kind
        for i, (name, value) in enumerate(self.numbers.items()):
            if value != usual.get(name):
                text += f"{name if i else ''}{value}"
        return text


class Network(NamedTuple):
    """An input and the layers after it.

    Attributes
    ----------
    shape : tuple of int
        Channels, height and width of the input.
    layers : tuple of Layer
        The layers, in order of execution.
    """

    shape: tuple[int, ...]
    layers: tuple[Layer, ...]

    def __str__(self) -> str:
        return " ".join(["x".join(map(str, self.shape)), *map(str, self.layers)])

    @classmethod
    def parse(cls, text: str) -> "Network":
        """Read a network.

        Parameters
        ----------
        text : str
            The input, such as ``1x28x28``, and one word for each layer after it. What is left out
            is as in PyTorch: stride 1, of a pooling its kernel size; padding 0; dilation 1.

        Returns
        -------
        Network
            The network.

        Raises
        ------
        ValueError
            If a word is no layer, or one of its numbers is out of its range.
        """
        first, *parts = text.split() or [""]
        if not re.fullmatch(_INPUT, first):
            raise ValueError(f"expected it to begin with an input such as 1x28x28, found {first!r}")
        shape = tuple(map(int, first.split("x")))
        for name, value in zip(("channels", "size", "size"), shape, strict=True):
            _check(f"input ({first})", name, value)
        if not 1 <= len(parts) <= _MOST_LAYERS:
            raise ValueError(f"expected 1 to {_MOST_LAYERS} layers, found {len(parts)}")
        return cls(shape, tuple(_layer(i, part) for i, part in enumerate(parts, start=1)))

    def to_module(self) -> nn.Sequential:
        """Return the network as PyTorch modules, with new weights.

        A convolution takes as many channels as there are before it. A linear layer takes what it
        says, which need not be what arrives.

        Returns
        -------
        torch.nn.Sequential
            One module for each layer, in order of execution.
        """
        modules: list[nn.Module] = []
        channels = self.shape[0]
        for kind, n in self.layers:
            match kind:
                case "conv":
                    modules.append(
                        nn.Conv2d(channels, n["channels"], n["k"], n["s"], n["p"], n["d"])
                    )
                    channels = n["channels"]
                case "pool":
                    modules.append(nn.MaxPool2d(n["k"], n["s"], n["p"], n["d"]))
                case "avgpool":
                    modules.append(nn.AvgPool2d(n["k"], n["s"], n["p"]))
                case "linear":
                    modules.append(nn.Linear(n["from"], n["to"]))
                case _:
                    modules.append(_WITHOUT_NUMBERS[kind]())
        return nn.Sequential(*modules)


_WITHOUT_NUMBERS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "dropout": nn.Dropout,
    "flatten": nn.Flatten,
}


def _layer(i: int, text: str) -> Layer:
    kind = next((kind for kind, form in _FORMS.items() if re.fullmatch(form, text)), None)
    if kind is None:
        raise ValueError(f"layer {i}: expected one such as {_EXAMPLES}, found {text!r}")
    (_, main), *rest = re.findall(r"([a-z]+)(\d*)", text)
    found = {name: int(value) for name, value in rest}
    if names := _NUMBERS[kind]:
        found[names[0]] = int(main)
    usual = {"s": found.get("k", 1) if "pool" in kind else 1, "p": 0, "d": 1}
    numbers = {name: found.get(name, usual.get(name, 0)) for name in _NUMBERS[kind]}
    for name, value in numbers.items():
        _check(f"layer {i} ({text})", name, value)
    return Layer(kind, numbers)


def _check(where: str, name: str, value: int) -> None:
    low, high = _RANGES[name]
    if not low <= value <= high:
        raise ValueError(f"{where}: expected {name} from {low} to {high}, found {value}")


class Stack(Setting):
    """A network as text; see `Network.parse`. It is kept in its shortest form.

    Parameters
    ----------
    default_value : str
        The network a figure starts with. The limits sent to JavaScript are the pattern of all
        such texts, the range of each number, and the networks to start from.
    """

    def __init__(self, default_value: str) -> None:
        pattern = f"{_INPUT}(?: (?:{'|'.join(_FORMS.values())})){{1,{_MOST_LAYERS}}}"
        limits = {"pattern": pattern, "ranges": _RANGES, "most": _MOST_LAYERS, "networks": NETWORKS}
        super().__init__(default_value, limits)

    def validate(self, obj: HasTraits, value: Any) -> str:
        """Return ``value`` in its shortest form.

        Parameters
        ----------
        obj : traitlets.HasTraits
            The figure that is set.
        value : object
            What it is set to.

        Returns
        -------
        str
            The network, its usual numbers left out.

        Raises
        ------
        traitlets.TraitError
            If ``value`` is no text of a network, or a number is out of its range.
        """
        if not isinstance(value, str):
            raise TraitError(
                f"{self.name}: expected text such as {NETWORKS['ConvNet']!r}, found {value!r}"
            )
        try:
            return str(Network.parse(value))
        except ValueError as error:
            raise TraitError(f"{self.name}: {error}") from None

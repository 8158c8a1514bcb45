"""The trained network itself, reading what you draw."""

import base64
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cnnlesson._support.files import unreadable
from cnnlesson.data import MEAN, STD
from cnnlesson.evaluation import predict_logits
from cnnlesson.model import ConvNet
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.pixels import CELL, Drawing, drawn_on, shaded
from cnnlesson.widgets.shared.settings import Choice, Whole
from cnnlesson.widgets.shared.svg import svg_image

__all__ = ["DigitReader"]

# Made by __main__.py; how, and how good it is, tells the .json beside it.
WEIGHTS = Path(__file__).parent / "digit_reader.f16"
NUM_BYTES = 2 * 34_826  # a float16 for each parameter
_BOX = 20  # pixels: the longer side of a digit of MNIST


def to_bytes(model: nn.Module) -> bytes:
    """Return the weights of a `ConvNet` in half precision, 69,652 bytes.

    Raises
    ------
    ValueError
        If ``model`` is not a `ConvNet` with 10 classes, or a weight is not finite as a float16.
    """
    if not isinstance(model, ConvNet):
        raise ValueError(f"model: expected a ConvNet, found {type(model).__name__}")
    classes = model.layers[-1].out_features
    if classes != 10:
        raise ValueError(f"model: expected a ConvNet with 10 classes, found {classes}")
    flat = nn.utils.parameters_to_vector(model.parameters()).detach().half()
    if not flat.isfinite().all():
        raise ValueError("model: expected weights from -65504 to 65504, found others; diverged?")
    return flat.cpu().numpy().astype("<f2").tobytes()


def from_bytes(weights: bytes) -> ConvNet:
    """Return the network whose weights `to_bytes` gave, in float32."""
    flat = torch.from_numpy(np.frombuffer(weights, "<f2").astype(np.float32))
    with torch.device("meta"):  # without drawing random weights: that would move the reader's seed
        model = ConvNet()
    shapes = {name: weight.shape for name, weight in model.state_dict().items()}
    pieces = flat.split([shape.numel() for shape in shapes.values()])
    state = {name: piece.view(shapes[name]) for name, piece in zip(shapes, pieces, strict=True)}
    model.load_state_dict(state, assign=True)
    return model.eval()


@cache
def _shipped() -> bytes:
    try:
        weights = WEIGHTS.read_bytes()
    except OSError as error:
        raise unreadable(WEIGHTS, "the trained weights", error) from None
    if len(weights) != NUM_BYTES:
        raise ValueError(
            f"{WEIGHTS}: expected {NUM_BYTES:,} bytes of trained weights, found {len(weights):,}; "
            "install the package again"
        )
    return weights


def centred(image: Tensor) -> Tensor:
    """Return the ink where MNIST's makers put it.

    The box around the ink is scaled to 20 pixels on its longer side. The ink's centre of mass goes
    to the middle of the image.

    Parameters
    ----------
    image : torch.Tensor, shape (28, 28), float64
        Ink from 0 to 1.

    Returns
    -------
    torch.Tensor, shape (28, 28), float64
        The same, interpolated linearly. Without ink, the image as it is.

    References
    ----------
    Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
    """
    rows, columns = image.nonzero(as_tuple=True)
    if not len(rows):
        return image
    ink = image[rows, columns]
    centre = ((ink * rows).sum() / ink.sum(), (ink * columns).sum() / ink.sum())
    longer = max(int(places.max() - places.min()) + 1 for places in (rows, columns))
    # One matrix an axis: the share of each old row, or column, in each new one.
    places = (torch.arange(28, dtype=torch.float64) - 13.5) * longer / _BOX
    shares = [
        (1 - (places[:, None] + middle - torch.arange(28)).abs()).clamp(min=0) for middle in centre
    ]
    return shares[0] @ image @ shares[1].T


class DigitReader(Figure, module="digit_reader"):
    """The trained `ConvNet`, reading what you draw: every feature map, and ten probabilities.

    Live, a map that is pointed at shows which maps feed it, by their kernels' share of its weights:
    the absolute values of a kernel, of those of all its kernels. A pixel of the enlarged map shows
    the sum behind it.

    Parameters
    ----------
    model : ConvNet, optional
        A network of your own with 10 classes, trained on standardised pixels. It is copied, its
        weights rounded to half precision. Without one, the figure runs a network trained on
        MNIST's 60,000 training images.
    **settings
        The attributes below, by name.

    Attributes
    ----------
    drawing : str, default samples[6]
        What is drawn, as the page writes it: ``".58ok"`` is a line from row 5, column 8 to row 24,
        column 20; ``""`` is clean paper.
    placing : {"centred", "as drawn"}
        Whether the drawing is first scaled and centred, as every digit of MNIST was.
    layer : {"convolution 1", "pooling 1", "convolution 2", "pooling 2"}
        Which layer's map is enlarged. A convolution's maps are shown after its ReLU.
    channel : int, default 0
        Which of its maps, 0 to 63. In a layer of 32 a number beyond 31 means 31.
    samples : tuple of str
        A drawing of each digit, 0 to 9, the same for all figures.

    Raises
    ------
    ValueError
        If ``model`` is not a `ConvNet` with 10 classes and finite weights.
    traitlets.TraitError
        If an attribute is set to something out of its range.

    Examples
    --------
    >>> reader = DigitReader(drawing=DigitReader.samples[4])
    >>> reader.probabilities().argmax().item()
    4
    """

    samples: ClassVar[tuple[str, ...]] = (
        ".5f5d6a99c8g8j9mbndnfmijjgkck9j6h5f",
        ".5fnd",
        ".896a5c5e5g6i7j9jbjggkbn8nk",
        ".785a5d5f6i9ibidgdeehfjijkjmhnfncm9l7",
        ".5bf8fl.7ioh",
        ".5k5ac9cbbecgejgjjjlinfncm9k7",
        ".4h8ce8h9f9ebdddffhhijilimgnenclaj9h9",
        ".676kchoc",
        ".eedgeedcba9a7a5c4e5geeehgjjkljnhoenbl9j8g9ebee",
        ".8i6h5f5c6a89b9dafcfeegciaigiof",
    )
    drawing = Drawing(samples[6], samples)
    placing = Choice("centred", "as drawn")
    layer = Choice("convolution 1", "pooling 1", "convolution 2", "pooling 2")
    channel = Whole(0, low=0, high=63)

    def __init__(self, model: nn.Module | None = None, **settings: Any) -> None:
        if model is not None:
            settings["_data"] = {"weights": base64.b64encode(to_bytes(model)).decode()}
        super().__init__(**settings)

    def data(self) -> dict[str, str]:
        """Return the shipped weights, sixteen bits each, in base 64."""
        return {"weights": base64.b64encode(_shipped()).decode()}

    @property
    def model(self) -> ConvNet:
        """The network that reads, with the rounded weights."""
        return from_bytes(base64.b64decode(self._data["weights"]))

    def image(self) -> Tensor:
        """Return what the network gets.

        Returns
        -------
        torch.Tensor, shape (28, 28), float64
            Ink from 0, paper, to 1, full ink; not yet standardised.
        """
        drawn = drawn_on(torch.zeros(28, 28, dtype=torch.float64), self.drawing)
        return centred(drawn) if self.placing == "centred" else drawn

    def logits(self) -> Tensor:
        """Return the ten logits.

        Returns
        -------
        torch.Tensor, shape (10,), float64
            One for each digit.
        """
        x = (self.image() - MEAN) / STD
        return predict_logits(self.model.double(), x[None, None])[0]

    def probabilities(self) -> Tensor:
        """Return the ten probabilities.

        Returns
        -------
        torch.Tensor, shape (10,), float64
            One for each digit, from 0 to 1; their sum is 1.
        """
        return self.logits().softmax(dim=0)

    def page_data(self) -> dict[str, str]:
        """Return the weights, unless they are the shipped ones: those a page loads once for all."""
        return {} if self._data == self.data() else self._data

    def picture(self) -> str:
        """Return what the network gets, and the ten probabilities as bars, as an ``<svg>``."""
        probabilities = self.probabilities().tolist()
        bars = "".join(
            f'<text x="320" y="{28 * label + 20}">{label}</text>'
            f'<rect x="344" y="{28 * label + 5}" width="{200 * p + 1:.1f}" height="18"/>'
            f'<text x="{200 * p + 352:.1f}" y="{28 * label + 20}">{escape(percent(p))}</text>'
            for label, p in enumerate(probabilities)
        )
        label = (
            f"A digit, white on black, and the probabilities of ten answers as bars. "
            f"The longest is that of {max(range(10), key=probabilities.__getitem__)}."
        )
        return svg_image(
            f"{shaded(self.image(), 'black', ['white'])}{bars}",
            label=label,
            size=(616, 28 * CELL),
            width=600,
            margin=4,
            look='fill="currentColor" font-size="16"',
        )

    def summary(self) -> str:
        """Return the network's two best answers, in one sentence."""
        (first, second), labels = self.probabilities().topk(2)
        return (
            f"The network reads {_named(labels[0])}, {percent(first.item())}; "
            f"its second guess is {_named(labels[1])}, {percent(second.item())}."
        )


def percent(p: float) -> str:
    """Write a probability, as the page does: never as certain, nor as impossible."""
    if p > 0.9995:
        return ">99.9%"
    return "<0.1%" if p < 0.0005 else f"{100 * p:.1f}%"


def _named(label: Tensor) -> str:
    return f"{'an' if label == 8 else 'a'} {label}"

"""A convolution of a handwritten digit, with every pixel, product and sum."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from cnnlesson.tracing import output_size
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.pixels import CELL, Drawing, digits, drawn_on, frame, shaded
from cnnlesson.widgets.shared.settings import Choice, Numbers, Whole
from cnnlesson.widgets.shared.svg import svg_image

__all__ = ["ConvolutionExplorer"]


class ConvolutionExplorer(Figure, module="convolution_explorer"):
    r"""One digit, one square kernel, and every pixel of what comes out.

    The figure shows the digit, the output, and for one pixel of the output the pixels of the
    input under the kernel, their products with its weights and the sum. It can go over all places
    by itself. One can also draw.

    Attributes
    ----------
    kernel : tuple of float, default (-1, -1, -1, 0, 0, 0, 1, 1, 1)
        The weights, row by row, each from -9 to 9: k² of them, for a kernel of k×k, 1×1 to 7×7.
    stride : int, default 1
        Stride, 1 to 3.
    padding : int, default 0
        Rows and columns of zeros added on each side, 0 to 3.
    dilation : int, default 1
        Distance between the pixels under neighbouring weights, 1 to 3.
    digit : int, default 7
        Which digit, 0 to 9: one of each class, from those embedded in scikit-learn.
    pixel : tuple of int, default (10, 11)
        Row and column of the output pixel looked into, 0 to 33. In a smaller output a row or a
        column beyond its end means its last.
    drawing : str, default ""
        What is drawn on the digit, as the page writes it: ``"_.58ok"`` is a line from row 5,
        column 8 to row 24, column 20, on a clean sheet.
    activation : {"none", "ReLU"}
        What is done to each sum.

    Raises
    ------
    traitlets.TraitError
        If an attribute is set to something out of its range.

    Examples
    --------
    >>> explorer = ConvolutionExplorer(digit=4, padding=1)
    >>> explorer.output().shape
    torch.Size([28, 28])
    """

    kernel = Numbers(
        (-1.0, -1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0),
        low=-9,
        high=9,
        counts=tuple(side**2 for side in range(1, 8)),
    )
    stride = Whole(1, low=1, high=3)
    padding = Whole(0, low=0, high=3)
    dilation = Whole(1, low=1, high=3)
    digit = Whole(7, low=0, high=9)
    pixel = Numbers((10, 11), low=0, high=33, whole=True)
    drawing = Drawing()
    activation = Choice("none", "ReLU")

    def image(self) -> Tensor:
        """Return the digit with the drawing.

        Returns
        -------
        torch.Tensor, shape (28, 28), float64
            Ink from 0, paper, to 1, full ink.
        """
        return drawn_on(digits()[self.digit], self.drawing)

    def output(self) -> Tensor:
        """Return what the figure draws on the right.

        Returns
        -------
        torch.Tensor, shape (n, n), float64
            The sums, after the ReLU if there is one; n is 4 to 34, by kernel, stride, padding and
            dilation.
        """
        kernel = torch.tensor(self.kernel, dtype=torch.float64)
        sums = functional.conv2d(
            self.image()[None, None],
            kernel.reshape(1, 1, self._side, self._side),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        return (sums.relu() if self.activation == "ReLU" else sums)[0, 0]

    @property
    def limit(self) -> float:
        """The largest size a sum can have with this kernel: full ink under one sign alone."""
        return max(sum(max(sign * weight, 0) for weight in self.kernel) for sign in (1, -1))

    def picture(self) -> str:
        """Return the image and its output side by side, as an ``<svg>``."""
        output, (row, column) = self.output(), self._place()
        image = functional.pad(self.image(), [self.padding] * 4)
        right, reach = CELL * (len(image) + 2), self.dilation * (self._side - 1) + 1
        shown = "drawing" if self.drawing else f"handwritten {self.digit}"
        label = (
            f"Left a {shown}, white on black, the window framed. "
            "Right the output of the kernel, red where positive, blue where negative."
        )
        body = (
            f"{shaded(image, 'black', ['white'])}"
            f"{frame(self.stride * row, self.stride * column, reach)}"
            f'<g transform="translate({right},0)">'
            f"{shaded(output / (self.limit or 1), 'white', ['#b2182b', '#2166ac'])}"
            f"{frame(row, column, 1)}</g>"
        )
        size = (2 * right - 20, CELL * len(image))
        return svg_image(body, label=label, size=size, width=600, margin=4)

    def summary(self) -> str:
        """Return the output's size and the chosen sum, in one sentence."""
        output, (row, column) = self.output(), self._place()
        size, used = len(output), "" if self.activation == "none" else f", after {self.activation},"
        apart = "" if self.dilation == 1 else f" with dilation {self.dilation}"
        return (
            f"With stride {self.stride} and padding {self.padding}, a {self._side}×{self._side} "
            f"kernel{apart} turns 28×28 pixels into {size}×{size}; in row {row}, column {column}, "
            f"the products add up{used} to {round(output[row, column].item(), 2) + 0:.2f}."
        )

    @property
    def _side(self) -> int:
        return math.isqrt(len(self.kernel))

    def _place(self) -> tuple[int, int]:
        """Return the chosen pixel's row and column in the output."""
        last = output_size(28, self._side, self.stride, self.padding, self.dilation) - 1
        row, column = self.pixel
        return min(row, last), min(column, last)

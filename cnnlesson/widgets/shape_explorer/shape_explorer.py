"""A network to build: its shapes, parameters, multiply-adds and receptive fields, or its error."""

import math

import torch
from torch import Tensor, nn

from cnnlesson.diagrams.receptive_fields import receptive_fields
from cnnlesson.diagrams.stages import Stage, trace_stages
from cnnlesson.tracing import LayerShape, ShapeError, ShapeTable, ShapeTracer
from cnnlesson.widgets.shape_explorer.network_picture import network_picture
from cnnlesson.widgets.shape_explorer.stack import NETWORKS, Network, Stack
from cnnlesson.widgets.shared.figure import Figure

__all__ = ["ShapeExplorer"]


class ShapeExplorer(Figure, module="shape_explorer"):
    """A network to build layer by layer, with every shape on the way.

    The figure shows after each layer the shape, the parameters, the multiply-adds and the
    receptive field, draws the feature maps, explains a layer that is impossible, and writes the
    PyTorch code. On a page its computing is done in JavaScript; here PyTorch does it.

    Parameters
    ----------
    goal : Goal, optional
        What a reader is to build; `measures` says what it may ask.
    **settings
        The stack.

    Attributes
    ----------
    stack : str, default ``networks["ConvNet"]``
        The input, channels×height×width, and the layers. A convolution ``conv32k5s2p1d2`` has 32
        channels, kernel size 5, stride 2, padding 1 and dilation 2; a pooling ``pool3s2`` takes
        the maximum, ``avgpool2`` the mean; ``linear1600to10`` has in_features 1600. Besides there
        are ``relu``, ``tanh``, ``dropout`` and ``flatten``. What is left out is as in PyTorch.
    networks : dict of str to str
        Three stacks to start from: ConvNet, LeNet-5 and AlexNet.

    Raises
    ------
    traitlets.TraitError
        If the stack is set to a text that is no network. A network that cannot run is one.

    Examples
    --------
    >>> explorer = ShapeExplorer(stack="1x28x28 conv8k5 relu pool2 flatten")
    >>> explorer.trace().rows[-1].output_shape
    (1, 1152)
    >>> explorer.to_module()[0]
    Conv2d(1, 8, kernel_size=(5, 5), stride=(1, 1))
    """

    networks = NETWORKS
    stack = Stack(NETWORKS["ConvNet"])

    def to_module(self) -> nn.Sequential:
        """Return the network as PyTorch modules, with new weights.

        Returns
        -------
        torch.nn.Sequential
            One module for each layer, as in `Network.to_module`.
        """
        return Network.parse(self.stack).to_module()

    def trace(self) -> ShapeTable:
        """Return the shapes for one image; nothing is computed and no weights are made.

        Returns
        -------
        ShapeTable
            One row per layer.

        Raises
        ------
        ShapeError
            If a layer cannot take what the one before gives; its table has the rows before.
        """
        return ShapeTracer(self._weightless()).trace(self._image())

    def multiply_adds(self) -> list[int]:
        """Return how often each layer multiplies a weight and adds the product, for one image.

        A convolution uses each weight once at each place of its window, that is
        out_channels · height · width · in_channels · k² times in all; a linear layer once, which
        is in_features · out_features. Biases, activations and pooling have none.

        Returns
        -------
        list of int
            One number per row of `trace`; of a network that cannot run, the layers before.
        """
        model = self._weightless()
        return [
            _multiply_adds(model.get_submodule(row.name), row.output_shape)
            for row in self._rows_that_work()
        ]

    def measures(self) -> dict[str, float | str]:
        """Return the parameters, the last receptive field, what there is of layers, and both ends.

        Returns
        -------
        dict
            What a goal may ask: ``"parameters"``, ``"receptive field"``, the number of
            ``"convolutions"``, the largest ``"dilation"``, and the shapes ``"input"`` and
            ``"output"`` such as ``"1×28×28"``; of a network that cannot run the first two are those
            of the layers before, and the output is ``"none"``.
        """
        rows, (shape, layers) = self._rows_that_work(), Network.parse(self.stack)
        working = self._weightless()[: len(rows)]
        fields = receptive_fields(working, (1, *shape)) if rows else []
        is_whole = len(rows) == len(layers)
        return {
            "parameters": sum(row.num_parameters for row in rows),
            "receptive field": fields[-1].size if fields else 1,
            "convolutions": sum(layer.kind == "conv" for layer in layers),
            "dilation": max(layer.numbers.get("d", 1) for layer in layers),
            "input": "×".join(map(str, shape)),
            "output": "×".join(map(str, rows[-1].output_shape[1:])) if is_whole else "none",
        }

    def picture(self) -> str:
        """Return the feature maps, joined, as far as the network runs, as an ``<svg>``."""
        return network_picture(self._stages())

    def summary(self) -> str:
        """Return what comes out and what it costs, or which layer is impossible, in a sentence."""
        rows, network = self._rows_that_work(), Network.parse(self.stack)
        image = "×".join(map(str, network.shape))
        if len(rows) < len(network.layers):
            found = rows[-1].output_shape[1:] if rows else network.shape
            return (
                f"From an image of {image}, layer {len(rows) + 1} ({network.layers[len(rows)]}) "
                f"is impossible: what arrives there has shape {'×'.join(map(str, found))}."
            )
        fields = receptive_fields(self._weightless(), (1, *network.shape))
        field = fields[-1].size if fields else 1
        return (
            f"An image of {image} becomes {'×'.join(map(str, rows[-1].output_shape[1:]))}, by "
            f"{sum(row.num_parameters for row in rows):,} parameters and "
            f"{sum(self.multiply_adds()):,} multiply-adds; a pixel of the last map sees "
            f"{field}×{field} pixels of the image."
        )

    def _weightless(self) -> nn.Sequential:
        """Return the network with shapes but no numbers."""
        with torch.device("meta"):
            return self.to_module()

    def _image(self) -> Tensor:
        return torch.zeros(1, *Network.parse(self.stack).shape, device="meta")

    def _rows_that_work(self) -> list[LayerShape]:
        try:
            return self.trace().rows
        except ShapeError as error:
            return error.table.rows

    def _stages(self) -> list[Stage]:
        image, working = self._image(), len(self._rows_that_work())
        if not working:
            return [Stage(tuple(image.shape[1:]), "Input")]
        return trace_stages(self._weightless()[:working], tuple(image.shape))


def _multiply_adds(layer: nn.Module, output_shape: tuple[int, ...]) -> int:
    """Return weights times places, for one image."""
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        return 0
    is_linear = isinstance(layer, nn.Linear)  # on maps it runs once for each of their rows
    places = output_shape[1:-1] if is_linear else output_shape[2:]
    return layer.weight.numel() * math.prod(places)

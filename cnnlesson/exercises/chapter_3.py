"""The exercises of chapter 3, shapes."""

from copy import deepcopy
from typing import Any

import torch
from torch import nn

from cnnlesson._support.shape_table import ShapeTable
from cnnlesson.diagrams.receptive_fields import receptive_fields
from cnnlesson.exercises.off import AnswerError, called, number, off_if, tensor, times
from cnnlesson.tracing import ShapeError, ShapeTracer, output_size

__all__ = ["CHECKS"]

_WINDOWS = ((28, 3, 1, 0, 1), (28, 5, 1, 2, 1), (11, 2, 2, 0, 1), (28, 3, 1, 2, 2), (9, 4, 3, 1, 1))


def _formula(answer: object) -> None:
    for n, k, s, p, d in _WINDOWS:
        found, right = number(called(answer, n, k, s, p, d)), output_size(n, k, s, p, d)
        if found == right:
            continue
        case = f"For n = {n}, k = {k}, s = {s}, p = {p}, d = {d} it gives {found:g}. "
        off_if(found != int(found), case + "There are no parts of a place.")
        off_if(found == right - 1, case + "A place is missing. Where does the window start?")
        off_if(d > 1, case + "How far does a dilated window reach?")
        off_if(p > 0, case + "How long is the padded line?")
        raise AnswerError(case + "List the starts of the window, and count them.")


def _agree(answer: object, right: list[float], names: list[str], mistakes: dict[int, str]) -> None:
    """End the check at the first of several numbers that is off."""
    found = tensor(answer, len(right)).tolist()
    for i, (value, expected) in enumerate(zip(found, right, strict=True)):
        if value != expected:
            before = "All before it are right. " if i else ""
            more = mistakes.get(int(value), "")
            raise AnswerError(f"{names[i]}, {value:g}, is off. {before}{more}".strip())


def _lenet(answer: object) -> None:
    sizes = [32]
    for window in ((5, 1), (2, 2), (5, 1), (2, 2)):
        sizes.append(output_size(sizes[-1], *window))
    places = ("first", "second", "third", "fourth", "fifth")
    mistakes = {
        27: "From 32 take away the window, and add the start at 0.",
        16: "The convolutions have no padding.",
        9: "From 14 take away the window, and add the start at 0.",
        5 * 16: "A map has rows and columns.",
        25: "That is one map.",
        25 * 6: "How many maps has the second convolution?",
    }
    names = [f"The {place} size" for place in places] + ["The number of inputs"]
    _agree(answer, [*sizes, 16 * sizes[-1] ** 2], names, mistakes)


def _same(answer: object) -> None:
    for k, d in ((3, 1), (5, 1), (3, 2), (7, 3), (4, 1)):
        found, right = number(called(answer, k, d)), d * (k - 1) / 2
        if found == right:
            continue
        case = f"For k = {k}, d = {d} it gives {found:g}. "
        off_if(found == 2 * right, case + "The padding is on both sides.")
        off_if(d > 1 and found == (k - 1) / 2, case + "The dilation has no say in it.")
        off_if(k == 4, case + "Then the size changes: is there a whole number at all?")
        raise AnswerError(case + f"28 pixels become {28 + 2 * found - d * (k - 1):g}.")


def _strided() -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(64 * 7 * 7, 10)),
    )


def _without_pooling(answer: object) -> None:
    table = ShapeTracer(_strided()).trace(torch.zeros(1, 1, 28, 28))
    first, second, inputs = (table.rows[i].output_shape[-1] for i in (0, 2, 4))
    names = ["The first size", "The second size", "The number of inputs"]
    names += ["The number of parameters", "The receptive field"]
    mistakes = {
        13: "Where is the padding?",
        26: "Where is the stride?",
        28: "Where is the stride?",
        49: "There is more than one map.",
        49 * 32: "These are the maps of the first convolution.",
        5: "After the first stride, neighbours lie further apart.",
        10: "That is the one with the poolings.",
        sum(p.numel() for p in _strided().parameters() if p.dim() > 1): "The biases are missing.",
    }
    right = [first, second, inputs, table.num_parameters, receptive_fields(_strided())[-1].size]
    _agree(answer, right, names, mistakes)


def _missing_line(answer: Any) -> None:
    layer = answer() if isinstance(answer, type) and issubclass(answer, nn.Flatten) else answer
    off_if(isinstance(answer, str), "Hand over the layer itself, such as nn.ReLU().")
    off_if(not isinstance(layer, nn.Module), f"Expected a layer, found {type(answer).__name__}.")
    off_if(isinstance(layer, nn.ReLU), "A ReLU changes no shape: without it no error would come.")
    off_if(
        isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d)),
        "Without a pooling the maps would have more than 5 columns.",
    )
    off_if(
        isinstance(layer, (nn.Conv2d, nn.Linear)),
        "Then there would be other channels. What does 10240 consist of?",
    )
    off_if(not isinstance(layer, nn.Flatten), "Which layer makes one axis of three?")


def _two_ways(answer: object) -> None:
    ways = tensor(answer, 2, 2).int().tolist()
    for side, padding in ways:
        size = output_size(max(side, 11), 11, 4, max(padding, 0))
        off_if(size != 55, f"With side {side} and padding {padding} the maps have {size} rows.")
        off_if(side != 224 and padding != 0, "One of them changes two things. One is enough.")
    off_if(ways[0] == ways[1], "These are the same way twice.")
    off_if(
        (ways[0][0] == 224) == (ways[1][0] == 224),
        "Both change the same thing, by another amount. What else can be changed?",
    )


def _sees_all(answer: Any) -> str:
    off_if(not isinstance(answer, nn.Module), f"Expected a network, found {type(answer).__name__}.")
    for layer in answer.modules():
        is_leaf = not list(layer.children())
        allowed = isinstance(layer, (nn.Conv2d, nn.ReLU, nn.Flatten))
        off_if(is_leaf and not allowed, f"{type(layer).__name__} is not among the layers allowed.")
        if isinstance(layer, nn.Conv2d):
            off_if(max(layer.kernel_size) > 3, "A kernel is larger than 3×3.")
            off_if(max(layer.dilation) > 1, "A kernel is dilated.")
    table = _traced(answer)
    shape = table.rows[-1].output_shape
    off_if(shape != (1, 10), f"Expected ten numbers for an image, found {times(shape[1:])}.")
    blind = max(int((_reach(answer, i) == 0).sum()) for i in range(10))
    off_if(blind > 0, f"An output does not see {blind} of the 784 pixels.")
    work = int(table.to_frame()["multiply_adds"].sum())
    return f"Each output sees every pixel, with {work:,} multiplications. With how few can it be?"


def _traced(network: nn.Module) -> ShapeTable:
    try:
        return ShapeTracer(network).trace(torch.zeros(1, 1, 28, 28))
    except ShapeError as error:
        raise AnswerError(f"It does not take an image of 1×28×28: {error}") from None


def _reach(network: nn.Module, i: int) -> torch.Tensor:
    """Return how strongly each pixel reaches one output, with all paths open."""
    wiring = deepcopy(network).double()
    for weight in wiring.parameters():
        nn.init.constant_(weight, 1 / weight[0].numel())
    ink = torch.ones(1, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    wiring(ink)[0, i].backward()
    assert ink.grad is not None
    return ink.grad[0, 0]


CHECKS = (_formula, _lenet, _same, _without_pooling, _missing_line, _two_ways, _sees_all)

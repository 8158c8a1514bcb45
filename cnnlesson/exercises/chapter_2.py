"""The exercises of chapter 2, the convolution."""

from functools import cache
from typing import Any

import torch
from sklearn.tree import DecisionTreeClassifier
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, relu

from cnnlesson.data import load_digits, standardize
from cnnlesson.exercises.off import AnswerError, called, number, off_if, tensor, times

__all__ = ["CHECKS"]

_VERTICAL = torch.tensor([[-1.0, 0, 1]]).expand(3, 3)
_BOTH = torch.stack([_VERTICAL, _VERTICAL.T])[:, None]


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """Return images from 0 to 1, and labels; they are there without a network."""
    digits = load_digits("sample")
    return digits.images / 255, digits.labels


def _both_borders(answer: object) -> None:
    y = conv2d(_digits()[0][:5], _VERTICAL[None, None])
    found = tensor(called(answer, y), *y.shape)
    off_if(torch.equal(found, y), "That is y again: what is negative is negative still.")
    off_if(
        torch.equal(found, relu(y)) or torch.equal(found, relu(-y)),
        "One of the two borders is there. The other one is lost.",
    )
    off_if((found < 0).any(), "Some values are negative: both borders are to be positive.")
    off_if(not torch.allclose(found, y.abs(), atol=1e-5), "A value's size is not to change.")


def _move(answer: object) -> None:
    kernel, x = tensor(answer, 3, 3), _digits()[0][:10]
    moved = conv2d(x, kernel[None, None], padding=1)
    if torch.equal(moved, x.roll(1, -1)):
        return
    off_if(torch.equal(moved, x), "Nothing moves.")
    off_if(
        torch.equal(moved, x.roll(-1, -1)),
        "They move the other way. The kernel says where a pixel comes from.",
    )
    off_if((kernel != 0).sum() != 1, "More than one weight: the digits change, not only move.")
    off_if(kernel.sum() != 1, "The digits become brighter or darker.")
    raise AnswerError("They move, in another direction.")


def _two_blurs(answer: object) -> None:
    kernel = tensor(answer, 5, 5)
    blur, x = torch.full((1, 1, 3, 3), 1 / 9), _digits()[0][:10]
    expected, found = conv2d(conv2d(x, blur), blur), conv2d(x, kernel[None, None])
    if torch.allclose(found, expected, atol=1e-5):
        return
    off_if(
        torch.allclose(kernel, torch.full((5, 5), 1 / 25), atol=1e-4),
        "That is one blur over 5×5. After two small ones the middle counts for more.",
    )
    off_if(
        torch.allclose(kernel / kernel.sum(), _pyramid(), atol=1e-4),
        f"The pattern is right. Its numbers add up to {kernel.sum():.3g}: an even surface changes.",
    )
    off_if(
        (kernel - kernel.flip(0, 1)).abs().max() > 1e-4,
        "It is not the same from all sides; two blurs are.",
    )
    raise AnswerError("On how many ways does a pixel at each of the 25 places reach the middle?")


def _pyramid() -> Tensor:
    line = torch.tensor([1.0, 2, 3, 2, 1])
    return line.outer(line) / 81


def _frame(answer: object) -> None:
    value = number(answer)
    paper = standardize(torch.zeros(1, 1, 1, 1)).item()
    off_if(value == 0, "That is what padding does already: 0 is grey on a standardised digit.")
    off_if(abs(value + paper) < 0.02, "The sign.")
    off_if(
        abs(value - standardize(torch.full((1, 1, 1, 1), 255.0)).item()) < 0.02,
        "That is full ink. The line would be stronger.",
    )
    off_if(abs(value - paper) > 0.01, "Which value has the paper inside? Two decimals are enough.")


def _pooled(x: Tensor) -> Tensor:
    return max_pool2d(relu(conv2d(x, _BOTH)), 2)


def _antialias(answer: object) -> str:
    x = _digits()[0][:100]
    maps, moved = (called(answer, images) for images in (x, x.roll(1, -1)))
    off_if(not isinstance(maps, Tensor) or maps.dim() != 4, "Expected maps, all four axes of them.")
    plain = _pooled(x)
    off_if(
        maps.shape[2:] != plain.shape[2:],
        f"Expected maps of 13×13, found {times(tuple(maps.shape[2:]))}. Does the blur pad?",
    )
    off_if(
        maps.shape == plain.shape and torch.allclose(maps, plain, atol=1e-5),
        "That is pooling as before: nothing is blurred.",
    )
    after = avg_pool2d(plain, 3, stride=1, padding=1)
    off_if(
        maps.shape == plain.shape and torch.allclose(maps, after, atol=1e-5),
        "You blur what is pooled already: what pooling dropped is gone by then.",
    )
    change = ((moved - maps).norm() / maps.norm()).item()
    before = ((_pooled(x.roll(1, -1)) - plain).norm() / plain.norm()).item()
    off_if(change >= before, f"A shift by a pixel changes {change:.2f}, no less than {before:.2f}.")
    return f"A shift by a pixel changes {change:.2f} in place of {before:.2f}, on other digits."


def _two_digits(answer: Any) -> str:
    try:
        a, b, weights = answer
    except (TypeError, ValueError):
        raise AnswerError("Expected two digits and a kernel: (3, 8, kernel).") from None
    pair = {number(a), number(b)}
    off_if(not pair <= set(range(10)) or len(pair) < 2, "Expected two different digits, 0 to 9.")
    off_if(pair == {1, 7}, "These two were the chapter's. Take two others.")
    kernel = torch.as_tensor(weights).float()
    side = kernel.shape[0] if kernel.dim() else 0
    off_if(not 1 <= side <= 9 or kernel.shape != (side, side), "Expected a kernel up to 9×9.")
    images, labels = _digits()
    is_one = torch.isin(labels, torch.tensor(list(pair)))
    x = conv2d(images[is_one], kernel[None, None]).amax(dim=(2, 3)).numpy()
    y, half = labels[is_one].numpy(), int(is_one.sum()) // 2
    stump = DecisionTreeClassifier(max_depth=1).fit(x[:half], y[:half])
    accuracy = stump.score(x[half:], y[half:])
    off_if(
        accuracy < 0.9,
        f"It tells {accuracy:.0%} of them apart. Which piece has only one of the two?",
    )
    return f"It tells {accuracy:.1%} of digits you have not used apart. Now a pair that is harder."


CHECKS = (_both_borders, _move, _two_blurs, _frame, _antialias, _two_digits)

"""The exercises of chapter 1, the digits."""

from functools import cache

import torch
from torch import Tensor

from cnnlesson.data import load_digits, standardize
from cnnlesson.exercises.off import AnswerError, called, number, off_if, tensor

__all__ = ["CHECKS"]

_IMAGE = (1, 28, 28)


@cache
def _digits() -> tuple[Tensor, Tensor]:
    """Return images and labels to try answers on; they are there without a network."""
    digits = load_digits("sample")
    return digits.images, digits.labels


def _means(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([x[y == k].mean(dim=0) for k in range(10)])


def _mistakes(means: Tensor, x: Tensor, y: Tensor) -> int:
    """Return how many images are nearer to the mean of another digit."""
    return int((torch.cdist(x, means).argmin(dim=1) != y).sum())


def _back_to_bytes(answer: object) -> None:
    pixels = _digits()[0][:20]
    found = tensor(called(answer, standardize(pixels)), 20, *_IMAGE)
    if torch.allclose(found, pixels, atol=0.1):
        return
    off_if(torch.equal(found, standardize(pixels)), "Nothing has changed.")
    off_if(
        torch.allclose(found * 255, pixels, atol=0.1),
        "One factor is still to be undone: look at the largest pixel.",
    )
    off_if(
        torch.allclose(found - found.min(), pixels, atol=0.1),
        "The scale is right, and paper is not 0. In which order are two steps undone?",
    )
    raise AnswerError("Look at the smallest and the largest pixel, and at what they should be.")


def _ink(answer: object) -> None:
    images, labels = _digits()
    ink = _means(images, labels).mean(dim=(1, 2, 3))
    expected = [int(ink.argmin()), int(ink.argmax())]
    found = tensor(answer, 2).tolist()
    off_if(not set(found) <= set(range(10)), "Expected two digits, each from 0 to 9.")
    off_if(found == expected[::-1], "The two are there, in the other order: the least first.")
    agree = sum(a == b for a, b in zip(found, expected, strict=True))
    off_if(agree == 1, "One of the two is right.")
    off_if(agree == 0, "Neither. Take the mean image of each digit, and the mean of its pixels.")


def _columns_first(answer: object) -> None:
    images = _digits()[0][:10]
    stored = images.transpose(2, 3).reshape(-1, 784)
    found = tensor(called(answer, stored), 10, *_IMAGE)
    off_if(
        torch.equal(found, images.transpose(2, 3)),
        "Each digit is mirrored along its diagonal: rows are columns still.",
    )
    off_if(
        torch.equal(found, images.transpose(2, 3).rot90(1, (2, 3)))
        or torch.equal(found, images.transpose(2, 3).rot90(-1, (2, 3))),
        "Each digit is turned or mirrored. Which two axes have to change places?",
    )
    off_if(not torch.equal(found, images), "These are other pixels. Look at a picture of them.")


def _leak(answer: object) -> str:
    share = number(answer)
    off_if(1 < share <= 100, "A share lies between 0 and 1.")
    off_if(not 0 <= share <= 1, "A share lies between 0 and 1; this is none.")
    off_if(abs(share - 1) < 0.02, "Some images and their copies land in the test set together.")
    off_if(
        abs(share - 0.25) < 0.02,
        "That is the share that is tested. Where does the copy of such an image land?",
    )
    off_if(abs(share - 0.5) < 0.02, "A copy is no coin: the two parts are not equally large.")
    off_if(abs(share - 0.75) > 0.02, "Think of one test image. Where may its copy be?")
    return "For that share of the test the answer is known already."


def _three_means(answer: object) -> str:
    images, labels = _digits()
    x, y = images[:3000], labels[:3000]
    x_new, y_new = images[3000:4000], labels[3000:4000]
    found = tensor(called(answer, x, y, x_new), 1000)
    off_if(found.max() > 9, f"A label of {found.max():.0f}: which digit does that mean belong to?")
    off_if((found != found.round()).any() or found.min() < 0, "Expected labels from 0 to 9.")
    one_each = _mistakes(_means(x, y).flatten(1), x_new.flatten(1), y_new)
    mistakes = int((found != y_new).sum())
    share = mistakes / one_each
    off_if(mistakes > 700, "It is hardly better than guessing: are the labels in their order?")
    off_if(share > 0.9, f"{share:.2f} of the mistakes are left: one mean each does as well.")
    return f"{share:.2f} of the mistakes are left, on other digits than yours."


def _few_pixels(answer: object) -> str:
    try:
        places = [int(place) for place in answer]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise AnswerError(f"Expected a list of places, found {type(answer).__name__}.") from None
    off_if(not set(places) <= set(range(784)), "Places go from 0 to 783.")
    off_if(len(set(places)) < len(places), "A place is in it twice.")
    off_if(len(places) > 40, f"Expected at most 40 places, found {len(places)}.")
    images, labels = _digits()
    x = images.flatten(1)[:, places]
    means = _means(x[:6000], labels[:6000])
    accuracy = 1 - _mistakes(means, x[6000:], labels[6000:]) / 2000
    off_if(
        accuracy < 0.7,
        f"They tell {accuracy:.0%} of the digits, and 70% can be reached in many ways. "
        "Neighbours say much the same.",
    )
    return f"They tell {accuracy:.1%} of digits you have not used. Do better, or with fewer."


CHECKS = (_back_to_bytes, _ink, _columns_first, _leak, _three_means, _few_pixels)

"""The exercises of chapter 4, training."""

import math
from typing import Any

import torch
from torch import nn

from cnnlesson.data import load_digits, standardize
from cnnlesson.evaluation import evaluate
from cnnlesson.exercises.off import AnswerError, called, number, off_if, tensor

__all__ = ["CHECKS"]


def _steps(answer: object) -> None:
    for n, batch_size in ((6000, 32), (640, 32), (5, 8), (33, 32)):
        found, right = number(called(answer, n, batch_size)), math.ceil(n / batch_size)
        if found == right:
            continue
        case = f"For {n} images in batches of {batch_size} it gives {found:g}. "
        off_if(found != int(found), case + "A smaller batch is a batch too.")
        off_if(found == right - 1, case + "The images that are left make a batch of their own.")
        off_if(found == right + 1, case + "No image is left, and still there is one batch more.")
        raise AnswerError(case + "How many batches of that size are full?")


def _softmax(answer: object) -> None:
    found = tensor(answer, 3)
    right = torch.tensor([0.0, math.log(2), math.log(5)]).softmax(dim=0)
    if torch.allclose(found, right, atol=5e-3):
        return
    off_if(torch.allclose(found / found.sum(), right, atol=5e-3), "They do not add up to 1.")
    off_if((found < 0).any(), "A probability is never negative.")
    off_if(found[0] == 0, "The first is 0, and the exponential never is.")
    off_if(
        torch.allclose(found.sort().values, right, atol=5e-3),
        "The numbers are right, in another order.",
    )
    raise AnswerError("First the three exponentials, then their sum.")


def _half_a_clue(answer: object) -> None:
    loss, right = number(answer), math.log(5)
    off_if(abs(loss - math.log(10)) < 5e-3, "That is who knows nothing at all.")
    off_if(abs(loss - math.log(2)) < 5e-3, "That is who guesses between odd and even.")
    off_if(abs(loss - math.log10(5)) < 5e-3, "The logarithm of the loss is the natural one.")
    off_if(abs(loss + right) < 5e-3, "The sign: a loss is never negative.")
    off_if(abs(loss - 0.2) < 5e-3, "That is a probability. What does it cost?")
    off_if(abs(loss - right) > 5e-3, "How many digits are still possible, and with which p?")


def _thousand(answer: object) -> None:
    found = tensor(answer, 2).tolist()
    right = [math.log(math.e + 999) - 1, math.log(1000)]
    off_if(found[0] > found[1], "The floor comes first, and it is the lower of the two.")
    off_if(abs(found[1] - right[1]) > 5e-3, "Who knows nothing says the same for each class.")
    off_if(abs(found[0] - 1.46) < 5e-3, "That is the floor for ten classes.")
    off_if(abs(found[0]) < 5e-3, "0 would be the floor with one softmax.")
    off_if(
        abs(found[0] - right[0]) > 5e-3,
        "Let the network be certain and right. What does softmax make of 1 and 999 zeros?",
    )


def _accumulate(answer: object) -> None:
    torch.manual_seed(0)
    model, criterion = nn.Linear(6, 3), nn.CrossEntropyLoss()
    x, y = torch.randn(32, 6), torch.arange(32) % 3
    criterion(model(x), y).backward()
    assert model.weight.grad is not None
    whole = model.weight.grad.clone()
    model.zero_grad()
    batches: list[int] = []
    model.register_forward_hook(lambda layer, inputs, output: batches.append(len(inputs[0])))
    called(answer, model, x, y, returns=False)
    gradient = model.weight.grad
    off_if(max(batches, default=0) > 16, f"{max(batches, default=0)} images went in at once.")
    off_if(gradient is None, "No gradient is left: does something empty it, or is it never made?")
    off_if(sum(batches) < 32, f"Only {sum(batches)} of the 32 images went through.")
    if torch.allclose(gradient, whole, atol=1e-6):
        return
    off_if(
        torch.allclose(gradient, 2 * whole, atol=1e-6),
        "It is twice as long: the mean of 32 is not the sum of two means.",
    )
    off_if(torch.allclose(gradient, whole / 2, atol=1e-6), "It is half as long.")
    raise AnswerError("It points elsewhere. Is the first half's gradient still there at the end?")


def _step_of_difference(answer: object) -> None:
    h = number(answer)
    off_if(h <= 0, "A step is larger than 0.")
    slope = (math.exp(1 + h) - math.exp(1 - h)) / (2 * h)
    error = abs(slope - math.e) / math.e
    off_if(
        error > 1e-8 and h > 1e-5,
        f"On a curve of its own it is off by {error:.0e}: too far from the tangent.",
    )
    off_if(error > 1e-8, f"On a curve of its own it is off by {error:.0e}: it drowns in rounding.")


def _recipe(answer: Any) -> str:
    digits = load_digits("sample")
    x, y = standardize(digits.images), digits.labels
    scores = []
    for seed in (0, 1):
        model = called(answer, x[:500], y[:500], seed)
        found = type(model).__name__
        off_if(not isinstance(model, nn.Module), f"Expected a trained network back, found {found}.")
        try:
            scores.append(evaluate(model, x[-1000:], y[-1000:]))
        except ValueError as error:
            raise AnswerError(f"What comes back reads no digits: {error}") from None
        off_if(scores[-1] < 0.2, f"It reads {scores[-1]:.0%}, as a guess would. Was it trained?")
    low, high = sorted(scores)
    off_if(low < 0.85, f"Two seeds read {low:.0%} and {high:.0%}. 85% is asked of the worse one.")
    return f"From 500 images, with two seeds: {low:.1%} and {high:.1%} of other digits."


CHECKS = (_steps, _softmax, _half_a_clue, _thousand, _accumulate, _step_of_difference, _recipe)

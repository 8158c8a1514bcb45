"""The exercises of chapter 5, evaluation."""

import math
from fractions import Fraction

import torch
from torch import Tensor

from cnnlesson.exercises.off import AnswerError, called, number, off_if, tensor

__all__ = ["CHECKS"]


def _standard_error(answer: object) -> None:
    for p, n in ((0.97, 1000), (0.5, 100), (0.9, 1)):
        found, right = number(called(answer, p, n)), math.sqrt(p * (1 - p) / n)
        if math.isclose(found, right, rel_tol=1e-4):
            continue
        case = f"For p = {p}, n = {n} it gives {found:.3g}. "
        off_if(math.isclose(found, right**2, rel_tol=1e-4), case + "That is the variance.")
        off_if(
            math.isclose(found, math.sqrt(p * (1 - p)), rel_tol=1e-4),
            case + "That is the spread of one image, however many there are.",
        )
        off_if(
            math.isclose(found, 1.96 * right, rel_tol=1e-4),
            case + "That is half of a 95% interval.",
        )
        off_if(
            math.isclose(found, 100 * right, rel_tol=1e-4),
            case + "That is in percentage points. Here it is a share, as p is.",
        )
        raise AnswerError(case + "Begin with the variance of one image, right or wrong.")


def _recall_and_precision(answer: object) -> None:
    counts = torch.tensor([[50, 2, 8], [10, 30, 0], [0, 4, 6]])
    for k in range(3):
        found = tensor(called(answer, counts, k), 2)
        recall, precision = counts[k, k] / counts[k].sum(), counts[k, k] / counts[:, k].sum()
        if torch.allclose(found, torch.stack([recall, precision]), atol=1e-4):
            continue
        off_if(
            torch.allclose(found, torch.stack([precision, recall]), atol=1e-4),
            "Rows are what the digits are, columns what they are called: the two are exchanged.",
        )
        off_if(
            torch.allclose(found * counts.sum(), 1.0 * counts[k, k].repeat(2), atol=1e-3),
            "Of all images is not the question: of those in a row, and of those in a column.",
        )
        off_if((found > 1).any(), "A share is at most 1.")
        is_right = math.isclose(found[0], recall, abs_tol=1e-4)
        off_if(is_right, "The recall is right, the precision is not.")
        off_if(
            math.isclose(found[1], precision, abs_tol=1e-4),
            "The precision is right, the recall is not.",
        )
        raise AnswerError(f"For class {k} of a matrix of its own both are off.")


def _large_enough(answer: object) -> None:
    found = tensor(answer, 2).tolist()
    right = [0.97 * 0.03 * (1.96 / margin) ** 2 for margin in (0.005, 0.001)]
    off_if(found[0] > found[1], "The narrower interval needs more images, and comes second.")
    for value, expected in zip(found, right, strict=True):
        if abs(value - expected) <= 0.01 * expected:
            continue
        off_if(
            abs(value - expected / 1.96**2) <= 0.01 * expected,
            f"{value:.0f} images make one standard error that long. 95 times in 100 asks for more.",
        )
        off_if(
            abs(value - expected / 4) <= 0.01 * expected,
            f"{value:.0f}: that interval is ± 0.5 wide in all, not on each side.",
        )
        off_if(
            abs(value - 0.25 / 0.97 / 0.03 * expected) <= 0.01 * expected,
            f"{value:.0f} would do for any accuracy. Near 97% fewer are enough.",
        )
        off_if(
            found[1] < 20 * found[0], "Five times as exact needs more than a few times the images."
        )
        raise AnswerError(
            f"{value:.0f} gives ± {196 * math.sqrt(0.97 * 0.03 / max(value, 1)):.2f}."
        )


def _probabilities(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(400, 10, generator=generator)
    labels = torch.arange(400) % 10
    logits[torch.arange(400), labels] += 2
    return logits.softmax(dim=1), labels


def _top_two(answer: object) -> None:
    proba, y = _probabilities(0)
    found = number(called(answer, proba, y))
    two = proba.topk(2, dim=1).indices == y[:, None]
    right, first = two.any(dim=1).float().mean().item(), two[:, 0].float().mean().item()
    off_if(math.isclose(found, first, abs_tol=1e-3), "That is how often the first guess is right.")
    off_if(
        math.isclose(found, right - first, abs_tol=1e-3),
        "That is how often the second guess alone is right.",
    )
    off_if(math.isclose(found, right * 400, abs_tol=0.5), "That is their number, not their share.")
    off_if(
        math.isclose(found, right / 2, abs_tol=1e-3),
        "Half of it: only one of the two can be right, and one is enough.",
    )
    off_if(
        not math.isclose(found, right, abs_tol=1e-3),
        f"On answers of its own it gives {found:.3f}. Which shapes are compared with each other?",
    )


def _vote(answer: object) -> None:
    members = [_probabilities(seed)[0] for seed in range(3)]
    found = called(answer, members)
    off_if(
        isinstance(found, Tensor) and found.shape == (400, 10),
        "These are probabilities. Which digit does each image get?",
    )
    found = tensor(found, 400)
    right = torch.stack(members).mean(dim=0).argmax(dim=1)
    for i, member in enumerate(members):
        off_if(torch.equal(found, 1.0 * member.argmax(dim=1)), f"Only member {i} has a vote.")
    hard = torch.stack([member.argmax(dim=1) for member in members]).mode(dim=0).values
    off_if(
        torch.equal(found, 1.0 * hard),
        "Each has one vote here, however sure it is. Average the probabilities.",
    )
    off_if(
        not torch.equal(found, 1.0 * right),
        f"{(found != right).float().mean():.0%} of the answers are others than the average gives.",
    )


def _fractions(answer: object) -> None:
    found = tensor(answer, 2).tolist()
    printed = (0.0992289189128431, 0.9692758193490257)
    right = [Fraction(value).limit_denominator(60_000).denominator for value in printed]
    off_if(found == [42_000, 42_000], "That is what the notebook says, and no fraction of it fits.")
    off_if(found == right[::-1], "The two are there, in the other order: model 2 first.")
    off_if(found == [4414, 43_031], "So many answers were right. Of how many?")
    agree = sum(a == b for a, b in zip(found, right, strict=True))
    off_if(agree == 1, "One of the two is right.")
    off_if(agree == 0, "Neither. Does the fraction give back the same float?")


def _measure(answer: object) -> str:
    y = torch.cat([torch.full((990,), 1), torch.full((10,), 7)])
    lazy = torch.ones_like(y)
    honest = torch.where(torch.arange(1000) % 5 == 0, 8 - y, y)
    perfect, nothing, fair, shuffled = (
        number(called(answer, y[order], guess[order]))
        for guess, order in (
            (y, torch.arange(1000)),
            (lazy, torch.arange(1000)),
            (honest, torch.arange(1000)),
            (honest, torch.randperm(1000, generator=torch.Generator().manual_seed(0))),
        )
    )
    off_if(any(map(math.isnan, (perfect, nothing, fair))), "It is not always a number.")
    off_if(perfect <= fair or perfect <= nothing, "Who is always right has to score highest.")
    off_if(not math.isclose(fair, shuffled, rel_tol=1e-4), "It depends on the order of the images.")
    off_if(
        nothing >= fair,
        f"990 ones and 10 sevens: who always says 1 scores {nothing:.2f}, who reads four in five "
        f"of either {fair:.2f}. It has no eye for what is rare.",
    )
    return f"Always 1 scores {nothing:.2f}, four in five of either {fair:.2f}."


CHECKS = (
    *(_standard_error, _recall_and_precision, _large_enough, _top_two, _vote, _fractions),
    _measure,
)

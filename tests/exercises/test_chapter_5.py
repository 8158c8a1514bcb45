"""Chapter 5: right answers, and for each exercise the ways to be wrong that are told apart."""

import math

import torch
from verdicts import checks_of


def macro_recall(y, guess):
    return torch.stack([(guess[y == k] == k).float().mean() for k in y.unique()]).mean()


def average(members):
    return torch.stack(members).mean(dim=0)


def top_two(proba, y):
    return (proba.topk(2, dim=1).indices == y[:, None]).any(dim=1).float().mean()


RIGHT = {
    "05-1": [lambda p, n: math.sqrt(p * (1 - p) / n)],
    "05-2": [lambda c, k: (c[k, k] / c[k].sum(), c[k, k] / c[:, k].sum())],
    "05-3": [(4472, 111_791), (4480, 112_000)],
    "05-4": [top_two],
    "05-5": [lambda members: average(members).argmax(dim=1)],
    "05-6": [(44_483, 44_395)],
    "05-7": [macro_recall],
}
WRONG = {
    "05-1": [
        (0.0054, "Expected a function"),
        (lambda p, n: p * (1 - p) / n, "That is the variance"),
        (lambda p, n: math.sqrt(p * (1 - p)), "spread of one image"),
        (lambda p, n: 1.96 * math.sqrt(p * (1 - p) / n), "95% interval"),
        (lambda p, n: 100 * math.sqrt(p * (1 - p) / n), "percentage points"),
        (lambda p, n: p / n, "variance of one image"),
    ],
    "05-2": [
        ((0.9, 0.9), "Expected a function"),
        (lambda c, k: c[k, k], "Expected the shape 2"),
        (lambda c, k: (c[k, k] / c[:, k].sum(), c[k, k] / c[k].sum()), "are exchanged"),
        (lambda c, k: (c[k, k] / c.sum(), c[k, k] / c.sum()), "Of all images"),
        (lambda c, k: (c[k, k], c[k].sum()), "at most 1"),
        (lambda c, k: (c[k, k] / c[k].sum(), 0), "the precision is not"),
        (lambda c, k: (0, c[k, k] / c[:, k].sum()), "the recall is not"),
        (lambda c, k: (0, 0), "both are off"),
    ],
    "05-3": [
        (4472, "Expected the shape 2"),
        ((111_791, 4472), "comes second"),
        ((1164, 29_100), "95 times in 100"),
        ((1118, 27_948), "on each side"),
        ((38_416, 960_400), "for any accuracy"),
        ((3000, 15_000), "Five times as exact"),
        ((4472, 100_000), "gives ± 0.11"),
    ],
    "05-4": [
        (0.99, "Expected a function"),
        (lambda proba, y: (proba.argmax(dim=1) == y).float().mean(), "the first guess"),
        (lambda proba, y: (proba.topk(2).indices[:, 1] == y).float().mean(), "second guess alone"),
        (lambda proba, y: top_two(proba, y) * len(y), "not their share"),
        (lambda proba, y: top_two(proba, y) / 2, "one is enough"),
        (lambda proba, y: (proba.argmax(dim=1)[:, None] == y).float().mean(), "Which shapes"),
    ],
    "05-5": [
        (0.96, "Expected a function"),
        (average, "These are probabilities"),
        (lambda members: members[1].argmax(dim=1), "Only member 1 has a vote"),
        (
            lambda members: torch.stack([m.argmax(dim=1) for m in members]).mode(dim=0).values,
            "however sure it is",
        ),
        (lambda members: average(members).argmin(dim=1), "others than the average gives"),
    ],
    "05-6": [
        (44_483, "Expected the shape 2"),
        ((42_000, 42_000), "no fraction of it fits"),
        ((44_395, 44_483), "in the other order"),
        ((4414, 43_031), "Of how many"),
        ((44_483, 42_000), "One of the two"),
        ((1, 2), "Neither"),
    ],
    "05-7": [
        (0.5, "Expected a function"),
        (lambda y, guess: float("nan"), "not always a number"),
        (lambda y, guess: (y != guess).sum(), "score highest"),
        (lambda y, guess: macro_recall(y, guess) + (y[0] == guess[0]), "order of the images"),
        (lambda y, guess: (y == guess).float().mean(), "no eye for what is rare"),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)

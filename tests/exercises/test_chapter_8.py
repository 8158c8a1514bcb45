"""Chapter 8: right answers, and for each exercise the ways to be wrong that are told apart."""

import math

import numpy as np
import torch
from verdicts import checks_of

BY_HAND = [0.2, 0.8, 0.25, 0.25, 0.5]


def instead(i, value):
    return [*BY_HAND[:i], value, *BY_HAND[i + 1 :]]


RIGHT = {
    "08-1": [BY_HAND, torch.tensor(BY_HAND)],
    "08-2": [(1, 6, 0.5)],
    "08-3": [lambda lams: 1 / lams, lambda lams: np.sort(1 / lams)[::-1]],
    "08-4": [22],
    "08-5": [lambda mu: (2 + 2 * mu) / (1 + 2 * mu)],
    "08-6": [(0, 1, 0), torch.tensor([0.0005, -2.0, 0.0])],
}
WRONG = {
    "08-1": [
        (0.2, "Expected the shape 5"),
        (instead(0, 2 / 9), "the steep end never rests"),
        (instead(0, 0.1), "0.9 at the flat end and 0.1 at the steep one. One of them"),
        (instead(1, 8 / 9), "Its rate, 0.888889, is off. Put your α"),
        (instead(1, -0.8), "has no sign"),
        (instead(2, 0.5), "A square is missing"),
        (instead(2, 0.04), "the roots of the curvatures"),
        (instead(3, 0.5), "The momentum, 0.5, is off. That is the rate."),
        (instead(3, 0.64), "another κ"),
        (instead(4, 0.25), "The rate of momentum, 0.25, is off. That is the momentum."),
        (instead(4, 2 / 3), "Divide by √κ + 1"),
    ],
    "08-2": [
        (0.5, "Expected the shape 3"),
        ((6, 1, 0.5), "smaller eigenvalue comes first"),
        ((2, 5, 0.6), "stand on the diagonal"),
        ((-0.772, 7.772, 0.386), "shared by two entries"),
        ((2, 12, 0.25), "twice too large"),
        ((0.5, 3, 1), "half as large"),
        ((1, 7, 0.5), "The larger eigenvalue, 7, is off"),
        ((1, 6, 3), "The other direction"),
        ((1, 6, 1 / 3), "without momentum"),
        ((1, 6, 0.25), "twice as much"),
    ],
    "08-3": [
        ([1, 0.5], "Expected a function"),
        (lambda lams: 1 / lams[:2], "Expected the shape 4, found 2"),
        (lambda lams: lams, "the curvatures themselves"),
        (lambda lams: -1 / lams, "larger than 0"),
        (lambda lams: 0 * lams + 2 / lams.max(), "no two directions arrive"),
        (lambda lams: 2 / lams, "lands on the other side"),
        (lambda lams: 1 / lams.clip(1), "1 of 4 directions"),
        (lambda lams: lams * np.nan, "4 of 4 directions"),
    ],
    "08-4": [
        ("some", "Expected a number"),
        (88, "That is all of them"),
        (66, "the power take alone"),
        (-22, "The sign"),
        (88 / 66, "how many times"),
        (21, "One off"),
        (22.5, "Steps are counted"),
        (10, "So many steps more, and"),
    ],
    "08-5": [
        (1.357, "Expected a function"),
        (lambda mu: 2 + 2 * mu, "do not look ahead"),
        (lambda mu: 1 + 1 / mu if mu else 2, "determinant alone"),
        (lambda mu: (1 + 2 * mu) / (2 + 2 * mu), "stands on its head"),
        (lambda mu: -2, "larger than 0"),
        (lambda mu: math.inf, "and finite"),
        (lambda mu: 2, "beyond the edge"),
        (lambda mu: 2 - mu, "For μ = 0.6 it gives 1.4. There the rate is"),
    ],
    "08-6": [
        (50.5, "Expected the shape 3"),
        ((0, 0, 0), "before the first step"),
        ((0, math.inf, 0), "A start is finite"),
        ((1, 0, 0), "waits longest for the direction λ = 1."),
        ((0, 0, 1), "waits longest for the direction λ = 100."),
    ],
}


test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)

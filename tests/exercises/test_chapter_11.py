"""Chapter 11: right answers, and for each exercise the ways to be wrong that are told apart."""

from fractions import Fraction

import numpy as np
from scipy.stats import hypergeom
from verdicts import checks_of

from cnnlesson import share_interval
from cnnlesson.experiments.clues import train_biases

COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def left(rng, images=60_000, draws=18_000):
    return images - len(np.unique(rng.integers(images, size=draws)))


def off(digit):
    right = hypergeom(60_000, COUNTS[digit], 44_483)
    return abs(4414 - right.mean()) / right.std()


def binomial_off(digit):
    share = COUNTS[digit] / 60_000
    return abs(4414 - 44_483 * share) / np.sqrt(44_483 * share * (1 - share))


FIT = {digit for digit in range(10) if off(digit) < 2}
ROUGH = {digit for digit in range(10) if binomial_off(digit) < 2}


def fourth(labels, epoch=4, momentum=0.9):
    return train_biases(labels, lr=0.001, momentum=momentum, batch_size=32, num_epochs=epoch)[-1]


LABELS = np.repeat(np.arange(10), [round(n * 44_483 / 60_000) for n in COUNTS])
IN_ORDER, SHUFFLED = fourth(LABELS), fourth(np.random.default_rng(1).permutation(LABELS))


def limits(lr, mu):
    return 2 * (1 + mu) / lr, 2 * (1 - mu) / lr


NEEDED = next(n for n in range(200, 400) if share_interval(0, n).high < 0.01)
FRACTIONS = [
    *(Fraction(4414, 44_483), Fraction(43_031, 44_395)),
    *(Fraction(15_061, 18_000), Fraction(1471, 4500), Fraction(17_377, 18_000)),
]


def instead(i, fraction):
    return [*FRACTIONS[:i], fraction, *FRACTIONS[i + 1 :]]


STEPS = {0.0: [5, 5, 5], 0.5: [6, 5, 6], 0.9: [17, 9, 24]}
WAS, FORGETS, WITHOUT = [0.51, 0.42, 0.39], [0.511, 0.419, 0.392], [0.6, 0.47, 0.53]

RIGHT = {
    "11-1": [left],
    "11-2": [FIT, sorted(FIT), (9, 6, 2, 0)],
    "11-3": [(IN_ORDER, SHUFFLED), (2.3145, 2.3013)],
    "11-4": [limits],
    "11-5": [NEEDED, 299],
    "11-6": [FRACTIONS],
    "11-7": [STEPS],
    "11-8": [(WAS, FORGETS, WITHOUT)],
}
WRONG = {
    "11-1": [
        (44_449, "Expected a function"),
        (lambda rng: left(rng) / 60_000, "not their share"),
        (lambda rng: 42_000, "when no image is drawn twice"),
        (lambda rng: 60_000 - left(rng), "the different ones that were drawn"),
        (lambda rng: 18_000, "drawn, not left"),
        (lambda rng: left(np.random.default_rng(0)), "Is `rng` used?"),
        (lambda rng: (rng.random(60_000) < 0.7).sum(), "tossed for by itself"),
        (lambda rng: left(rng, draws=60_000), "Of 60,000 draws"),
        (lambda rng: left(rng, draws=24_000), "had 44,483 and 44,395"),
    ],
    "11-2": [
        ([10], "from 0 to 9"),
        ([1, 9], "A one is off by 17"),
        (ROUGH, "the deviation is smaller"),
        ([2], "the nearest, and not the only"),
        ([0, 2, 4, 6, 9], "4 is off"),
        ([9], "So does another"),
        (9, "So does another"),
    ],
    "11-3": [
        (IN_ORDER, "Expected the shape 2"),
        ((SHUFFLED, IN_ORDER), "in the other order"),
        ((fourth(LABELS, epoch=1), SHUFFLED), "the first epoch"),
        ((fourth(np.repeat(np.arange(10), COUNTS)), SHUFFLED), "of 60,000 labels"),
        ((fourth(np.repeat(np.arange(10), 4448)), SHUFFLED), "as many labels of each"),
        ((np.log(10), SHUFFLED), "ln 10"),
        ((fourth(LABELS, momentum=0.0), SHUFFLED), "without momentum"),
        ((SHUFFLED, SHUFFLED), "these labels were shuffled"),
        ((2.4, SHUFFLED), "2.4000 in the fourth epoch"),
        ((IN_ORDER, IN_ORDER), "sorted as well"),
        ((IN_ORDER, 2.2), "the second is not"),
    ],
    "11-4": [
        ((380, 20), "Expected a function"),
        (lambda lr, mu: limits(lr, mu)[::-1], "exchanged"),
        (lambda lr, mu: ((1 + mu) / lr, (1 - mu) / lr), "A factor 2"),
        (lambda lr, mu: (2 / lr, 2 / lr), "Where is the momentum"),
        (lambda lr, mu: limits(1, mu), "Where is the step size"),
        (lambda lr, mu: (2 * (1 + mu) * lr, 2 * (1 - mu) * lr), "a flatter place"),
        (lambda lr, mu: (2 * (1 + mu) / lr, 2 / lr / (1 - mu)), "*effective* step size"),
        (lambda lr, mu: (2 * (1 + mu) / lr, 0), "The lower one is off"),
        (lambda lr, mu: (0, 2 * (1 - mu) / lr), "The higher one is off"),
    ],
    "11-5": [
        ("many", "Expected a number"),
        (298.5, "no parts of a run"),
        (100, "happens with 37%"),
        (2000, "They multiply"),
        (459, "99% confidence"),
        (368, "Only one side"),
        (298, "298 are good with 5.00%"),
        (300, "rule of three"),
        (320, "So is one fewer"),
    ],
    "11-6": [
        (FRACTIONS[:2], "Expected 5 fractions"),
        (instead(0, 0.0992289189128431), "expected a Fraction, found float"),
        (instead(1, FRACTIONS[0]), "another of the five"),
        (instead(2, Fraction(5, 6)), "5/6 gives 0.8333"),
        (instead(3, Fraction(0.3268888888888889)), "only 60,000 images"),
    ],
    "11-7": [
        (list(STEPS.values()), "Expected a dictionary"),
        (STEPS | {0.9: [17, 9]}, "Expected a tensor"),
        (STEPS | {0.9: [17, 9, 0.5]}, "no parts of a step"),
        (STEPS | {0.9: [17, 9, 0]}, "one step at least"),
        (STEPS | {0.0: [188, 188, 188]}, "all 188 steps"),
        (STEPS | {0.9: [4, 4, 4]}, "it comes sooner"),
        (STEPS | {0.9: [5, 5, 5]}, "no later with memory"),
    ],
    "11-8": [
        (WAS, "Expected the shape 3×3"),
        ((WAS, FORGETS, [60, 47, 53]), "from 0 to 1"),
        (([0.5] * 3, FORGETS, WITHOUT), "three starts"),
        ((WAS, WAS, WITHOUT), "same to the last digit"),
        ((WAS, FORGETS, [share + 0.001 for share in WAS]), "Is the optimiser a new one"),
        ((WAS, [0.6, 0.6, 0.5], WITHOUT), "ends elsewhere"),
        ((WAS, FORGETS, [0.3, 0.2, 0.1]), "fewer stay active"),
    ],
}

test_what_is_right_is_called_right, test_what_is_off_is_said = checks_of(RIGHT, WRONG)

"""The exercises of chapter 11, why it diverged."""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from cnnlesson.exercises.off import AnswerError, called, number, off_if, off_if_near, tensor
from cnnlesson.experiments.clues import always_one_class, never_drawn, train_biases

__all__ = ["CHECKS"]

# How many of MNIST's 60,000 training images show a 0, a 1, …, a 9.
_COUNTS = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
_TRAINED_ON = 44_483
_PRINTED = (
    *(0.0992289189128431, 0.9692758193490257),
    *(0.8367222222222223, 0.3268888888888889, 0.9653888888888889),
)


def _sizes(answer: object) -> None:
    rng = np.random.default_rng(0)
    found = [number(called(answer, rng)) for _ in range(40)]
    mean = float(np.mean(found))
    right = never_drawn(60_000, 18_000).mean
    case = f"In 40 draws {mean:,.0f} are left on average. "
    off_if(mean < 1, case + "Expected their number, not their share.")
    off_if(set(found) == {42_000}, case + "So it is when no image is drawn twice.")
    drawn = "These are the different ones that were drawn."
    off_if(abs(mean - (60_000 - right)) < 100, case + drawn)
    off_if(abs(mean - 18_000) < 100, case + "So many are drawn, not left.")
    off_if(len(set(found)) == 1, case + "It is the same number every time. Is `rng` used?")
    off_if(
        abs(mean - 42_000) < 100,
        case + "Each image is tossed for by itself. The original draws 18,000, not about as many.",
    )
    off_if(
        abs(mean - never_drawn(60_000, 60_000).mean) < 100,
        case + "Of 60,000 draws, that is. How many test images are there?",
    )
    off_if(abs(mean - right) > 100, case + "The original had 44,483 and 44,395.")


def _one_answer(answer: Any) -> None:
    digits = answer if isinstance(answer, (set, frozenset, list, tuple)) else [answer]
    named = {number(digit) for digit in digits}
    off_if(not named <= set(range(10)), "Expected digits from 0 to 9.")
    off, rough = {}, {}
    for digit, count in enumerate(_COUNTS):
        expected = always_one_class(_TRAINED_ON, 60_000, count)
        off[digit] = abs(4414 - expected.mean) / expected.std
        rough[digit] = abs(4414 - expected.mean) / math.sqrt(expected.mean * (1 - count / 60_000))
    fit = {digit for digit in off if off[digit] < 2}
    off_if(1 in named, f"A one is off by {off[1]:.0f} standard deviations.")
    off_if(
        named == {digit for digit in rough if rough[digit] < 2},
        "So it is if an image can be chosen twice. Each is chosen once: the deviation is smaller.",
    )
    off_if(
        named == {min(off, key=off.__getitem__)},
        "It is the nearest, and not the only one that fits.",
    )
    for wrong in sorted(named - fit):
        raise AnswerError(f"{wrong:g} is off by more than two standard deviations.")
    off_if(named < fit, "All of these fit. So does another.")


def _losses(labels: np.ndarray, momentum: float = 0.9) -> list[float]:
    return train_biases(labels, lr=0.001, momentum=momentum, batch_size=32, num_epochs=4)


def _biases(answer: object) -> None:
    found = tensor(answer, 2).tolist()
    in_order = np.repeat(np.arange(10), [round(n * _TRAINED_ON / 60_000) for n in _COUNTS])
    right = _losses(in_order)
    shuffled = _losses(np.random.default_rng(0).permutation(in_order))
    off_if(
        np.allclose(found, [shuffled[-1], right[-1]], rtol=0, atol=1e-3),
        "Both are there, in the other order: the sorted ones come first.",
    )
    case = f"In class order it is not {found[0]:.4f}"
    without = _losses(in_order, momentum=0.0)
    whole = _losses(np.repeat(np.arange(10), _COUNTS))
    equal = _losses(np.repeat(np.arange(10), _TRAINED_ON // 10))
    off_if_near(
        found[0],
        {
            right[0]: case + ": that is the first epoch, not the fourth.",
            whole[-1]: case + ": that is of 60,000 labels. How many were there to train on?",
            equal[-1]: case + ": that is of as many labels of each class.",
            math.log(10): case + ": that is who knows nothing, ln 10.",
            without[-1]: case + ": that is without momentum.",
            shuffled[-1]: case + ": these labels were shuffled.",
        },
        tolerance=5e-5,
    )
    off_if(abs(found[0] - right[-1]) > 1e-3, case + " in the fourth epoch.")
    off_if(abs(found[1] - right[-1]) < 1e-3, "The first is right. The second is sorted as well.")
    off_if(abs(found[1] - shuffled[-1]) > 1e-3, "The first is right, the second is not.")


def _limits(answer: object) -> None:
    for lr, mu in ((0.1, 0.0), (0.02, 0.9), (0.004, 0.98)):
        higher, lower = 2 * (1 + mu) / lr, 2 * (1 - mu) / lr
        found = tensor(called(answer, lr, mu), 2).tolist()
        if np.allclose(found, [higher, lower], rtol=1e-4):
            continue
        case = f"For α = {lr:g}, μ = {mu:g} it gives {found[0]:.3g} and {found[1]:.3g}. "
        mistakes = {
            (lower, higher): "The two are exchanged.",
            (higher / 2, lower / 2): "A factor 2 is missing.",
            (2 / lr, 2 / lr): "Where is the momentum?",
            (higher * lr, lower * lr): "Where is the step size?",
            (higher * lr**2, lower * lr**2): "A larger step needs a flatter place.",
            (higher, 2 / (1 - mu) / lr): "The lower one is 2 over the *effective* step size.",
        }
        for wrong, words in mistakes.items():
            off_if(np.allclose(found, wrong, rtol=1e-4), case + words)
        is_right = math.isclose(found[0], higher, rel_tol=1e-4)
        raise AnswerError(
            case + ("The lower one is off." if is_right else "The higher one is off.")
        )


def _how_many(answer: object) -> None:
    runs, share = number(answer), 0.01
    right = math.ceil(math.log(0.05) / math.log(1 - share))
    surer = math.ceil(math.log(0.01) / math.log(1 - share))
    two_sided = math.ceil(math.log(0.025) / math.log(1 - share))
    off_if(runs != int(runs), "There are no parts of a run.")
    off_if_near(
        runs,
        {
            1 / share: f"None in {runs:.0f}, though one in a hundred collapses? "
            f"That happens with {(1 - share) ** runs:.0%}.",
            1 / share / 0.05: "How unlikely are so many good runs? They multiply.",
            surer: "That would be 99% confidence.",
            two_sided: "Only one side can fail: all of the 5% are there.",
        },
        tolerance=1e-3,
    )
    off_if(
        runs < right,
        f"If one in a hundred collapses, {runs:.0f} are good with {(1 - share) ** runs:.2%}.",
    )
    off_if(runs == 3 / share, "So says the rule of three, which is rounded. Now `share_interval`.")
    off_if(runs > right, "They are enough. So is one fewer.")


def _fractions(answer: Any) -> None:
    is_list = isinstance(answer, (list, tuple)) and len(answer) == len(_PRINTED)
    off_if(not is_list, f"Expected {len(_PRINTED)} fractions, in the order in which they stand.")
    for printed, fraction in zip(_PRINTED, answer, strict=True):
        found = type(fraction).__name__
        off_if(
            not isinstance(fraction, Fraction), f"{printed}: expected a Fraction, found {found}."
        )
        case = f"{printed}: {fraction} "
        value = fraction.numerator / fraction.denominator
        others = [other for other in _PRINTED if other != printed]
        off_if(value in others, case + "is another of the five.")
        off_if(value != printed, case + f"gives {value!r}.")
        off_if(
            fraction.denominator > 60_000,
            case + "gives it back, and there are only 60,000 images.",
        )


def _memory(answer: Any) -> str:
    momenta = (0.0, 0.5, 0.9)
    is_named = isinstance(answer, dict) and set(answer) == set(momenta)
    off_if(not is_named, "Expected a dictionary with the three μ, and three numbers for each.")
    steps = tensor([answer[mu] for mu in momenta], len(momenta), 3).numpy()
    off_if(bool((steps != steps.round()).any()), "There are no parts of a step.")
    off_if(bool((steps < 1).any()), "A training takes one step at least.")
    epoch = math.ceil(6000 / 32)
    off_if(
        bool((steps >= epoch).any()),
        f"One lasted all {epoch} steps: it has not exploded. With which α, and which ReLU?",
    )
    none, _, most = np.median(steps, axis=1)
    off_if(most < none, "With more memory it comes sooner. Is α/(1 − μ) the same in all of them?")
    off_if(most == none, "It comes no later with memory. Have all of them the same α?")
    return f"Medians without momentum and with 0.9: {none:.0f} and {most:.0f} steps."


def _velocity(answer: object) -> str:
    shares = tensor(answer, 3, 3).numpy()
    off_if(bool((shares < 0).any() or (shares > 1).any()), "A share is from 0 to 1.")
    was, forgets, without = shares
    off_if(
        bool((np.ptp(shares, axis=1) == 0).any()),
        "Three seeds, and one share: do they have three starts?",
    )
    off_if(
        np.array_equal(was, forgets),
        "The first two are the same to the last digit. Are they rounded, or has nothing been "
        "forgotten?",
    )
    off_if(
        bool((abs(without - was) < 5e-3).all()),
        "With no momentum after the border it ends as with it. Is the optimiser a new one?",
    )
    off_if(
        bool((abs(forgets - was) > 0.05).any()),
        "Who forgets ends elsewhere. Has the network forgotten too, or has α changed?",
    )
    off_if(
        bool((without < was).any()),
        "With no momentum after the border fewer stay active. Has α changed there?",
    )
    means = [f"{share:.2f}" for share in shares.mean(axis=1)]
    return f"Active on average: {means[0]}, {means[1]} if it forgets, {means[2]} with no momentum."


CHECKS = (
    *(_sizes, _one_answer, _biases),
    *(_limits, _how_many, _fractions, _memory, _velocity),
)

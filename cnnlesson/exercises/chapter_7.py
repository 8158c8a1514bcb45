"""The exercises of chapter 7, three experiments."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from cnnlesson.exercises.off import AnswerError, in_turn, off_if, tensor
from cnnlesson.experiments.results import read_results, results_path
from cnnlesson.experiments.run import Run, RunResult

__all__ = ["CHECKS"]


def _effective_steps(answer: object) -> None:
    in_turn(
        tensor(answer, 4).tolist(),
        *(
            (
                name,
                lr / (1 - mu),
                {
                    lr: "That is α alone.",
                    lr * (1 - mu): "Momentum makes steps longer on a slope, not shorter.",
                    lr * (1 + mu): "That is two terms. The sum of all past gradients has more.",
                },
            )
            for name, lr, mu in (
                ("Experiment 1", 0.001, 0.8),
                ("Experiment 2", 0.001, 0.9),
                ("Experiment 3", 0.01, 0.0),
                ("μ = 0.99", 0.001, 0.99),
            )
        ),
    )


def _same_effective_step(answer: object) -> None:
    found = tensor(answer, 2).numpy()
    without = _accuracies(lr=0.01, momentum=0.0, batch_size=32, num_epochs=1)
    with_momentum = _accuracies(lr=0.001, momentum=0.9, batch_size=32, num_epochs=3)
    large_batches = _accuracies(lr=0.01, momentum=0.0, batch_size=256, num_epochs=3)
    right = [np.median(side[:, 0]) for side in (without, with_momentum)]

    def is_near(*values: float) -> bool:
        return np.allclose(found[: len(values)], values, rtol=0, atol=6e-3)

    off_if(bool((found > 1).any()), "An accuracy is a share, at most 1.")
    off_if(is_near(*right[::-1]), "Both are there, in the other order: without momentum first.")
    off_if(is_near(without[:, 0].mean()), "A mean goes where its worst seed pulls it.")
    off_if(is_near(without[:, 0].max()), "The first is that of one seed, the best.")
    off_if(is_near(np.median(large_batches[:, 0])), "The first is that of batches of 256.")
    off_if(not is_near(right[0]), f"The first, {found[0]:.3g}, is off.")
    off_if(
        abs(found[1] - np.median(with_momentum[:, -1])) < 6e-3, "The second is after three epochs."
    )
    off_if(not is_near(*right), f"The second, {found[1]:.3g}, is off.")


def _accuracies(**settings: float) -> np.ndarray:
    """Return the accuracies of the measured runs with raw pixels, seeds by epochs."""
    wanted = {"pixels": "raw", **settings}
    return np.array(
        [
            result.test_accuracies
            for result in read_results(results_path("rerun"))
            if wanted.items() <= asdict(result.run).items()
        ]
    )


def _price_of_order(answer: object) -> str:
    off_if(isinstance(answer, Run), "That says what is set. Nothing has been trained yet.")
    off_if(isinstance(answer, list), "One seed, one result: hand it over without its list.")
    if not isinstance(answer, RunResult):
        raise AnswerError(f"Expected what run_experiment returns, found {type(answer).__name__}.")
    asked = {"order": "sorted", "pixels": "standardized", "lr": 0.01, "momentum": 0.9}
    asked |= {"num_epochs": 2, "batch_size": 32}
    for name, found in asdict(answer.run).items():
        off_if(
            found != asked.get(name, found), f"It was trained with {name}={found!r}. Read again."
        )
    off_if(not answer.test_accuracies, "It ended before its first epoch did.")
    return f"After {len(answer.test_accuracies)} epochs it reads {answer.test_accuracy:.0%}."


def _running_loss(answer: object) -> None:
    losses = np.tile(8 * 0.5 ** np.arange(100), 10)
    in_turn(
        tensor(answer, 2).tolist(),
        (
            *("The running loss", losses.mean()),
            {
                losses[:100].sum(): "That is the sum over one class. A running loss is a mean.",
                losses.sum(): "That is a sum. A running loss is a mean.",
                losses[1:100].sum() / 100: "The first batch of a class counts as well.",
                losses.sum() / 100: "An epoch has more batches than those of one class.",
            },
        ),
        (
            *("The share of new digits", 0.1),
            {
                1: "So it would be if it kept what it had learned.",
                0.9: "Of which classes has it been told something else since?",
                10: "A share is at most 1.",
            },
        ),
    )


def _coin(answer: object) -> None:
    found = tensor(answer, 2).tolist()
    ways = np.array([math.comb(5, heads) for heads in range(6)]) / 2**5
    off_if(found[0] > found[1], "All five is one way of at least four, and no more probable.")
    off_if(max(found) > 1, "A probability is at most 1.")
    in_turn(
        found,
        (
            *("The first", 2 * ways[5]),
            {
                ways[5]: "So probable it is for one of the two. Which one is not said before.",
                0.5: "That is one toss.",
            },
        ),
        (
            *("The second", 2 * (ways[4] + ways[5])),
            {
                ways[4] + ways[5]: "So probable it is for one of the two.",
                2 * ways[4]: "That is four exactly. All five is at least four as well.",
                2 * ways[4] / 5: "In how many orders can four of five be behind?",
            },
        ),
    )


def _claim(answer: Any) -> str:
    first, second = sides = _two_sides(answer)
    off_if(min(map(len, sides)) < 3, "Fewer than three runs on a side are an anecdote.")
    seeds = [[result.run.seed for result in side] for side in sides]
    off_if(any(len(set(side)) < len(side) for side in seeds), "A seed comes twice on one side.")
    off_if(
        set(seeds[0]) != set(seeds[1]),
        "The two sides have other seeds. With the same ones they can be compared pair by pair.",
    )
    settings = [[asdict(result.run) | {"seed": None} for result in side] for side in sides]
    off_if(
        any(run != side[0] for side in settings for run in side),
        "Within one side more than the seed changes.",
    )
    one, other = (side[0] for side in settings)
    changed = [name for name in one if one[name] != other[name]]
    off_if(not changed, "Both sides are set alike.")
    causes = [name for name in changed if name not in ("num_images", "num_epochs")]
    off_if(
        len(causes) > 1,
        f"{', '.join(causes)} change at once. Which of them makes the difference?",
    )
    seen = [run["num_images"] * run["num_epochs"] for run in (one, other)]
    steps = [side[0].run.num_steps for side in sides]
    off_if(
        bool(causes) and seen[0] != seen[1] and steps[0] != steps[1],
        f"{seen[0]:,} images against {seen[1]:,}, {steps[0]:,} steps against {steps[1]:,}: one of "
        "the two should be the same.",
    )
    differences = ", ".join(f"{name} {one[name]} against {other[name]}" for name in changed)
    counted = f"Images seen: {seen[0]:,} and {seen[1]:,}; steps: {steps[0]:,} and {steps[1]:,}."
    return f"{differences}: {_seed_by_seed(first, second)} {counted}"


def _seed_by_seed(first: list[RunResult], second: list[RunResult]) -> str:
    """Return in how many pairs of one seed the first reads more digits, and by how much."""
    of_seed = {result.run.seed: result.test_accuracy for result in second}
    more = [result.test_accuracy - of_seed[result.run.seed] for result in first]
    wins = sum(difference > 0 for difference in more)
    return (
        f"the first reads more in {wins} of {len(more)} seeds, "
        f"by {min(more):+.3f} to {max(more):+.3f}."
    )


def _two_sides(answer: Any) -> list[list[RunResult]]:
    """Return the results of both sides, as lists."""
    is_pair = isinstance(answer, Iterable) and not isinstance(answer, str | dict)
    sides = list(answer) if is_pair else []
    off_if(len(sides) != 2, "Expected two sides, each a list of results.")
    for side in sides:
        are_results = isinstance(side, Iterable) and all(isinstance(r, RunResult) for r in side)
        off_if(not are_results, "A side is a list of what run_experiment returns.")
        off_if(
            any(not result.test_accuracies for result in side),
            "A run ended before its first epoch did, and has no accuracy.",
        )
    return [list(side) for side in sides]


CHECKS = (
    *(_effective_steps, _same_effective_step, _price_of_order, _running_loss, _coin),
    _claim,
)

"""The exercises of chapter 12, going further."""

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp, ttest_ind

from cnnlesson.exercises.off import AnswerError, number, off_if, off_if_near, tensor
from cnnlesson.experiments.results import load_results, read_results, results_path
from cnnlesson.experiments.run import Run, RunResult
from cnnlesson.experiments.studies import RECIPE, WITHOUT

__all__ = ["CHECKS"]


def _step_length(answer: object) -> None:
    with_memory, without = tensor(answer, 2).tolist()
    beta1 = 0.9
    right = (1 - beta1) / (1 + beta1)
    both_there = math.isclose(without, right, rel_tol=0.03) and with_memory == 1
    off_if(both_there, "Both are there, in the other order: β₁ = 0.9 first.")
    case = f"{with_memory:.3g} steps of α, with β₁ = 0.9: "
    off_if(abs(with_memory) < 1e-3, case + "they cancel in part. The latest counts most.")
    off_if_near(
        with_memory,
        {
            1: case + "so it is on a steady slope.",
            1 / (1 + beta1): case + "that is classical momentum. An average has 1 − β₁ in front.",
            1 - beta1: case + "that is the latest gradient alone.",
            (1 - beta1) ** 2: case + "the shares alternate. Add all of them up.",
            right / math.sqrt(1 - 0.999): case + "is the average of the squares corrected?",
        },
    )
    is_right = math.isclose(with_memory, right, rel_tol=0.03)
    off_if(not is_right, case + "off. What does m become, in turn c and −c?")
    off_if(abs(without) < 1e-3, "The first is right. With β₁ = 0 nothing cancels.")
    off_if(not math.isclose(without, 1, rel_tol=0.01), "The first is right, the second is not.")


def _rmsprop(answer: object) -> None:
    first, steps = tensor(answer, 2).tolist()
    beta2 = 0.999
    off_if_near(
        first,
        {
            1 / (1 - beta2): "The first factor is that of s. The step is divided by its root.",
            math.sqrt(1 - beta2): "The first is upside down. Whose first step is longer?",
            0.1 / math.sqrt(1 - beta2): "The first is that of Break it, where β₁ is 0.9.",
            1: "At first they differ. How large is s after one step, uncorrected?",
        },
    )
    is_right = math.isclose(first, (1 - beta2) ** -0.5, rel_tol=0.01)
    off_if(not is_right, f"The first step is not {first:.3g} times as long.")
    right = math.ceil(math.log(1 - 1.01**-2) / math.log(beta2))
    case = f"The first is right. After {steps:.0f} steps "
    off_if(
        abs(steps - math.log(1 - 1 / 1.01) / math.log(beta2)) < 12,
        case + "s is off by 1%. The step is divided by its root.",
    )
    off_if(abs(steps - 1 / (1 - beta2)) < 2, case + "its memory is full in part only.")
    left = 1 / math.sqrt(1 - beta2 ** max(steps, 1)) - 1
    off_if(steps < right, case + f"a step is {left:.2%} too long.")
    off_if(steps > right, case + f"a step is {left:.2%} too long, and it was below 1% before.")


def _mean_of_cycle(answer: object) -> None:
    ratio = number(answer)
    start, end, up = 1 / 25, 1 / 25 / 10_000, 0.3  # PyTorch's, as shares of the peak
    right = up * (start + 1) / 2 + (1 - up) * (1 + end) / 2
    off_if(abs(ratio - 1 / right) < 0.02, "That is the peak, in means. The mean, in peaks, please.")
    off_if_near(
        ratio,
        {
            (start + 1) / 2: "That is the mean of the way up.",
            (start + end) / 2: "That is the mean of the two ends.",
            (start + 1 + end)
            / 3: "The ends and the peak last a moment each, the ways between long.",
        },
        tolerance=0.005,
    )
    off_if(0.499 <= ratio <= 0.501, "Nearly: it does not begin at 0.")
    off_if(ratio > 1, "A mean is below the peak.")
    off_if(abs(ratio - right) > 0.005, "Each cosine has the mean of its ends. How long is each?")


def _reached() -> pd.DataFrame:
    """Return what each rule of the map of rules reaches, a column for each step size."""
    runs = load_results([results_path("map"), results_path("rules")])
    runs = runs[runs["pixels"] == "standardized"].fillna({"test_accuracy": 0})  # a diverged run
    related = load_results([results_path("rules")])["momentum"]
    runs = runs[runs["momentum"].isin(related)]
    titles = {"sgd": "SGD", "nesterov": "Nesterov", "adam": "Adam", "adamw": "AdamW"}
    rule = runs["optimizer"].map(titles) + " " + runs["momentum"].map("{:g}".format)
    return runs.groupby([rule, "lr"])["test_accuracy"].median().unstack("lr")


def _budget(answer: Any) -> None:
    is_pair = isinstance(answer, (list, tuple)) and len(answer) == 2
    off_if(not is_pair, "Expected a rule and an accuracy.")
    rule, accuracy = answer[0], number(answer[1])
    medians = _reached()
    off_if(rule not in medians.index, f"Expected one of {', '.join(medians.index)}, found {rule}.")
    triples = [[0.001, 0.01, 0.1], [0.0005, 0.005, 0.05], [0.002, 0.02, 0.2]]
    reached = pd.DataFrame({i: medians[lrs].max(axis=1) for i, lrs in enumerate(triples)})
    worst, best = reached.min(axis=1), medians.max(axis=1)
    right = worst.idxmax()
    if rule != right:
        is_first = reached[0][rule] == reached[0].max()
        off_if(is_first, f"{rule} reaches most with the first three. And with the others?")
        off_if(rule == best.idxmax(), f"{rule} reaches most with all twelve. You have three.")
        off_if(
            rule == (best - worst).idxmin(),
            f"{rule} loses least against its own best. What counts is what is reached.",
        )
        raise AnswerError(
            f"{rule} reaches {worst[rule]:.3f} in its worst triple. One reaches more."
        )
    is_best = math.isclose(accuracy, best[rule], abs_tol=1e-3)
    off_if(is_best, "The rule is right. That is the most it reaches, not in the worst triple.")
    is_right = math.isclose(accuracy, worst[rule], abs_tol=1e-3)
    off_if(
        not is_right, f"The rule is right. In its worst triple it does not reach {accuracy:.3f}."
    )


def _by_seed(part: str) -> np.ndarray:
    """Return the accuracies without a part at its best step size, the recipe's seeds in order."""
    measured = {r.run: r.test_accuracy for r in read_results(results_path("recipe"))}
    seeds = sorted({run.seed for run in measured})
    tries = [
        np.array([measured.get(replace(RECIPE, **change, seed=seed), np.nan) for seed in seeds])
        for change in WITHOUT[part]
    ]
    return max(tries, key=lambda values: np.median(np.nan_to_num(values)))


def _pairs(answer: object) -> None:
    paired, unpaired = tensor(answer, 2).tolist()
    with_it, without = 18_000 * _by_seed("nothing"), 18_000 * _by_seed("schedule")
    differences = with_it - without

    def width(test: Any, level: float = 0.95) -> float:
        interval = test.confidence_interval(level)
        return float(interval.high - interval.low)

    pairs = width(ttest_1samp(differences, 0))
    loose = width(ttest_ind(with_it, without, equal_var=False))
    error = math.sqrt(differences.var(ddof=1) / len(differences))
    off_if(
        np.allclose([unpaired, paired], [pairs, loose], atol=1),
        "Both are there, in the other order: the paired one comes first.",
    )
    off_if_near(
        paired,
        {
            pairs / 2: f"± {paired:.0f} is the half of it, on one side.",
            pairs / 18_000: "That is a share of the images. Count them.",
            2 * 1.96 * error: "1.96 is for very many pairs. Student's factor is larger for few.",
            width(ttest_1samp(differences, 0), 0.9): "That is one of 90%.",
        },
    )
    off_if(abs(paired - pairs) > 1, f"The paired one is not {paired:.0f} images wide.")
    off_if_near(
        unpaired,
        {
            pairs: "The paired one is right, and the other is not as wide.",
            loose / 2: "The paired one is right. The other is the half of it, on one side.",
            width(ttest_ind(with_it, without)): "The paired one is right. The other takes the two "
            "to scatter alike.",
        },
    )
    off_if(abs(unpaired - loose) > 1, "The paired one is right, the other is not.")


_WITHOUT = ("neither", "the first", "the second", "both")


def _changed(run: Run, whole: Run) -> dict[str, object]:
    """Return the settings that differ from the whole; α may be chosen anew, and seeds differ."""
    before = asdict(whole)
    return {
        name: value
        for name, value in asdict(run).items()
        if value != before[name] and name not in ("lr", "seed")
    }


def _two_parts(answer: Any) -> str:
    is_list = isinstance(answer, (list, tuple)) and len(answer) == len(_WITHOUT)
    off_if(not is_list, "Expected four lists of results, without neither part first.")
    for name, results in zip(_WITHOUT, answer, strict=True):
        is_list = isinstance(results, (list, tuple)) and len(results) > 0
        are_results = is_list and all(isinstance(r, RunResult) for r in results)
        off_if(not are_results, f"Without {name}: expected what run_experiment returns, in a list.")
        settings = {replace(r.run, seed=0) for r in results}
        off_if(len(settings) > 1, f"Without {name}: more than the seed differs among the runs.")
    seeds = {tuple(r.run.seed for r in results) for results in answer}
    off_if(len(seeds) > 1, "The four have different seeds.")
    off_if(len(set(*seeds)) < 2, "One seed cannot tell a part from luck.")
    whole, *others = (results[0].run for results in answer)
    first, second, both = (_changed(run, whole) for run in others)
    for name, changed in zip(_WITHOUT[1:3], (first, second), strict=True):
        off_if(not changed, f"Without {name} part only α has changed.")
    shared = set(first) & set(second)
    off_if(bool(shared), f"Both parts change {' and '.join(shared)}: these are not two parts.")
    off_if(both != first | second, "The fourth is not without exactly these two.")
    accuracies = [np.mean([r.test_accuracy for r in results]) for results in answer]
    for name, accuracy in zip(_WITHOUT, accuracies, strict=True):
        off_if(not accuracy >= 0.5, f"Without {name} it has not learned: is α right for it?")
    n = whole.num_test_images
    costs = [f"{n * (accuracies[0] - accuracy):+.0f}" for accuracy in accuracies[1:]]
    return f"More mistakes in {n:,} images: {costs[0]} and {costs[1]} alone, {costs[2]} together."


CHECKS = (_step_length, _rmsprop, _mean_of_cycle, _budget, _pairs, _two_parts)

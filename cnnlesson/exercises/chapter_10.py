"""The exercises of chapter 10, the map."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from cnnlesson.exercises.off import number, off_if, off_if_near, tensor
from cnnlesson.experiments.edges import find_edges
from cnnlesson.experiments.results import load_results, results_path
from cnnlesson.experiments.run import RunResult

__all__ = ["CHECKS"]

_CELL = ["pixels", "momentum", "lr"]


def _medians(study: str) -> pd.Series:
    """Return the median accuracy of each cell of a study."""
    return load_results([results_path(study)]).groupby(_CELL)["test_accuracy"].median()


def _edges() -> pd.Series:
    """Return the median edge of the map for each scale of the pixels and each momentum."""
    edges = find_edges(load_results([results_path("map")]), ("pixels", "momentum", "seed"))
    return edges.groupby(["pixels", "momentum"])["edge"].median()


def _disagree(answer: object) -> None:
    count, effective = tensor(answer, 2).tolist()
    runs = load_results([results_path("map")])
    learned = (runs["test_accuracy"] > 0.5).groupby([runs[key] for key in _CELL]).mean()
    num_cells = len(learned["standardized"])
    on_all = learned[(learned > 0) & (learned < 1)].reset_index()
    with_slow = on_all[on_all["pixels"] == "standardized"]
    mixed = with_slow[with_slow["lr"] >= 0.001]
    lasting = mixed["lr"] / (1 - mixed["momentum"])
    off_if(count == len(with_slow), "Some of these are only slow. Which step sizes are meant?")
    off_if(
        count in (len(on_all), (on_all["lr"] >= 0.001).sum()),
        f"{count:g} are on three maps. One scale of the pixels is meant.",
    )
    off_if(count > num_cells, f"A map has {num_cells} cells. Count cells, not runs.")
    off_if(count != len(mixed), f"{count:g} is off. Some seeds of a cell learn, and not all of it.")
    second = "The number is right. The second "
    off_if_near(
        effective,
        {
            mixed["lr"].min(): second + "is their smallest α. α/(1 − μ) is asked for.",
            (mixed["lr"] * (1 - mixed["momentum"])).min(): second + "multiplies by 1 − μ.",
            lasting.max(): second + "is the largest α/(1 − μ).",
        },
    )
    off_if(not math.isclose(effective, lasting.min(), rel_tol=0.01), second + "is off.")


def _between(answer: object) -> str:
    predicted, mu = number(answer), 0.97
    edges = _edges()["standardized"]
    start = edges[0.0]
    case = f"{predicted:.3g}: "
    off_if_near(
        predicted,
        {
            start: case + "that is the edge without momentum.",
            start * (1 + mu): case + "so says the bowl, and the map leans the other way.",
            start / (1 - mu): case + "it has to become smaller, by as much.",
            start * mu: case + "1 − μ counts, not μ.",
            edges[0.98]: case + "that is the edge of μ = 0.98. Begin at μ = 0.",
            edges[0.95]: case + "that is the edge of μ = 0.95. Begin at μ = 0.",
        },
    )
    is_right = math.isclose(predicted, start * (1 - mu), rel_tol=0.03)
    off_if(not is_right, case + "there α/(1 − μ) is not what it is at the edge of μ = 0.")
    return "The rule says so. Does the network?"


def _zeros_first(answer: object) -> None:
    in_order, shuffled = tensor(answer, 2).tolist()
    off_if(max(in_order, shuffled) > 1, "A share is at most 1.")
    cells, on_map = _medians("order"), _medians("map")
    place = cells.idxmax()
    runs = load_results([results_path("order")])
    off_if(
        np.allclose([shuffled, in_order], [cells[place], on_map[place]], atol=2e-3),
        "Both are there, in the other order: the sorted one comes first.",
    )
    off_if_near(
        in_order,
        {
            runs["test_accuracy"].max(): "That is the best run. Take the medians first.",
            runs.groupby(_CELL)["test_accuracy"].mean().max(): "That is a mean over the seeds.",
            on_map.max(): "The first is of shuffled digits.",
        },
    )
    off_if(abs(in_order - cells[place]) > 2e-3, f"{in_order:.3g} is not the best median in it.")
    second = "The first is right. The second is the best "
    off_if_near(
        shuffled,
        {
            on_map.max(): second + "of all maps, at another setting.",
            on_map[place[0]].max(): second + "on these pixels, at another setting.",
        },
        tolerance=1e-3,
    )
    is_right = math.isclose(shuffled, on_map[place], abs_tol=2e-3)
    off_if(not is_right, "The first is right. The second is not of the same α, μ and pixels.")


def _results(answer: Any) -> list[RunResult]:
    """Return an answer as the results of runs."""
    results = list(answer) if isinstance(answer, (list, tuple)) else [answer]
    off_if(not results, "It holds no runs.")
    for result in results:
        found = type(result).__name__
        off_if(not isinstance(result, RunResult), f"Expected what sweep returns, found {found}.")
    return results


def _varied(results: list[RunResult]) -> dict[str, int]:
    """Return which settings vary, and how many values each has; a stretch goes with its order."""
    table = pd.DataFrame([asdict(result.run) for result in results])
    values = table.nunique(dropna=False)
    return {str(name): n for name, n in values.items() if n > 1 and name != "stretch"}


def _off_if_incomplete(results: list[RunResult], varied: dict[str, int]) -> None:
    """End the check unless each value of a setting goes once with each of the others."""
    runs = [result.run for result in results]
    off_if(len(set(runs)) < len(runs), "A run stands there twice.")
    wanted = math.prod(varied.values())
    off_if(
        len(runs) < wanted,
        f"{len(runs)} runs cannot be all: {' × '.join(map(str, varied.values()))} are {wanted}.",
    )


def _own_map(answer: Any) -> None:
    is_pair = isinstance(answer, (list, tuple)) and len(answer) == 2
    off_if(not is_pair, "Expected two lists: what the first call returned, and the second.")
    first, again = map(_results, answer)
    varied = _varied(first)
    for name, word in (("lr", "step sizes"), ("momentum", "momenta"), ("seed", "seeds")):
        found = varied.pop(name, 1)
        off_if(found != 2, f"Expected 2 {word}, found {found}.")
    off_if(bool(varied), f"Besides them these vary: {', '.join(varied)}.")
    _off_if_incomplete(first, {"lr": 2, "momentum": 2, "seed": 2})
    images = first[0].run.num_images
    off_if(images != 1000, f"Expected 1,000 images, found {images:,}.")
    off_if([r.run for r in again] != [r.run for r in first], "The second call has other runs.")
    off_if(again != first, "The second call measured again: its times differ. Was its file new?")


def _same_step(answer: object) -> None:
    alpha, factor = tensor(answer, 2).tolist()
    before, low, high = 0.1, 0.5, 0.95
    right = before * (1 - high) / (1 - low)
    off_if_near(
        alpha,
        {
            before: "It keeps α, and every lasting step would be longer.",
            before * (1 - low) / (1 - high): "It is upside down: α has to shrink.",
            before * (1 + high) / (1 + low): "It keeps α/(1 + μ), as the bowl has it.",
            before * (1 - high): "It forgets that μ = 0.5 had lengthened the steps already.",
            before / (1 - low): "That is α/(1 − μ) itself.",
        },
    )
    off_if(not math.isclose(alpha, right, rel_tol=0.01), f"With {alpha:.3g} it has not stayed.")
    edges, medians = _edges()["standardized"], _medians("map")["standardized", high]
    leads = "α is right. The factor leads "
    off_if_near(
        factor,
        {
            edges[high] / before: leads + "from the α of μ = 0.5, which has shrunk.",
            edges[low] / right: leads + "to the edge of μ = 0.5.",
            right / edges[high]: leads + "downward.",
            medians[medians >= 0.5].index.max() / right: leads + "to a step size that learns. "
            "The edge lies between it and the next.",
            edges[high]: "α is right. The second is an edge, and no factor.",
        },
    )
    is_right = math.isclose(factor, edges[high] / right, rel_tol=0.02)
    off_if(not is_right, leads + "elsewhere.")


def _third_axis(answer: Any) -> str:
    results = _results(answer)
    varied = _varied(results)
    num_lrs, num_seeds = varied.pop("lr", 1), varied.pop("seed", 1)
    off_if(num_lrs < 4, f"Expected 4 step sizes or more, found {num_lrs}.")
    off_if(num_seeds < 2, f"Expected 2 seeds or more, found {num_seeds}.")
    off_if(not varied, "Besides α and the seed nothing varies.")
    off_if(len(varied) > 1, f"{' and '.join(varied)} vary at once. Which of them moved the edge?")
    [(axis, num_values)] = varied.items()
    off_if(axis in _CELL, f"The map varies {axis} already.")
    off_if(num_values != 2, f"Expected 2 values of {axis}, found {num_values}.")
    _off_if_incomplete(results, {"lr": num_lrs, "seed": num_seeds, axis: 2})
    table = pd.DataFrame([result.to_dict() for result in results])
    edges = find_edges(table.astype({axis: str}), (axis, "seed"))
    beyond = edges[~np.isfinite(edges["edge"])]
    off_if(
        len(beyond) > 0,
        f"{len(beyond)} of {len(edges)} edges are not among these step sizes: one has to learn, "
        "and a larger one must not.",
    )
    spans = edges.groupby(axis)["edge"].agg(["min", "max"])
    return " ".join(
        f"With {axis} = {value} the edge lies at {low:.2g}"
        + (f" to {high:.2g}." if low < high else ".")
        for value, low, high in spans.itertuples()
    )


CHECKS = (_disagree, _between, _zeros_first, _own_map, _same_step, _third_axis)

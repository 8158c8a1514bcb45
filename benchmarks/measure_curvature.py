"""Measure the curvature along every training of the course that is not in `results/` yet.

Interrupt it whenever you like: it goes on where it was.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import lru_cache

import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from cnnlesson import Run, load_digits
from cnnlesson.results import mend_last_line, results_folder
from cnnlesson.tracking import append_rows, track_curvature

PATH = results_folder() / "curvature.csv"
SEEDS = range(5)
# The steps grow, because most happens in the first of them.
STEPS = (2, 8, 32, 94, 188)

BATCHES = Run(pixels="standardized", num_test_images=1000)
# No noise: every step sees all images. Half as many steps, because each costs more.
FULL = replace(BATCHES, num_images=250, batch_size=250, num_epochs=94)
# Step sizes of one range of α/(1 - μ), the last beyond the edge.
CONSTANT = {
    0.0: (0.05, 0.2, 0.5, 1.0),
    0.9: (0.005, 0.02, 0.1, 0.2),
    0.98: (0.005, 0.02, 0.05),
}
ONE_CYCLE = {0.0: (1.0,), 0.9: (0.2,), 0.98: (0.05,)}
WITHOUT_NOISE = {0.0: (0.2,), 0.9: (0.02, 0.1)}


def settings() -> Iterator[tuple[Run, tuple[int, ...]]]:
    """Give each run, and after which steps to measure in it: one seed after the other."""
    for seed in SEEDS:
        # Before the first step the settings do not matter, only the network and the pixels.
        for pixels in ("standardized", "unit", "raw"):
            yield Run(pixels=pixels, num_images=250, num_test_images=1000, seed=seed), (0,)
        for base, grid in (
            (BATCHES, CONSTANT),
            (replace(BATCHES, schedule="one-cycle"), ONE_CYCLE),
            (FULL, WITHOUT_NOISE),
        ):
            for momentum, lrs in grid.items():
                for lr in lrs:
                    yield replace(base, lr=lr, momentum=momentum, seed=seed), STEPS


load = lru_cache(maxsize=1)(load_digits)  # once a process


def measure(run: Run, steps: tuple[int, ...]) -> pd.DataFrame:
    """Measure one run on one thread."""
    torch.set_num_threads(1)
    return track_curvature(run, load("mnist"), steps=steps)


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    jobs = parser.parse_args().jobs
    names = list(asdict(BATCHES))
    names.remove("measure_every")  # None, which a table reads as a missing number
    known = set()
    if PATH.exists() and PATH.stat().st_size:
        mend_last_line(PATH)
        known = set(pd.read_csv(PATH)[names].itertuples(index=False, name=None))
    missing = [
        (run, steps)
        for run, steps in settings()
        if tuple(getattr(run, name) for name in names) not in known
    ]
    parallel = Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
    tables = parallel(delayed(measure)(run, steps) for run, steps in missing)
    for table in tqdm(tables, "runs", total=len(missing)):
        append_rows(PATH, table)


if __name__ == "__main__":
    main()

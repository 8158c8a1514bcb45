"""Measure what the course's results do not hold yet.

Interrupt it whenever you like: it goes on where it was.

    python -m cnnlesson.experiments runs [STUDY …]
    python -m cnnlesson.experiments curvature

Or show how near each order and scale of the digits comes to the losses that the original printed.

    python -m cnnlesson.experiments headline
"""

import argparse
import os
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from tqdm import tqdm

from cnnlesson._support.alone import writing_alone
from cnnlesson._support.files import append_text, mend_last_line
from cnnlesson.data import load_digits
from cnnlesson.experiments.class_order import FITTED, PRINTED, fit_to_printed
from cnnlesson.experiments.results import read_results, results_folder, results_path
from cnnlesson.experiments.run import Run
from cnnlesson.experiments.studies import CURVATURE, STUDIES
from cnnlesson.experiments.sweeps import sweep
from cnnlesson.experiments.tracking import append_rows, load_curvature, track_curvature

load = lru_cache(maxsize=1)(load_digits)  # once a process


def measure_runs(studies: list[str], jobs: int, *, only_list: bool) -> None:
    """Measure the runs of some studies that are missing, and say how far each is."""
    for name in studies or STUDIES:
        path, runs = results_folder() / f"{name}.jsonl", STUDIES[name]
        results = read_results(path) if path.exists() else []
        known = {r.run: r.seconds for r in results if r.digits == "mnist"}
        done = [known[run] for run in runs if run in known]
        pace = f", {sum(done) / 3600:.1f} hours of one processor" if done else ""
        sys.stdout.write(f"{name}: {len(done)} of {len(runs)} runs measured{pace}\n")
        if not only_list:
            sweep(runs, path, source="mnist", n_jobs=jobs)


def measure_curvature(jobs: int) -> None:
    """Measure the curvature along those trainings that are missing."""
    path = results_folder() / "curvature.csv"
    append_text(path, "")
    with writing_alone(path):
        _measure_missing_curvature(path, jobs)


def _measure_missing_curvature(path: Path, jobs: int) -> None:
    known = set()
    if path.stat().st_size:
        mend_last_line(path)
        known = {Run.from_row(row) for _, row in load_curvature(path).iterrows()}
    missing = [(run, steps) for run, steps in CURVATURE if run not in known]
    parallel = Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
    tables = parallel(delayed(_track)(run, steps) for run, steps in missing)
    for table in tqdm(tables, "runs", total=len(missing)):
        append_rows(path, table)


def print_headline() -> None:
    """Print measured settings beside the original's losses, the best fit first."""
    paths = map(results_path, ("class_order", "class_order_rivals"))
    table = fit_to_printed(r for path in paths for r in read_results(path))
    for momentum, printed in PRINTED.items():
        sys.stdout.write(
            f"\nmomentum {momentum}: off by a factor (median and range over seeds; "
            f"{FITTED} epochs), then the mean loss of each epoch likewise\n"
        )
        heading = ["", "", *(f"{loss:.4f}" for loss in printed)]
        rows = {"printed": heading} | {
            f"{order}, {pixels}": [
                str(row["seeds"]),
                f"{row['misfit']:.2f} ({row['least']:.2f}-{row['most']:.2f})",
                *(_median_and_range(row[i + 1]) for i in range(len(printed))),
            ]
            for (pixels, order), row in table.loc[[momentum]].droplevel("momentum").iterrows()
        }
        columns = ["seeds", "off by", *range(1, len(printed) + 1)]
        shown = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        sys.stdout.write(shown.to_string() + "\n")


def _median_and_range(losses: list[float]) -> str:
    if not losses:
        return "-"
    return f"{np.median(losses):.3f} ({losses[0]:.3f}-{losses[-1]:.3f})"


def _track(run: Run, steps: tuple[int, ...]) -> pd.DataFrame:
    """Measure one run on one thread."""
    torch.set_num_threads(1)
    return track_curvature(run, load("mnist"), steps=frozenset(steps))


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m cnnlesson.experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("runs", help="trainings, one line of JSON each")
    runs.add_argument("studies", nargs="*", help=f"some of: {', '.join(STUDIES)} (default: all)")
    runs.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    runs.add_argument("--list", action="store_true", help="say what there is, measure nothing")
    curvature = commands.add_parser("curvature", help="the curvature along some trainings")
    curvature.add_argument("--jobs", type=int, default=1, help="processes at a time")
    commands.add_parser("headline", help="the original's losses beside measured ones")
    options = parser.parse_args(arguments)
    if options.command == "headline":
        print_headline()
        return
    if options.command == "curvature":
        measure_curvature(options.jobs)
        return
    if unknown := set(options.studies) - set(STUDIES):
        runs.error(f"expected some of {', '.join(STUDIES)}; found {', '.join(sorted(unknown))}")
    measure_runs(options.studies, options.jobs, only_list=options.list)


if __name__ == "__main__":
    main()

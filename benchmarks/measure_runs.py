"""Measure every run of the course that is not in `results/` yet.

Interrupt it whenever you like: it goes on where it was.
"""

import argparse
import os

from cnnlesson.results import read_results, results_folder
from cnnlesson.studies import STUDIES
from cnnlesson.sweeps import sweep


def main() -> None:
    """Measure the studies named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", help=f"some of: {', '.join(STUDIES)} (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--list", action="store_true", help="say what there is, measure nothing")
    options = parser.parse_args()
    if unknown := set(options.studies) - set(STUDIES):
        parser.error(f"expected some of {', '.join(STUDIES)}; found {', '.join(sorted(unknown))}")

    for name in options.studies or STUDIES:
        path, runs = results_folder() / f"{name}.jsonl", STUDIES[name]
        results = read_results(path) if path.exists() else []
        known = {r.run: r.seconds for r in results if r.digits == "mnist"}
        done = [known[run] for run in runs if run in known]
        pace = f", {sum(done) / 3600:.1f} hours of one processor" if done else ""
        print(f"{name}: {len(done)} of {len(runs)} runs measured{pace}")
        if not options.list:
            sweep(runs, path, source="mnist", n_jobs=options.jobs)


if __name__ == "__main__":
    main()

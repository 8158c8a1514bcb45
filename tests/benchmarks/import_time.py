"""Time what importing costs, each in a process of its own, in turns.

python tests/benchmarks/import_time.py
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time

STATEMENTS = {
    "nothing": "pass",
    "torch": "import torch",
    "the package": "import cnnlesson",
    "its mathematics": "from cnnlesson.momentum import optimal_momentum",
    "the lesson": (
        "from cnnlesson import ConvNet, ShapeTracer, evaluate, load_digits, train_model"
    ),
    "every name": "from cnnlesson import *",
    "pydantic": "import pydantic",
}


def seconds(statement: str) -> float:
    """Return how long a new interpreter takes for a statement, its own start included."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def mebibytes(statement: str) -> float:
    """Return how much memory a new interpreter holds at the most."""
    report = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    command = [sys.executable, "-c", f"{statement}\n{report}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11, help="imports of each (11)")
    rounds = parser.parse_args().rounds
    for statement in STATEMENTS.values():  # into the cache of files
        seconds(statement)
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            times[name].append(seconds(statement))
    print(f"{platform.platform()}, {platform.machine()}, Python {platform.python_version()}\n")
    print(f"{'median of ' + str(rounds):<18}{'seconds':>8}{'of torch':>10}{'MiB':>7}")
    print("─" * 43)
    for name, statement in STATEMENTS.items():
        ratios = [a / b for a, b in zip(times[name], times["torch"], strict=True)]
        print(
            f"{name:<18}{statistics.median(times[name]):>8.2f}"
            f"{statistics.median(ratios):>10.2f}{mebibytes(statement):>7.0f}"
        )


if __name__ == "__main__":
    main()

"""Many runs, measured once each, whatever happens in between."""

from collections.abc import Iterable
from functools import lru_cache
from os import PathLike

import torch
from joblib import Parallel, delayed

from cnnlesson._support.alone import writing_alone
from cnnlesson._support.bars import bar_over
from cnnlesson._support.files import append_text, mend_last_line
from cnnlesson.data import Digits, load_digits
from cnnlesson.experiments.experiment import run_experiment
from cnnlesson.experiments.results import append_result, read_results, reads_as_result
from cnnlesson.experiments.run import Run, RunResult

__all__ = ["sweep"]


def sweep(
    runs: Iterable[Run],
    path: str | PathLike = "runs.jsonl",
    *,
    source: str = "auto",
    n_jobs: int = -1,
    progress: bool = True,
) -> list[RunResult]:
    """Measure many runs in parallel, and keep each in a file as soon as it ends.

    Runs that the file holds already are not measured again, so that a sweep that was interrupted or
    killed goes on where it was: only runs under way are lost. Each run has one thread, for its
    numbers to be the same on any number of processors.

    Parameters
    ----------
    runs : iterable of Run
        What to measure. A run that stands there twice is measured once.
    path : path-like, default "runs.jsonl"
        The file of results. It may hold other runs too. One sweep at a time writes it: beside it
        stands an empty file ``runs.jsonl.lock``, which says whether one does.
    source : {"auto", "mnist", "sample", "sklearn"}, default "auto"
        The digits, as for `load_digits`.
    n_jobs : int, default -1
        Number of processes; -1 for one a processor.
    progress : bool, default True
        Show a bar of finished runs.

    Returns
    -------
    list of RunResult
        One for each of ``runs``, in their order.

    Raises
    ------
    ExceptionGroup
        If runs failed, after all others have been measured and kept. It holds the error of each,
        with the run as a note.
    ValueError
        If one of ``runs`` is no run, or a line of the file no result.
    BlockingIOError
        If another sweep is writing the file; this one has measured nothing then.
    OSError
        If the file cannot be written; known before the first run.

    Notes
    -----
    joblib decides where the runs are measured. Inside ``with
    joblib.parallel_config(backend="dask"):`` that is a Dask cluster, whose workers load the
    digits themselves.

    Examples
    --------
    >>> runs = [Run(momentum=mu, seed=seed) for mu in (0.0, 0.9) for seed in range(3)]
    >>> results = sweep(runs, "momentum.jsonl", n_jobs=2)  # doctest: +SKIP
    """
    runs = list(runs)
    for run in runs:
        if not isinstance(run, Run):
            raise ValueError(f"runs: expected each to be a Run, found {run!r}")
    source = _digits(source).source
    append_text(path, "")  # a path that cannot be written to is better known now
    with writing_alone(path):
        return _measure_missing(runs, path, source, n_jobs, progress)


def _measure_missing(
    runs: list[Run], path: str | PathLike, source: str, n_jobs: int, progress: bool
) -> list[RunResult]:
    known = {result.run: result for result in read_results(path) if result.digits == source}
    mend_last_line(path, reads_as_result)
    missing = [run for run in dict.fromkeys(runs) if run not in known]
    # One run a message: what has ended is known at once, not when its neighbours have ended.
    parallel = Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator_unordered")
    outcomes = parallel(delayed(_measure)(run, source) for run in missing)
    errors = []
    bar = bar_over(outcomes, "runs", len(missing), "run", progress=progress)
    for outcome in outcomes if bar is None else bar:
        if isinstance(outcome, RunResult):
            append_result(path, outcome)
            known[outcome.run] = outcome
        else:
            errors.append(outcome)
    if errors:
        kept = f"the others are kept in {path}"
        raise ExceptionGroup(f"{len(errors)} of {len(missing)} runs failed; {kept}", errors)
    return [known[run] for run in runs]


@lru_cache(maxsize=1)
def _digits(source: str) -> Digits:
    """Load the digits once a process."""
    return load_digits(source)


def _measure(run: Run, source: str) -> RunResult | Exception:
    """Measure one run on one thread; an error is returned, for the other runs to go on."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        result = run_experiment(run, _digits(source))
    except Exception as error:  # whatever it is, it concerns this run alone
        error.add_note(repr(run))
        return error
    finally:
        torch.set_num_threads(num_threads)
    if result.status == "interrupted":  # half a run is none, and who interrupts it means the sweep
        raise KeyboardInterrupt
    return result

"""A sweep measures each run once, whatever happens in between, and on whatever it runs."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from itertools import cycle, islice

import joblib
import pytest

from cnnlesson import Run, load_digits, read_results, run_experiment, sweep

SMALL = {"num_images": 100, "num_test_images": 50}
RUNS = [Run(momentum=momentum, seed=seed, **SMALL) for momentum in (0.0, 0.9) for seed in range(3)]
OPTIONS = {"source": "sklearn", "progress": False}


def without_seconds(results):
    return [replace(result, seconds=0.0) for result in results]


@pytest.fixture(scope="module")
def expected():
    digits = load_digits("sklearn")
    return without_seconds(run_experiment(run, digits) for run in RUNS)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_sweep_is_its_runs_in_their_order(tmp_path, expected, n_jobs):
    path = tmp_path / "runs.jsonl"
    results = sweep(RUNS, path, n_jobs=n_jobs, **OPTIONS)
    assert without_seconds(results) == expected
    assert sorted(read_results(path), key=lambda r: RUNS.index(r.run)) == results


def test_what_is_measured_is_not_measured_again(tmp_path):
    path = tmp_path / "runs.jsonl"
    first = sweep(RUNS[:3], path, n_jobs=1, **OPTIONS)
    again = sweep([*RUNS[1:4], RUNS[3], RUNS[1]], path, n_jobs=1, **OPTIONS)
    assert again[:2] == again[4:] + first[2:] == first[1:3]  # the same seconds
    assert [result.run for result in read_results(path)] == RUNS[:4]


def test_other_digits_are_another_measurement(tmp_path):
    path = tmp_path / "runs.jsonl"
    [result] = sweep(RUNS[:1], path, n_jobs=1, **OPTIONS)
    line = path.read_text("utf-8")
    path.write_text(line.replace('"digits":"sklearn"', '"digits":"mnist"'), "utf-8")
    sweep(RUNS[:1], path, n_jobs=1, **OPTIONS)
    assert [r.digits for r in read_results(path)] == ["mnist", "sklearn"]
    assert result.digits == "sklearn"


def test_a_run_that_fails_costs_no_other(tmp_path, expected):
    path = tmp_path / "runs.jsonl"
    bad = Run(num_images=5000)
    with pytest.raises(ExceptionGroup, match=r"1 of 7 runs failed; the others are kept") as caught:
        sweep([RUNS[0], bad, *RUNS[1:]], path, n_jobs=2, **OPTIONS)
    [error] = caught.value.exceptions
    assert "num_images: expected at most 1257, found 5000" in str(error)
    assert error.__notes__ == [repr(bad)]
    kept = sorted(read_results(path), key=lambda r: RUNS.index(r.run))
    assert without_seconds(kept) == expected


@pytest.mark.skipif(os.name != "posix", reason="a signal is sent as POSIX systems do")
@pytest.mark.parametrize(
    ("kills", "n_jobs"), [(1, 1), pytest.param(10, 2, marks=pytest.mark.prove)]
)
def test_killed_again_and_again_it_loses_nothing_and_repeats_nothing(
    tmp_path, expected, kills, n_jobs
):
    path = tmp_path / "runs.jsonl"
    runs = [
        Run(momentum=momentum, seed=seed, **SMALL)
        for momentum in (0.0, 0.9)
        for seed in range(4 * kills)
    ]
    code = f"""
        from cnnlesson import Run, sweep
        runs = [Run(momentum=m, seed=s, num_images=100, num_test_images=50)
                for m in (0.0, 0.9) for s in range({4 * kills})]
        open({str(tmp_path / "ready")!r}, "w").close()
        sweep(runs, {str(path)!r}, source="sklearn", n_jobs={n_jobs}, progress=False)
    """
    moments = random.Random(0)
    before = []
    for further in islice(cycle((1, 1500, 0, 3000)), kills):
        (tmp_path / "ready").unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
        # At any moment from the start of a life to after some of its runs, on any machine.
        goal = path.stat().st_size if path.exists() else 0
        goal += further
        while process.poll() is None:
            size = path.stat().st_size if path.exists() else 0
            if (tmp_path / "ready").exists() and size >= goal:
                break
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = read_results(path) if path.exists() else []
        assert after[: len(before)] == before  # nothing lost, not even a digit
        before = after
    results = sweep(runs, path, n_jobs=n_jobs, **OPTIONS)
    kept = read_results(path)
    assert kept[: len(before)] == before
    assert len(before) > 0
    assert sorted(result.run.seed for result in kept) == sorted(run.seed for run in runs)
    assert len({result.run for result in kept}) == len(kept) == len(runs)
    assert [r for r in without_seconds(results) if r.run in RUNS] == expected


def test_two_sweeps_do_not_write_one_file(tmp_path, monkeypatch):
    """The second measures nothing, whatever name it gives, and may begin when the first ends."""
    path, name = tmp_path / "runs.jsonl", tmp_path / "other.jsonl"
    name.symlink_to(path)

    def refused(run, digits):
        for same in (path, str(name)):
            with pytest.raises(BlockingIOError, match=r"runs\.jsonl: expected nobody else .* wait"):
                sweep(RUNS, same, n_jobs=1, **OPTIONS)
        return run_experiment(run, digits)

    monkeypatch.setattr("cnnlesson.experiments.sweeps.run_experiment", refused)
    sweep(RUNS[:1], path, n_jobs=1, **OPTIONS)
    monkeypatch.undo()
    sweep(RUNS[:2], path, n_jobs=1, **OPTIONS)
    assert [result.run for result in read_results(path)] == RUNS[:2]


@pytest.mark.skipif(os.name != "posix", reason="a signal is sent as POSIX systems do")
def test_a_sweep_that_was_killed_locks_nobody_out(tmp_path):
    path, ready = tmp_path / "runs.jsonl", tmp_path / "ready"
    path.touch()
    code = f"""
        import time
        from cnnlesson._support.alone import writing_alone
        with writing_alone({str(path)!r}):
            open({str(ready)!r}, "w").close()
            time.sleep(600)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    try:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.01)
        with pytest.raises(BlockingIOError, match="found that another sweep does"):
            sweep(RUNS[:1], path, n_jobs=1, **OPTIONS)
        assert path.read_bytes() == b""
    finally:
        process.kill()
        process.wait()
    sweep(RUNS[:1], path, n_jobs=1, **OPTIONS)
    assert len(read_results(path)) == 1


@pytest.mark.prove
def test_a_real_dask_cluster_measures_the_same(tmp_path, expected):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        results = sweep(RUNS, tmp_path / "runs.jsonl", **OPTIONS)
    assert without_seconds(results) == expected
    assert len(read_results(tmp_path / "runs.jsonl")) == len(RUNS)


def test_the_progress_bar_counts_runs(tmp_path, capfd, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    sweep(RUNS[:2], tmp_path / "runs.jsonl", source="sklearn", n_jobs=1)
    assert "2/2" in capfd.readouterr().err


def test_a_silent_sweep_has_no_bar_at_all(tmp_path, monkeypatch):
    """Each bar takes a lock, and a forked process that was killed with it never gives it back."""
    monkeypatch.setattr("cnnlesson._support.bars.tqdm", None)
    assert len(sweep(RUNS[:1], tmp_path / "runs.jsonl", n_jobs=1, **OPTIONS)) == 1


def test_an_interrupted_run_is_not_measured(tmp_path, expected, monkeypatch):
    """Ctrl+C reaches the training itself where the sweep has no other process."""
    path = tmp_path / "runs.jsonl"

    def interrupted(run, digits):
        result = run_experiment(run, digits)
        return replace(result, status="interrupted") if run == RUNS[1] else result

    with monkeypatch.context() as patch:
        patch.setattr("cnnlesson.experiments.sweeps.run_experiment", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sweep(RUNS, path, n_jobs=1, **OPTIONS)
    assert [result.run for result in read_results(path)] == RUNS[:1]
    assert without_seconds(sweep(RUNS, path, n_jobs=1, **OPTIONS)) == expected


def test_a_path_that_cannot_be_written_to_costs_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr("cnnlesson.experiments.sweeps.run_experiment", None)
    with pytest.raises(FileNotFoundError, match="none"):
        sweep(RUNS, tmp_path / "none" / "runs.jsonl", n_jobs=1, **OPTIONS)


@pytest.mark.parametrize("content", ["a,b\n1,2\n3,4", '{"a": "note"}'])
def test_a_file_of_something_else_is_left_alone(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"notes\.txt"):
        sweep(RUNS[:1], path, n_jobs=1, **OPTIONS)
    assert path.read_text("utf-8") == content


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"runs: expected each to be a Run, found \{'lr': 0.1\}"):
        sweep([{"lr": 0.1}], tmp_path / "runs.jsonl", **OPTIONS)

"""Results survive the file they are kept in, and a damaged file says where it is damaged."""

import json
from dataclasses import asdict, fields, replace

import numpy as np
import pandas as pd
import pytest

from cnnlesson import Run, RunResult, load_results, read_results, results_path
from cnnlesson.results import append_result, drop_torn_line

RESULT = RunResult(
    run=Run(lr=0.1, seed=3),
    status="completed",
    train_losses=[2.0, 1.0 / 3.0],
    test_accuracies=[0.5, 0.75],
    seconds=1.25,
    loss_curve=[2.3, 0.1],
    dead_channels=[0.0, 0.5],
    digits="mnist",
    environment={"python": "3.11", "torch": "2"},
)
DIVERGED = replace(RESULT, status="diverged", train_losses=[], test_accuracies=[], dead_channels=[])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "runs.jsonl"
    for result in (RESULT, DIVERGED):
        append_result(path, result)
    return path


def test_what_is_kept_comes_back(path):
    assert read_results(path) == [RESULT, DIVERGED]


def test_a_line_is_a_run_in_json(path):
    first, second = map(json.loads, path.read_text("utf-8").splitlines())
    assert first == asdict(RESULT)
    assert second["status"] == "diverged"


def test_fields_added_later_have_their_defaults_in_older_files(path):
    line = asdict(RESULT)
    del line["run"]["order"], line["dead_channels"]
    path.write_text(json.dumps(line) + "\n", "utf-8")
    assert read_results(path) == [replace(RESULT, dead_channels=[])]


def test_a_file_cut_anywhere_loses_one_run_at_most(path):
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(len(content)):
        path.write_bytes(content[:size])
        whole = [RESULT] if size >= first else []
        assert read_results(path) == whole
        drop_torn_line(path)
        append_result(path, DIVERGED)
        assert read_results(path) == [*whole, DIVERGED]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"line 2: expected the result of a run, found the line: Invalid JSON"),
        ("{}", r"line 2: expected the result of a run, found run: Field required"),
        (json.dumps({**asdict(RESULT), "status": "lost"}), r"line 2: .* found status: .*'dead'"),
        (
            json.dumps({**asdict(RESULT), "run": {"momentum": 1.5}}),
            r"line 2: .* found run\.momentum",
        ),
    ],
)
def test_a_damaged_line_is_named(path, line, message):
    path.write_text(path.read_text("utf-8").splitlines()[0] + f"\n{line}\n", "utf-8")
    with pytest.raises(ValueError, match=rf"runs\.jsonl, {message}"):
        read_results(path)


def test_the_table_is_tidy(path, tmp_path):
    frame = load_results([path])
    names = [field.name for field in fields(Run)]
    assert list(frame) == [*names, "status", "train_loss", "test_accuracy", "seconds"]
    assert list(frame["train_loss"][:1]) == [1 / 3]
    assert np.isnan(frame["test_accuracy"][1])
    assert list(frame["status"]) == ["completed", "diverged"]
    both = load_results([path, path])
    pd.testing.assert_frame_equal(both[:2], frame)
    assert len(both) == 4


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.jsonl"):
        read_results(tmp_path / "none.jsonl")


def test_a_study_has_its_file_and_an_unknown_one_a_clear_error():
    assert read_results(results_path("map"))
    with pytest.raises(ValueError, match=r"study: expected one of .*map.*, found 'maps'"):
        results_path("maps")

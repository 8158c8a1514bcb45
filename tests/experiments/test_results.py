"""Results survive the file they are kept in, and a damaged file says where it is damaged."""

import codecs
import json
import os
import subprocess
import sys
from dataclasses import asdict, fields, replace

import numpy as np
import pandas as pd
import pytest

from cnnlesson import Run, RunResult, load_results, read_results, results_path
from cnnlesson._support.files import append_text, mend_last_line
from cnnlesson.experiments.results import append_result, reads_as_result

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
    for size in range(first, len(content)):
        path.write_bytes(content[:size])
        whole = [RESULT, DIVERGED] if size == len(content) - 1 else [RESULT]
        assert read_results(path) == whole
        mend_last_line(path, reads_as_result)
        append_result(path, DIVERGED)
        assert read_results(path) == [*whole, DIVERGED]


@pytest.mark.parametrize("content", [b"a note", b'{"run": {"lr": 0.1', b'{"other": "data"}'])
def test_a_file_that_may_be_something_else_is_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"runs\.jsonl: expected whole lines"):
        mend_last_line(path, reads_as_result)
    assert path.read_bytes() == content


@pytest.mark.skipif(os.name != "posix", reason="the size of files is limited as POSIX systems do")
def test_a_full_disk_leaves_the_file_as_it_was(path):
    """A limit on the size of files stands in for the disk; it needs a process of its own."""
    code = (
        "import resource, signal, sys\n"
        "from cnnlesson._support.files import append_text\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "size = int(sys.argv[2]) + 100\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
        "append_text(sys.argv[1], 'x' * 200 + chr(10))\n"
    )
    before = path.read_bytes()
    command = [sys.executable, "-c", code, str(path), str(len(before))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "OSError: [Errno 28]" in done.stderr
    assert path.read_bytes() == before
    append_text(path, "\n")


def test_a_file_from_an_editor_is_read(path):
    content = path.read_bytes().removesuffix(b"\n")
    path.write_bytes(codecs.BOM_UTF8 + content.replace(b"\n", b"\r\n"))
    assert read_results(path) == [RESULT, DIVERGED]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"line 2: expected the result of a run; the line: Invalid JSON.*, found b'{'"),
        ("{}", r"line 2: expected the result of a run; run: Field required"),
        (
            json.dumps({**asdict(RESULT), "status": "lost"}),
            r"line 2: .* status: .*'dead'.*, found 'lost'",
        ),
        (
            json.dumps({**asdict(RESULT), "run": {"momentum": 1.5}}),
            r"line 2: .* run\.momentum: .*, found 1.5",
        ),
        (
            json.dumps({**asdict(RESULT), "run": {"temperature": 0.1}}),
            r"line 2: .* run\.temperature: .*, found 0.1",
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
    pd.testing.assert_frame_equal(load_results(path), frame)
    pd.testing.assert_frame_equal(load_results(str(path)), frame)
    assert list(load_results([])) == list(frame)
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

"""Curvature along a training is that of the very networks of the run."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse.linalg import ArpackError
from torch import nn

from cnnlesson import (
    ConvNet,
    Run,
    batch_sharpness,
    dead_channels,
    load_curvature,
    load_digits,
    prepare,
    run_experiment,
    sharpness,
    standardize,
    track_curvature,
)
from cnnlesson.experiments.studies import CURVATURE
from cnnlesson.experiments.tracking import append_rows

DIGITS = load_digits("sklearn")
RUN = Run(
    lr=0.05,
    momentum=0.9,
    batch_size=20,
    num_images=100,
    num_test_images=50,
    pixels="standardized",
    seed=3,
)


@pytest.fixture(scope="module", autouse=True)
def few_images():
    """Measure the curvature that a batch meets on three batches: what is tested is which ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnnlesson.experiments.tracking._IMAGES", 60)
        yield


@pytest.fixture(scope="module")
def table(few_images):
    return track_curvature(RUN, DIGITS, steps=(0, 3), num_probes=20)


def interrupt(*_, **__):
    raise KeyboardInterrupt


def test_every_row_is_measured_on_the_network_of_its_step(table):
    result = run_experiment(RUN, DIGITS)
    prepared = prepare(RUN, DIGITS)
    x_train, y_train = prepared.x_train, prepared.y_train
    x, y = x_train[::5], y_train[::5]

    torch.manual_seed(3)
    model = ConvNet()
    start = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    batches = torch.randperm(100, generator=torch.Generator().manual_seed(3)).split(20)
    assert table["step"].tolist() == [0, 3]
    for step, row in zip((0, 3), table.itertuples(), strict=True):
        for batch in batches[:step]:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x_train[batch]), y_train[batch]).backward()
            optimizer.step()
        criterion = nn.CrossEntropyLoss()
        weights = nn.utils.parameters_to_vector(model.parameters()).detach()
        assert row.loss == pytest.approx(criterion(model(x), y).item(), rel=1e-3)
        assert row.sharpness == pytest.approx(sharpness(model, criterion, x, y), rel=0.03)
        assert row.batch_sharpness == pytest.approx(
            batch_sharpness(model, criterion, x, y, 20, num_batches=3), rel=0.01
        )
        assert [row.dead_1, row.dead_2] == list(dead_channels(model, x).values())
        assert row.distance == pytest.approx((weights - start).norm().item(), rel=1e-3, abs=1e-6)
        assert row.test_accuracy == result.test_accuracy
        assert (row.lr, row.momentum, row.seed, row.status) == (0.05, 0.9, 3, "completed")


def test_the_probes_are_training_images_with_their_pixels_scaled():
    prepared = prepare(RUN, DIGITS)
    x, y = prepared.x_train, prepared.y_train
    images = standardize(DIGITS.images)
    assert len(x) == len(y) == 100
    assert all((images == image).flatten(1).all(1).any() for image in x[:5])


def test_a_training_that_diverges_has_rows_as_long_as_it_lasts():
    run = Run(lr=1e30, batch_size=20, num_images=100, num_test_images=50)
    table = track_curvature(run, DIGITS, steps=(0, 1, 5), num_probes=20)
    assert table["step"].tolist() == [0, 1]
    assert table.loc[1, ["sharpness", "dead_1", "dead_2", "distance"]].isna().all()
    assert set(table["status"]) == {"diverged"}


def test_rows_are_read_back_to_four_digits(table, tmp_path):
    path = tmp_path / "curvature.csv"
    table = table.head(1)
    append_rows(path, table)
    append_rows(path, table)
    back = load_curvature(path)
    assert len(back) == 2
    assert path.read_text("utf-8").count("sharpness") == 2  # in one heading
    expected = table.fillna(np.nan)  # None is an empty cell too
    pd.testing.assert_frame_equal(back.head(1), expected, rtol=5e-4, check_dtype=False)


def test_the_settings_are_read_back_exactly(tmp_path):
    path = tmp_path / "curvature.csv"
    run = replace(RUN, lr=0.0123456789, momentum=0.987654321)
    append_rows(path, track_curvature(run, DIGITS, steps=(0,), num_probes=20))
    [row] = load_curvature(path).itertuples()
    assert (row.lr, row.momentum) == (run.lr, run.momentum)
    assert row.loss == float(f"{row.loss:.4g}")


def test_a_line_cut_in_two_is_dropped_before_more_is_added(table, tmp_path):
    path = tmp_path / "curvature.csv"
    table = table.head(1)
    append_rows(path, table)
    whole = path.read_text("utf-8")
    path.write_text(whole + "0.05,0.", "utf-8")
    append_rows(path, table)
    assert path.read_text("utf-8") == whole + whole.splitlines()[1] + "\n"


def test_other_columns_are_refused(table, tmp_path):
    path = tmp_path / "curvature.csv"
    append_rows(path, table.head(0))
    assert not path.exists()
    append_rows(path, table)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"curvature\.csv: expected columns .*'other'"):
        append_rows(path, table.assign(other=1))
    assert path.read_bytes() == before


def test_no_measurement_leaves_no_row():
    table = track_curvature(RUN, DIGITS, steps=())
    assert len(table) == 0
    assert "sharpness" in table


def test_a_curvature_that_is_no_number_leaves_the_rest_of_its_row(monkeypatch):
    def fail(*args, **kwargs):
        raise ArpackError(-9)

    monkeypatch.setattr("cnnlesson.experiments.tracking.sharpness", fail)
    [row] = track_curvature(RUN, DIGITS, steps=(1,), num_probes=20).itertuples()
    assert math.isnan(row.sharpness)
    assert math.isnan(row.batch_sharpness)
    assert np.isfinite([row.loss, row.dead_1, row.dead_2, row.distance]).all()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("num_probes", 0, "a whole number, 1 or more"),
        ("num_probes", 2.5, "a whole number, 1 or more"),
        ("steps", 3, "a collection of whole numbers, 0 or more"),
        ("steps", (0, -1), "a collection of whole numbers, 0 or more"),
        ("steps", (0.5,), "a collection of whole numbers, 0 or more"),
        ("steps", "12", "a collection of whole numbers, 0 or more"),
    ],
)
def test_bad_arguments_are_named(name, value, expected):
    message = f"{name}: expected {expected}, found {value!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        track_curvature(RUN, DIGITS, **{"steps": (0,), name: value})


@pytest.mark.parametrize("steps", [[1], {1}, range(1, 2), np.array([1])])
def test_any_collection_of_steps_will_do(steps):
    assert track_curvature(RUN, DIGITS, steps=steps, num_probes=20)["step"].tolist() == [1]


def test_an_interrupted_training_gives_no_rows(monkeypatch):
    monkeypatch.setattr("cnnlesson.experiments.tracking.batch_sharpness", interrupt)
    with pytest.raises(KeyboardInterrupt):
        track_curvature(RUN, DIGITS, steps=(1,), num_probes=20)


def test_every_run_of_the_benchmark_is_in_the_committed_table(table):
    committed = load_curvature()
    assert list(committed) == list(table)  # more can be added
    runs = dict(CURVATURE)
    rows = committed.groupby(committed.apply(Run.from_row, axis=1), sort=False)
    measured = rows["step"].agg(set)
    assert set(measured.index) == set(runs)
    for run, steps in runs.items():
        assert measured[run] == {step for step in steps if step <= run.num_steps}

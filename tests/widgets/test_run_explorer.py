"""Measured runs, packed for a page and unpacked again, and what the figure says of them."""

import json
import math
import re
from html import unescape
from statistics import median
from xml.etree import ElementTree

import numpy as np
import pytest
from traitlets import TraitError

from cnnlesson import Run, RunResult, load_digits, run_experiment
from cnnlesson.experiments.experiment import _mean_by_parts
from cnnlesson.widgets import RunExplorer
from cnnlesson.widgets.run_explorer.packed_runs import pack_runs

SIGNS = {".": "completed", "*": "diverged", "0": "dead"}
AXES = ("lr", "momentum", "batch_size", "pixels", "order")


def made_up(accuracy=0.9, *, status="completed", curve=(2.0, 1.0), **settings):
    """Return a result that nobody measured."""
    run = Run(**{"num_images": 320, "num_test_images": 500} | settings)
    return RunResult(
        run=run,
        status=status,
        train_losses=[],
        test_accuracies=[] if status == "diverged" else [accuracy],
        seconds=0.1,
        loss_curve=list(curve),
        digits="mnist",
    )


def random_results(seed=0, *, num_test_images=500, num_images=320):
    """Return made-up results of a ragged grid, in any order."""
    random = np.random.default_rng(seed)
    results = []
    for pixels, rates in (("standardized", [0.001, 0.01, 0.02, 0.1, 1.0]), ("raw", [1e-5, 0.01])):
        for lr in rates:
            for momentum in (0.0, 0.5, 0.9, 0.99):
                for batch_size, order in ((32, "shuffled"), (32, "sorted"), (8, "shuffled")):
                    if random.random() < 0.3:
                        continue
                    parts = min(25, math.ceil(num_images / batch_size))
                    for number in random.permutation(random.integers(1, 6)):
                        status = random.choice(list(SIGNS.values()), p=[0.6, 0.25, 0.15])
                        length = random.integers(0, parts) if status == "diverged" else parts
                        results.append(
                            made_up(
                                random.integers(0, num_test_images + 1) / num_test_images,
                                status=status,
                                curve=np.exp(random.normal(0, 2.5, length)).tolist(),
                                lr=lr,
                                momentum=momentum,
                                batch_size=batch_size,
                                pixels=pixels,
                                order=order,
                                seed=int(number),
                                num_images=num_images,
                                num_test_images=num_test_images,
                            )
                        )
    return [results[i] for i in random.permutation(len(results))]


def cell_of(result):
    return tuple(getattr(result.run, name) for name in AXES)


def by_cell(results):
    cells = {}
    for result in sorted(results, key=lambda result: result.run.seed):
        cells.setdefault(cell_of(result), []).append(result)
    return cells


def unpack(table):
    """Return what a table holds, read as its documentation says: a list of runs by cell."""
    cells = {}
    for text in table["cells"].split(" "):
        at = [ord(character) - 63 for character in text[:5]]
        cell = tuple(table[name][place] for name, place in zip(AXES, at, strict=True))
        cells[cell] = []
        for sign, packed in re.findall(r"([.*0])([?-~]*)", text[5:]):
            levels = [ord(character) - 63 for character in packed]
            accuracy = None
            if sign != "*":
                digits = 2 if table["images"] < 4096 else 3
                accuracy = int("".join(f"{n:06b}" for n in levels[:digits]), 2) / table["images"]
                del levels[:digits]
            losses = [
                math.exp(math.log(table["low"]) * (1 - n / 63) + math.log(table["high"]) * n / 63)
                for n in levels
            ]
            steps = table["places"][at[2]][: len(losses)]
            cells[cell].append((SIGNS[sign], accuracy, list(zip(steps, losses, strict=True))))
    return cells


def table_of(results):
    return RunExplorer(results).data()["runs"]


@pytest.mark.parametrize("num_test_images", [500, 4095, 4096, 18_000])
@pytest.mark.parametrize("num_images", [40, 416, 6000])
def test_what_is_packed_is_what_was_measured(num_test_images, num_images):
    results = random_results(num_test_images=num_test_images, num_images=num_images)
    table = table_of(results)
    unpacked, expected = unpack(table), by_cell(results)
    assert unpacked.keys() == expected.keys()
    half_a_level = (table["high"] / table["low"]) ** (0.5 / 63) * (1 + 1e-9)
    for cell, runs in expected.items():
        parts = min(25, math.ceil(num_images / cell[2]))
        every = math.ceil(parts / 13)
        for result, (status, accuracy, curve) in zip(runs, unpacked[cell], strict=True):
            assert status == result.status
            assert accuracy == (None if status == "diverged" else result.test_accuracy)
            losses = np.clip(result.loss_curve[::every], table["low"], table["high"])
            ratios = np.array([loss for _, loss in curve]) / losses
            assert len(curve) == len(losses) <= 13
            assert ((1 / half_a_level < ratios) & (ratios < half_a_level)).all()


@pytest.mark.parametrize(("batch_size", "num_epochs"), [(32, 1), (256, 3), (1000, 2), (7, 1)])
def test_losses_stand_at_the_middle_of_their_part(batch_size, num_epochs):
    settings = {"batch_size": batch_size, "num_epochs": num_epochs, "num_images": 1000}
    table = table_of([made_up(**settings)])
    [steps], [places] = table["steps"], table["places"]
    assert steps == num_epochs * -(-1000 // batch_size)
    middles = _mean_by_parts(list(range(1, steps + 1)), steps)
    assert places == [middles[i] for i in range(0, len(middles), 2 if len(middles) > 13 else 1)]


def test_losses_that_are_hardly_there_or_beyond_all_measure_stay_on_the_scale():
    table = table_of([made_up(curve=[0.0, 1e-9, 1e30, 1.0])])
    assert (table["low"], table["high"]) == (0.03, 30)
    [[(_, _, curve)]] = unpack(table).values()
    assert [round(loss, 2) for _, loss in curve] == [0.03, 0.03, 30, pytest.approx(1, rel=0.07)]
    same = table_of([made_up(curve=[2.0, 2.0])])
    assert same["low"] == 2 < same["high"]
    assert list(unpack(table_of([made_up(curve=[])])).values()) == [[("completed", 0.9, [])]]


def test_two_and_a_half_thousand_runs_are_less_than_50_kilobytes():
    random = np.random.default_rng(2)
    rates = [float(f"{x:.3g}") for x in np.geomspace(1e-5, 10, 21)]
    momenta = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
    results = [
        made_up(0.9, curve=np.exp(random.normal(0, 2, 25)), lr=lr, momentum=mu, seed=seed,
                pixels=pixels, num_images=6000, num_test_images=1000)
        for pixels in ("raw", "unit", "standardized")
        for lr in rates
        for mu in momenta
        for seed in range(5)
    ]  # fmt: skip
    assert len(results) == 2520
    page = RunExplorer(results, lr=0.01).to_html()
    state = unescape(re.search(r'data-state="([^"]*)"', page)[1])
    assert len(state) < 50_000
    assert len(page) < 70_000


def test_an_axis_of_more_than_64_values_is_refused():
    results = [made_up(lr=lr) for lr in np.linspace(0.01, 1, 65).tolist()]
    with pytest.raises(ValueError, match="lr: expected at most 64 different values, found 65"):
        RunExplorer(results)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], "results: expected at least one finished run, found none"),
        ([made_up(status="interrupted")], "expected at least one finished run, found none"),
        ([made_up(), made_up()], r"results: expected every run once, found Run\(lr=0.001.* twice"),
        (
            [made_up(), made_up(seed=1, num_images=640)],
            "results: expected one value of num_images in all runs, found 320, 640",
        ),
        (
            [made_up(num_epochs=2), made_up(lr=0.1, num_epochs=3)],
            "results: expected one value of num_epochs in all runs, found 2, 3",
        ),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(results, expected):
    with pytest.raises(ValueError, match=expected):
        RunExplorer(results)


def test_runs_on_different_digits_are_refused():
    other = run_experiment(Run(seed=1, num_images=320, num_test_images=500), load_digits("sklearn"))
    with pytest.raises(
        ValueError, match="one value of digits in all runs, found 'mnist', 'sklearn"
    ):
        RunExplorer([made_up(), other])


def test_it_opens_on_the_first_run_and_knows_what_was_measured():
    results = random_results()
    figure = RunExplorer(results)
    assert tuple(figure.settings.values()) == (*cell_of(results[0]), "none")
    assert figure.axes == {
        "lr": [1e-5, 0.001, 0.01, 0.02, 0.1, 1.0],
        "momentum": [0.0, 0.5, 0.9, 0.99],
        "batch_size": [8, 32],
        "pixels": ["raw", "standardized"],
        "order": ["shuffled", "sorted"],
    }
    figure.set_state({"lr": 1, "momentum": 0.9, "pixels": "standardized"})  # as a slider sends it
    assert isinstance(figure.lr, float)
    assert figure.get_state()["lr"] == 1.0


def test_runs_and_their_median_are_those_of_the_cell():
    results = random_results(1)
    figure, cells, kinds = RunExplorer(results), by_cell(results), set()
    for lr in figure.axes["lr"]:
        for momentum in figure.axes["momentum"]:
            figure.set_trait("lr", lr)
            figure.set_trait("momentum", momentum)
            runs = cells.get((lr, momentum, figure.batch_size, figure.pixels, figure.order), [])
            assert figure.runs == runs
            diverged = sum(result.status == "diverged" for result in runs)
            if 2 * diverged >= len(runs):
                assert math.isnan(figure.median_accuracy)
            else:
                # a diverged run has to be somewhere below all others: at −1, say
                ranks = [-1 if r.status == "diverged" else r.test_accuracy for r in runs]
                assert figure.median_accuracy == median(ranks)
            kinds.add((bool(runs), bool(diverged)))
    assert kinds == {(False, False), (True, False), (True, True)}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lr", 0.05, "lr: expected one of 0.00001, 0.001, 0.01, 0.02, 0.1, 1, found 0.05"),
        ("momentum", "0.9", "momentum: expected one of 0, 0.5, 0.9, 0.99, found '0.9'"),
        ("momentum", None, "momentum: expected one of 0, 0.5, 0.9, 0.99, found None"),
        ("batch_size", 16, "batch_size: expected one of 8, 32, found 16"),
        ("pixels", "unit", "pixels: expected one of raw, standardized, found 'unit'"),
        ("lines", "all", "lines: expected one of none, effective, quadratic, both, found 'all'"),
    ],
)
def test_what_was_not_measured_is_refused_by_name(name, value, expected):
    results = random_results()
    figure = RunExplorer(results)
    before = figure.settings
    with pytest.raises(TraitError, match=re.escape(expected)):
        setattr(figure, name, value)
    assert figure.settings == before
    with pytest.raises(TraitError, match=re.escape(expected)):
        RunExplorer(results, **{name: value})


def test_interrupted_runs_are_left_out():
    figure = RunExplorer([made_up(status="interrupted", lr=0.5), made_up(lr=0.1)])
    assert figure.axes["lr"] == [0.1]


def test_the_page_view_and_the_text_are_the_same_in_every_run():
    one, other = (RunExplorer(random_results(), lines="both") for _ in range(2))
    data, _ = one._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "text/html",
        "text/plain",
    }
    assert one.model_id != other.model_id
    assert one.to_html() == other.to_html()
    assert repr(one) == repr(other)
    assert repr(one).startswith(f"RunExplorer({len(random_results())} runs, lr=")
    state = json.loads(unescape(re.search(r'data-state="([^"]*)"', one.to_html())[1]))
    assert state.pop("_data") == json.loads(json.dumps(one.data()))
    assert state.pop("_limits").keys() == state.keys() == one.settings.keys()
    assert state == one.settings


def test_the_still_picture_shows_the_map():
    results = random_results(3)
    figure = RunExplorer(results, pixels="standardized", batch_size=32, order="shuffled")
    svg = ElementTree.fromstring(figure.picture())
    assert svg.get("role") == "img"
    assert "from 0.001 to 1" in svg.get("aria-label")
    shown = {
        cell: runs
        for cell, runs in by_cell(results).items()
        if cell[2:] == (32, "standardized", "shuffled")
    }
    rows = [0.99, 0.9, 0.5, 0.0]
    columns = [0.001, 0.01, 0.02, 0.1, 1.0]
    order = sorted(shown, key=lambda cell: (rows.index(cell[1]), cell[0]))
    cells = svg.find("g").findall("path")
    assert len(cells) == len(shown) < 20
    for cell, path in zip(order, cells, strict=True):
        x, y = map(float, re.match(r"M([\d.]+),([\d.]+)", path.get("d")).groups())
        assert (x, y) == (73 + 112 * columns.index(cell[0]), 1 + 28 * rows.index(cell[1]))
    medians = []
    for cell in order:
        figure.lr, figure.momentum = cell[:2]
        medians.append(figure.median_accuracy)
    opacity = np.array([float(path.get("fill-opacity")) for path in cells])
    seen = np.flatnonzero(np.isfinite(medians))
    assert len(seen) > 8
    ranked = seen[np.argsort(np.array(medians)[seen])]
    assert (np.diff(opacity[ranked]) >= 0).all()
    signs = re.sub("[^×○]", "", "".join(svg.itertext()))
    statuses = [{result.status for result in shown[cell]} for cell in order]
    assert signs.count("×") == sum("diverged" in found for found in statuses) > 0
    assert signs.count("○") == sum("dead" in found for found in statuses) > 0


def test_the_sentence_says_what_became_of_every_run():
    results = [made_up(0.9), made_up(0.95, seed=1), made_up(0.94, seed=2)]
    results += [made_up(status="diverged", momentum=0.9, seed=seed) for seed in range(2)]
    results += [made_up(0.1, status="dead", momentum=0.9, seed=2), made_up(lr=0.1)]
    figure = RunExplorer(results)
    setting = "batches of 32, raw pixels and shuffled images"
    assert figure.summary() == (
        f"Of 3 runs with α = 0.001, μ = 0.8, {setting}, 3 reached a test accuracy of 0.900 to "
        "0.950, the median is 0.940."
    )
    figure.momentum = 0.9
    assert figure.summary() == (
        f"Of 3 runs with α = 0.001, μ = 0.9, {setting}, 1 reached a test accuracy of 0.100 to "
        "0.100, 2 diverged, 1 ended dead."
    )
    figure.lr = 0.1
    assert figure.summary() == f"No run was made with α = 0.1, μ = 0.9, {setting}."


def test_real_runs_fit_in():
    digits = load_digits("sklearn")
    runs = [
        Run(lr=lr, pixels="standardized", num_images=200, num_test_images=100, seed=seed)
        for lr in (0.05, 1e6)
        for seed in range(2)
    ]
    results = [run_experiment(run, digits) for run in runs]
    figure = RunExplorer(results)
    accuracies = [result.test_accuracy for result in results[:2]]
    assert figure.median_accuracy == sum(accuracies) / 2
    [first, last] = unpack(pack_runs(by_cell(results))).values()
    assert [accuracy for _, accuracy, _ in first] == accuracies
    assert [step for step, _ in first[0][2]] == [1, 2, 3, 4, 5, 6, 7]
    assert {status for status, _, _ in last} <= {"diverged", "dead"}

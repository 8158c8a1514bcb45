"""What networks answered along their trainings: packed, drawn still, and said."""

import json
import re
from html import unescape
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
from traitlets import TraitError

from cnnlesson import Run, RunResult, load_digits, run_experiment
from cnnlesson.widgets import OrderExplorer
from cnnlesson.widgets.order_explorer.order_explorer import COLOURS

AXES = ("order", "pixels", "momentum", "seed")
STATUSES = ("completed", "diverged", "dead")
# Not every momentum with every scale of the pixels, and more seeds in one place than in others.
MEASURED = (
    *(("sorted", "unit", momentum, seed) for momentum in (0.8, 0.9) for seed in (0, 1, 4)),
    ("sorted", "unit", 0.0, 0),
    ("sorted", "raw", 0.9, 1),
    ("file", "standardized", 0.8, 0),
    ("shuffled", "unit", 0.8, 2),
)


def made_up(number=10, *, status="completed", random=None, **settings):
    """Return a result that nobody measured, with so many moments in steps of 5."""
    random = random or np.random.default_rng(number)
    run = Run(**{"num_images": 640, "num_test_images": 500, "measure_every": 5} | settings)
    certainty = random.uniform(0.05, 3, (number, 1))
    shares = random.dirichlet(np.ones(10), number) ** certainty
    shares /= shares.sum(axis=1, keepdims=True)
    return RunResult(
        run=run,
        status=status,
        train_losses=[],
        test_accuracies=[] if status == "diverged" else [float(random.integers(0, 501)) / 500],
        seconds=0.1,
        losses_between=[float(f"{x:.4g}") for x in np.exp(random.normal(-1, 2, number))],
        accuracy_curve=(random.integers(0, 501, number) / 500).tolist(),
        answers=[random.multinomial(run.num_test_images, p).tolist() for p in shares],
        digits="mnist",
    )


def made_up_runs(seed=0):
    """Return a ragged grid of them, of different length, in any order."""
    random = np.random.default_rng(seed)
    results = []
    for k in random.permutation(len(MEASURED)):
        epochs, every = ((5, 5), (2, 4), (3, 7))[k % 3]
        status = STATUSES[max(k - 7, 0)]
        moments = 20 * epochs // every if status != "diverged" else 2
        settings = {"num_epochs": epochs, "measure_every": every} | dict(
            zip(AXES, MEASURED[k], strict=True)
        )
        results.append(made_up(moments, status=status, random=random, **settings))
    return results


def figure_of(results, k=0, **settings):
    """Return a figure that shows the k-th of the results."""
    start = {name: getattr(results[k].run, name) for name in AXES}
    return OrderExplorer(results, **start | settings)


def unpack(table):
    """Return what a table holds, read as its documentation says: by the settings of each run."""
    runs = {}
    for row in table["rows"].split(" "):
        numbers = [table["alphabet"].index(character) for character in row]
        settings = tuple(table[name][place] for name, place in zip(AXES, numbers, strict=False))
        moments = []
        for at in range(8, len(numbers), 14):
            power, digits = divmod(101 * numbers[at] + numbers[at + 1], 900)
            accuracy = (101 * numbers[at + 2] + numbers[at + 3]) / 1e3
            loss = (digits + 100) * 10 ** (power - 6)
            moments.append((loss, accuracy, numbers[at + 4 : at + 14]))
        end = (101 * numbers[6] + numbers[7]) / 1e3
        runs[settings] = (table["lengths"][numbers[4]], STATUSES[numbers[5]], end, moments)
    return runs


def test_what_is_packed_is_what_was_measured():
    results = made_up_runs()
    unpacked = unpack(OrderExplorer(results).data()["runs"])
    assert len(unpacked) == len(results)
    for result in results:
        run = result.run
        length, status, end, moments = unpacked[tuple(getattr(run, name) for name in AXES)]
        assert length == [run.num_epochs, 20, run.measure_every]
        assert status == result.status
        assert end == (result.test_accuracies or [0])[0]
        losses, accuracies, shares = zip(*moments, strict=True)
        np.testing.assert_allclose(losses, result.losses_between, rtol=0.0051)
        assert list(accuracies) == result.accuracy_curve
        np.testing.assert_allclose(shares, np.array(result.answers) / 5, atol=0.5)


def test_losses_that_are_hardly_there_or_beyond_all_measure_stay_on_the_scale():
    result = made_up(5)
    result.losses_between[:] = [0.0, 1e-9, 1e30, float("nan"), 9.999]
    [(_, _, _, moments)] = unpack(OrderExplorer([result]).data()["runs"]).values()
    assert [moment[0] for moment in moments] == pytest.approx([1e-4, 1e-4, 9.99e6, 9.99e6, 10])


def test_the_runs_of_a_chapter_are_less_than_150_kilobytes():
    result = made_up(100)
    settings = [
        {"order": order, "pixels": pixels, "momentum": momentum, "seed": seed}
        for order in ("sorted", "file", "shuffled")
        for pixels in ("raw", "unit", "standardized")
        for momentum in (0.0, 0.8, 0.9, 0.95)
        for seed in range(5)
    ]
    results = [
        RunResult(
            run=Run(num_images=44_439, num_test_images=500, measure_every=138, **one),
            status="completed",
            train_losses=[],
            test_accuracies=[0.1],
            seconds=1,
            losses_between=result.losses_between[:45],  # four epochs, and a few of ten
            accuracy_curve=result.accuracy_curve[:45],
            answers=result.answers[:45],
        )
        for one in settings
    ]
    page = OrderExplorer(results).to_html()
    state = re.search(r'data-state="([^"]*)"', page)[1]
    assert len(results) == 180
    assert len(state.encode()) < 150_000


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], "results: expected at least one finished run, found none"),
        ([made_up(), made_up(num_epochs=2)], r"expected every run once, found Run\(.* twice"),
        (
            [made_up(), made_up(seed=1, lr=0.1)],
            "expected one value of lr in all runs, found 0.001, 0.1",
        ),
        ([made_up(0)], "a loss, an accuracy and ten answers at every moment.*found 0, 0 and 0"),
        (
            [made_up(measure_every=None)],
            "expected runs with answers along the way, found one with measure_every=None",
        ),
        (
            [made_up(order="blocks", stretch=100)],
            "expected an order among shuffled, file, sorted, found 'blocks'",
        ),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(results, expected):
    with pytest.raises(ValueError, match=expected):
        OrderExplorer(results)


def test_runs_whose_answers_are_lost_are_refused():
    result = made_up(3)
    result.answers.clear()
    with pytest.raises(ValueError, match="at every moment measured, found 3, 3 and 0 of them"):
        OrderExplorer([result])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("order", "windows", "order: expected one of shuffled, file, sorted, found 'windows'"),
        ("momentum", 0.95, "momentum: expected one of 0, 0.8, 0.9, found 0.95"),
        ("seed", 3, "seed: expected one of 0, 1, 2, 4, found 3"),
        ("step", 0, "step: expected a whole number from 1 to 100, found 0"),
        ("step", 101, "step: expected a whole number from 1 to 100, found 101"),
        ("step", 5.5, "step: expected a whole number from 1 to 100, found 5.5"),
    ],
)
def test_what_was_not_measured_is_refused_by_name(name, value, expected):
    figure = figure_of(made_up_runs())
    before = figure.settings
    with pytest.raises(TraitError, match=re.escape(expected)):
        setattr(figure, name, value)
    assert figure.settings == before


def test_it_opens_on_the_end_of_the_first_run_and_knows_what_was_measured():
    results = made_up_runs()
    figure = OrderExplorer([made_up(1, status="interrupted", pixels="standardized"), *results])
    assert figure.result is results[0]
    assert figure.step == results[0].run.num_steps
    assert figure.moment.accuracy == results[0].accuracy_curve[-1]
    assert figure.axes == {
        "order": ["shuffled", "file", "sorted"],
        "pixels": ["raw", "unit", "standardized"],
        "momentum": [0.0, 0.8, 0.9],
        "seed": [0, 1, 2, 4],
    }
    assert repr(figure).startswith("OrderExplorer(10 runs, order=")
    state = json.loads(unescape(re.search(r'data-state="([^"]*)"', figure.to_html())[1]))
    assert state.pop("_data") == json.loads(json.dumps(figure.data()))
    assert state.pop("_limits")["step"] == [1, 100, 1]
    assert state == figure.settings


def test_the_moment_is_the_nearest_to_the_step():
    results = made_up_runs()
    for k, result in enumerate(results):
        figure = figure_of(results, k)
        steps = result.run.measure_every * np.arange(1, len(result.answers) + 1)
        for step in range(1, figure.last_step + 1):
            figure.step = step
            assert abs(figure.moment.step - step) == abs(steps - step).min()
            place = list(steps).index(figure.moment.step)
            assert figure.moment.accuracy == result.accuracy_curve[place]


def test_the_sentence_says_what_it_answers_now_and_how_it_ends():
    result = made_up(4, order="sorted", pixels="unit", num_images=320, measure_every=4, seed=3)
    result.losses_between[:] = [0.3752, 2.0, 1.0, 1.0]
    result.accuracy_curve[:] = [0.0984, 0.5, 0.5, 0.5]
    result.answers[0][:] = [0] * 9 + [500]
    result.answers[1][:] = [0, 0, 0, 0, 290, 0, 10, 0, 0, 200]
    result.answers[2][:] = [50, 40, 60, 50, 50, 50, 50, 50, 50, 50]
    result.test_accuracies[:] = [0.5]
    figure = OrderExplorer([result], step=1)
    start = "Images sorted by class, pixels from 0 to 1, μ = 0.8, seed 3: "
    end = " The run ends with an accuracy of 0.500."
    assert figure.summary() == (
        f"{start}after 0.4 epochs the running loss is 0.375; it answers 9 to 100% of the new "
        f"digits; accuracy 0.098.{end}"
    )
    figure.step = 8
    assert "it answers 4 to 58% and 9 to 40% of the new digits; acc" in figure.summary()
    figure.step = 10
    assert "loss is 1; no answer goes to more than 12% of the new digits; acc" in figure.summary()
    dead = OrderExplorer([made_up(1, status="dead")]).summary()
    assert "The run ends dead, with one answer to all: accuracy 0." in dead
    diverged = OrderExplorer([made_up(1, status="diverged")]).summary()
    assert diverged.endswith(" The run diverges after what is shown.")


def test_what_is_not_there_is_said_to_be_not_there():
    figure = figure_of(made_up_runs(), order="file", pixels="raw")
    assert (figure.result, figure.moment) == (None, None)
    assert figure.summary().endswith(": no such run was made.")
    ElementTree.fromstring(figure.picture())
    at_once = OrderExplorer([made_up(0, status="diverged")])
    assert at_once.summary().endswith(": it diverged before anything was measured.")
    ElementTree.fromstring(at_once.picture())


def test_the_still_picture_shows_all_shares():
    result = made_up(10, num_epochs=3)
    svg = ElementTree.fromstring(OrderExplorer([result]).picture())
    assert svg.get("role") == "img"
    strip = {path.get("fill"): path.get("d") for path in svg.findall("g")[1]}
    assert list(strip) == list(COLOURS)
    for digit, d in enumerate(strip.values()):
        tall = {float(x): float(h) / 90 for x, h in re.findall(r"M([\d.]+),.*?v([\d.]+)h", d)}
        assert tall
        for x, share in tall.items():
            place = round((x - 60) / (570 / 12) - 0.5)
            assert share == pytest.approx(result.answers[place][digit] / 500, abs=0.02)


def test_ten_colours_differ_to_all_eyes():
    channels = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in COLOURS])
    light = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    # Full protanopia, deuteranopia and tritanopia, by Machado, Oliveira and Fernandes (2009).
    eyes = (
        np.eye(3),
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    )
    # Oklab, by Ottosson (2020): a step of 0.02 is just seen.
    cones = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
    lab = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    for eye in eyes:
        seen = np.cbrt(np.clip(light @ np.transpose(eye), 0, 1) @ np.transpose(cones))
        seen = seen @ np.transpose(lab)
        for i, j in combinations(range(10), 2):
            least = 0.18 if j - i in (1, 9) else 0.06  # neighbours touch in the strip
            assert np.linalg.norm(seen[i] - seen[j]) > least, (COLOURS[i], COLOURS[j])


def test_real_runs_fit_in():
    run = Run(num_images=320, num_test_images=50, measure_every=3, pixels="unit", order="sorted")
    result = run_experiment(run, load_digits("sklearn"))
    figure = OrderExplorer([result])
    assert figure.moment.step == 9
    assert sum(figure.moment.shares) in range(95, 106)

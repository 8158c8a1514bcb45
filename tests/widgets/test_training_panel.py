"""The panel trains what an experiment trains, beside the notebook, and says how it ended."""

import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from traitlets import TraitError

import cnnlesson
from cnnlesson import Run, load_digits, run_experiment
from cnnlesson.widgets import TrainingPanel
from cnnlesson.widgets.shared.example_runs import EXAMPLES
from cnnlesson.widgets.training_panel import training_panel, worker
from cnnlesson.widgets.training_panel.loss_plot import Curve

DIGITS = load_digits("sklearn")
SMALL = {"num_images": 200, "num_test_images": 100, "batch_size": 50}
LONG = {"num_images": 1000, "num_test_images": 100, "batch_size": 10, "num_epochs": 20}


@pytest.fixture
def make():
    """Return ``make(**settings) -> TrainingPanel``; what is still training ends with the test."""
    panels = []

    def make(**settings):
        panels.append(TrainingPanel(DIGITS, **settings))
        return panels[-1]

    yield make
    for panel in panels:
        panel.close()
        panel.wait()


def control(panel, label):
    return next(child for child in panel.children[0].children if child.description == label)


def button(panel, label):
    return next(child for child in panel.children[1].children if child.description == label)


def plot(panel):
    return panel.children[2]


def wait_for(is_so, seconds=20):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.002)


def has_point(panel):
    return bool(plot(panel).current.get("points"))


# It does what an experiment does


@pytest.mark.parametrize("pixels", ["raw", "unit", "standardized"])
@pytest.mark.parametrize("order", ["shuffled", "sorted"])
def test_a_training_is_the_experiment_to_the_last_bit(make, pixels, order):
    settings = {**SMALL, "lr": 0.002, "momentum": 0.5, "num_epochs": 2, "seed": 3}
    panel = make(**settings, pixels=pixels, order=order)
    panel.train()
    panel.wait()
    [result] = panel.results
    expected = run_experiment(Run(**settings, pixels=pixels, order=order), DIGITS)
    assert {**asdict(result), "seconds": 0} == {**asdict(expected), "seconds": 0}


def test_the_notebook_and_the_training_draw_no_number_from_each_other(make):
    torch.manual_seed(1)
    expected = [torch.rand(3) for _ in range(200)]
    threads = torch.get_num_threads()
    panel = make(**SMALL, seed=4)

    torch.manual_seed(1)
    panel.train()
    drawn = [torch.rand(3) for _ in range(100)]
    panel.wait()
    drawn += [torch.rand(3) for _ in range(100)]
    assert all(map(torch.equal, drawn, expected))
    assert torch.get_num_threads() == threads
    same = run_experiment(Run(**SMALL, seed=4), DIGITS)
    assert panel.results[0].train_losses == same.train_losses


def test_settings_moved_meanwhile_are_for_the_next_training(make):
    panel = make(**SMALL)
    panel.train()
    panel.momentum = 0.5
    panel.wait()
    panel.train()
    panel.wait()
    assert [result.run.momentum for result in panel.results] == [0.8, 0.5]


# Buttons


def test_a_click_trains_beside_the_notebook_and_a_click_stops(make):
    panel = make(**LONG)
    train, stop = button(panel, "Train"), button(panel, "Stop")
    assert (train.disabled, stop.disabled) == (False, True)
    train.click()
    assert panel.is_training
    assert (train.disabled, stop.disabled) == (True, False)
    wait_for(lambda: has_point(panel))
    before = plot(panel).words
    wait_for(lambda: plot(panel).words != before)
    assert re.fullmatch(r"Training 1: step \d+ of 2,000, loss [\d.e+-]+\.", plot(panel).words)

    stop.click()
    panel.wait()
    assert panel.results[0].status == "interrupted"
    assert "was stopped at step" in plot(panel).words
    assert (train.disabled, stop.disabled) == (False, True)
    assert not panel.is_training


def test_many_clicks_are_one(make):
    panel = make(**SMALL)
    for _ in range(5):
        button(panel, "Train").click()
    panel.wait()
    assert len(panel.results) == 1


def test_a_second_training_has_to_wait(make):
    panel = make(**LONG)
    panel.train()
    with pytest.raises(RuntimeError, match="expected no training under way, found one"):
        panel.train()


def test_a_training_begun_as_soon_as_another_has_ended_keeps_its_buttons_and_words(
    make, monkeypatch
):
    panel = make(**SMALL)
    say = panel._say

    def say_slowly(words, **how):
        if words.startswith("Training 1 is complete"):
            time.sleep(0.3)
        say(words, **how)

    monkeypatch.setattr(panel, "_say", say_slowly)
    panel.train()
    first = panel._worker.ended
    for name, value in LONG.items():
        setattr(panel, name, value)
    wait_for(lambda: not panel.is_training)
    panel.train()
    assert first.wait(timeout=20)
    assert panel.is_training
    assert (button(panel, "Train").disabled, button(panel, "Stop").disabled) == (True, False)
    assert plot(panel).words.startswith("Training 2")


def test_a_stop_with_nothing_to_stop_does_not_stop_the_next(make):
    panel = make(**SMALL)
    panel.stop()
    panel.train()
    panel.wait()
    assert panel.results[0].status == "completed"


def test_the_bar_follows(make):
    panel = make(**SMALL, num_epochs=3)
    bar = panel.children[1].children[-1]
    panel.train()
    assert bar.max == 12
    panel.wait()
    assert bar.value == 12


# What ends it


def test_closing_ends_the_training(make):
    panel = make(**LONG)
    panel.train()
    parts = [*panel.children[0].children, *panel.children]
    panel.close()
    panel.close()
    assert panel._worker.ended.wait(timeout=20)
    assert panel.results[0].status == "interrupted"
    assert all(part.comm is None for part in parts)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_an_interrupt_of_what_waits_ends_the_training(make):
    panel = make(**LONG)
    panel.train()
    wait_for(lambda: has_point(panel))
    threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        panel.wait()
    panel.wait()
    assert panel.results[0].status == "interrupted"


def test_an_error_is_shown_and_raised_where_one_waits(make, monkeypatch):
    panel = make(**SMALL)

    def fail(*args, **kwargs):
        raise MemoryError("no room")

    monkeypatch.setattr(worker, "run_experiment", fail)
    panel.train()
    with pytest.raises(MemoryError, match="no room"):
        panel.wait()
    assert plot(panel).words == "Training 1 failed. MemoryError: no room"
    assert plot(panel).is_bad
    assert plot(panel).finished[0]["cells"][0] == "failed"
    monkeypatch.undo()
    panel.train()
    panel.wait()
    assert [result.status for result in panel.results] == ["completed"]
    assert not plot(panel).is_bad


def test_a_worker_reports_the_first_step_and_the_last_and_then_what_came_of_it():
    reports = []
    training = worker.Worker(
        Run(**SMALL),
        DIGITS,
        on_progress=lambda training: reports.append(len(training.losses)),
        on_end=lambda training, outcome: reports.append(outcome.status),
    )
    training.start()
    assert training.ended.wait(timeout=20)
    assert (reports[0], *reports[-2:]) == (1, 4, "completed")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_has_ended_even_if_its_end_cannot_be_told():
    def fail(training, outcome):
        raise OSError("the page is gone")

    training = worker.Worker(Run(**SMALL), DIGITS, on_progress=lambda training: None, on_end=fail)
    training.start()
    assert training.ended.wait(timeout=20)


START = """
import time
from cnnlesson import load_digits
from cnnlesson.widgets import TrainingPanel
panel = TrainingPanel(load_digits("sklearn"))
begun = time.perf_counter()
panel.children[1].children[0].click()
while not panel.children[2].current.get("points"):
    time.sleep(0.005)
print(time.perf_counter() - begun)
"""


def test_the_first_point_takes_less_than_two_seconds_and_python_may_end_meanwhile(tmp_path):
    environment = os.environ | {
        "PYTHONPATH": str(Path(cnnlesson.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout) < 2


# What it says


def test_a_complete_training_in_words_and_in_the_table(make):
    panel = make(**SMALL)
    panel.train()
    panel.wait()
    [result], [curve] = panel.results, plot(panel).finished
    right = f"{100 * result.test_accuracy:.1f}%"
    assert plot(panel).words.startswith(
        f"Training 1 is complete: {right} of 100 test images are right, after "
    )
    assert plot(panel).current == {}
    assert plot(panel).is_news
    assert curve["cells"] == [right, f"{result.train_loss:.3g}", f"{result.seconds:.1f}"]
    assert [x for x, _ in curve["points"]] == [50, 100, 150, 200]
    assert np.mean([y for _, y in curve["points"]]) == pytest.approx(result.train_loss)


@pytest.mark.parametrize(
    ("settings", "entry", "words"),
    [
        ({"lr": 1.0, "momentum": 0.99, "num_epochs": 3}, "diverged", "grew beyond all bounds"),
        ({"lr": 1.0, "pixels": "standardized", "num_epochs": 3}, "dead", "a dead network"),
    ],
)
def test_a_bad_end_in_words(make, settings, entry, words, monkeypatch):
    panel = make(**SMALL, **settings)
    if entry == "diverged":  # beyond the sliders, whose ends kill a network before it diverges
        original = training_panel.Run
        monkeypatch.setattr(training_panel, "Run", lambda **s: original(**{**s, "lr": 1e30}))
    panel.train()
    panel.wait()
    assert panel.results[0].status == entry
    assert words in plot(panel).words
    assert plot(panel).is_bad
    assert plot(panel).finished[0]["cells"][0].startswith(entry)


def test_stopped_after_an_epoch_the_accuracy_is_that_epoch_s(make):
    panel = make(**{**LONG, "num_images": 100})
    panel.train()
    wait_for(lambda: panel.children[1].children[-1].value > 20)
    panel.stop()
    panel.wait()
    result = panel.results[0]
    assert f"After epoch {len(result.test_accuracies)}, " in plot(panel).words
    assert plot(panel).finished[0]["cells"][0] == f"{100 * result.test_accuracy:.1f}%, stopped"


def test_curves_are_named_by_what_differs_and_cleared(make):
    panel = make(**SMALL)
    panel.train()
    panel.wait()
    assert plot(panel).finished[0]["name"] == (
        "α = 0.001, μ = 0.8, batches of 50, raw pixels, shuffled"
    )
    panel.momentum, panel.seed = 0.5, 2
    panel.train()
    panel.wait()
    names = [curve["name"] for curve in plot(panel).finished]
    assert names == ["μ = 0.8, seed 0", "μ = 0.5, seed 2"]
    button(panel, "Clear").click()
    assert panel.results == []
    assert plot(panel).finished == []
    panel.train()
    panel.wait()
    assert plot(panel).finished[0]["number"] == 3


def test_clearing_spares_the_training_under_way(make):
    panel = make(**LONG)
    panel.train()
    wait_for(lambda: has_point(panel))
    panel.clear()
    wait_for(lambda: has_point(panel))
    panel.stop()
    panel.wait()
    assert len(panel.results) == len(plot(panel).finished) == 1


def test_eight_curves_are_shown_and_all_results_kept(make):
    panel = make(num_images=100, num_test_images=1, batch_size=100)
    for _ in range(10):
        panel.train()
        panel.wait()
    assert [curve["number"] for curve in plot(panel).finished] == list(range(3, 11))
    assert len(panel.results) == 10


@pytest.mark.parametrize("num_losses", [0, 1, 7, 200, 201, 1000, 5000])
def test_a_curve_s_points_are_bounded_means_at_the_images_seen(num_losses):
    losses = np.random.default_rng(0).uniform(0.1, 3, num_losses).tolist()
    curve = Curve(1, batch_size=30, num_images=100, num_epochs=2000, losses=losses)
    shown = curve.to_dict()
    assert len(shown["points"]) == len(shown["line"]) <= 200
    assert len(shown["points"]) > 99 or num_losses < 100
    if losses:
        size = 2 ** math.ceil(math.log2(max(1, num_losses / 200)))
        batches = [losses[i : i + size] for i in range(0, num_losses, size)]
        seen = np.cumsum(([30, 30, 30, 10] * num_losses)[:num_losses])
        ends = [min(i + size, num_losses) - 1 for i in range(0, num_losses, size)]
        x, y = np.transpose(shown["points"])
        np.testing.assert_array_equal(x, seen[ends])
        np.testing.assert_allclose(y, [np.mean(batch) for batch in batches])
        for i, (_, height) in enumerate(shown["line"]):
            assert height == pytest.approx(np.median(y[max(0, i - 4) : i + 5]))
    assert shown["end"] == 200_000


# Settings and controls


LABELS = {
    "lr": ("step size α", 0.02),
    "momentum": ("momentum μ", 0.95),
    "batch_size": ("batch size", 128),
    "num_epochs": ("epochs", 4),
    "pixels": ("pixels", "unit"),
    "order": ("order", "sorted"),
    "num_images": ("images", 500),
    "seed": ("seed", 7),
}


@pytest.mark.parametrize("name", LABELS)
def test_a_control_and_its_setting_follow_each_other(make, name):
    panel = make()
    label, value = LABELS[name]
    moved = control(panel, label)
    before = moved.index
    setattr(panel, name, value)
    assert moved.value == value
    assert moved.index != before
    moved.set_state({"index": before})  # as the page does
    assert getattr(panel, name) == moved.value == moved.options[before][1]


@pytest.mark.parametrize(
    ("name", "value"), [("lr", 0.0123), ("momentum", 0.855), ("batch_size", 100)]
)
def test_a_value_between_two_options_is_kept_exactly(make, name, value):
    panel = make(**{name: value})
    moved = control(panel, LABELS[name][0])
    assert getattr(panel, name) == moved.value == value
    values = [option for _, option in moved.options]
    assert values == sorted(values)
    moved.index += 1
    assert getattr(panel, name) == values[values.index(value) + 1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentum": 1.0}, "momentum: expected a number from 0 to 0.99, found 1.0"),
        ({"lr": 0}, "lr: expected a number from 1e-05 to 1, found 0"),
        ({"batch_size": 2.5}, "batch_size: expected a whole number from 1 to 1024, found 2.5"),
        ({"pixels": "grey"}, "pixels: expected one of raw, unit, standardized, found 'grey'"),
        ({"num_images": 1258}, "num_images: expected at most 1257, found 1258"),
        ({"num_images": 99}, "num_images: expected a whole number from 100 to"),
        ({"num_test_images": 541}, "num_test_images: expected at most 540, found 541"),
    ],
)
def test_a_setting_out_of_range_is_named(make, settings, message):
    with pytest.raises(TraitError, match=re.escape(message)):
        make(**settings)
    panel = make()
    before = panel.settings
    [(name, value)] = settings.items()
    with pytest.raises(TraitError, match=re.escape(message)):
        setattr(panel, name, value)
    assert panel.settings == before


def test_an_unknown_setting_is_named(make):
    with pytest.raises(TypeError, match=r"expected settings among lr, .*, found momentun"):
        make(momentun=0.9)


def test_the_defaults_are_those_of_a_run_or_all_there_is(make):
    settings = make().settings
    assert (
        settings.items() <= (asdict(Run()) | {"num_images": 1257, "num_test_images": 540}).items()
    )
    of_a_sweep = {
        "optimizer",
        "schedule",
        "measure_every",
        "measure_training",
        "stretch",
        "split",
        "weight_decay",
        "shift",
        "activation",
    }
    assert set(settings) == set(asdict(Run())) - of_a_sweep


# Without a kernel


def html_of(panel):
    return panel._repr_mimebundle_()["text/html"]


def test_page_view_and_text_are_the_same_in_every_run_and_need_no_training(make):
    one, other = make(momentum=0.5), make(momentum=0.5)
    assert html_of(one) == html_of(other)
    assert repr(one) == repr(other) == one._repr_mimebundle_()["text/plain"]
    assert eval(repr(one), {"TrainingPanel": lambda **s: make(**s)}).settings == one.settings
    assert one.results == []


def test_the_page_view_draws_two_finished_trainings_and_says_where_to_train(make):
    html = html_of(make())
    svg = ElementTree.fromstring(re.search(r"<svg.*</svg>", html)[0])
    assert svg.get("role") == "img"
    assert len(svg.get("aria-label")) > 30
    for path, example in zip(svg.iter("path"), EXAMPLES, strict=True):
        points = np.array(re.findall(r"-?[\d.]+", path.get("d")), dtype=float).reshape(-1, 2)
        np.testing.assert_allclose(points[:, 0], 70 + 560 * np.arange(1, 48) / 47, atol=0.06)
        losses = 10 ** (1 + (110 - points[:, 1]) / 80)
        np.testing.assert_allclose(losses, example.losses, rtol=2e-3)
        assert 25 <= points[:, 1].min() < points[:, 1].max() <= 290
        assert f"{100 * example.test_accuracy:.1f}% of 2,000 test images are right" in html
    assert "open this chapter in Binder or Colab" in html
    assert len(html) < 4000


def test_in_colab_only_the_widget_is_offered(make, monkeypatch):
    panel = make()
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert "text/html" not in panel._repr_mimebundle_()


@pytest.mark.parametrize(("example", "wandering"), list(zip(EXAMPLES, (0.02, 0.3), strict=True)))
def test_an_example_is_what_training_gives(request, example, wandering):
    if not request.config.has_mnist:
        pytest.skip("no MNIST")
    digits, losses = load_digits("mnist"), []
    result = run_experiment(example.run, digits, on_step=lambda h: losses.append(h.batch_loss[-1]))
    # Processors differ in the last bits, and training blows that up, most with much momentum.
    assert result.test_accuracy == pytest.approx(example.test_accuracy, abs=wandering)
    means = np.array(losses).reshape(-1, 4).mean(axis=1)
    np.testing.assert_allclose(means[:3], example.losses[:3], rtol=0.05)

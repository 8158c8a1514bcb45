"""The polynomial fit in a real browser: what is drawn and said is what Python computes."""

import re
from itertools import pairwise

import numpy as np
import pytest
from figure_page import (
    HAND_AND_EYE,
    check_contrast,
    computed,
    seen_in,
    seen_on,
    slider,
    values_on,
    walk_sliders,
)
from playwright.sync_api import expect

from cnnlesson.widgets import PolynomialFit

GOALS = {"num_steps": 0.2, "degree": 0.5, "lr": 0.4, "momentum": 0.9}
FIGURE = PolynomialFit


def shown(page):
    """Return the settings, as Python reads them off the controls."""
    values = values_on(page)
    numbers = {name: float(values[name]) for name in GOALS}
    return {
        **values,
        **numbers,
        "num_steps": round(10 ** numbers["num_steps"]),
        "degree": int(numbers["degree"]),
    }


def check_drawn(page, figure):
    """Compare the curves, the points, the bars, the marks and the words with Python's."""
    on_page = seen_on(page)
    chart, table = on_page["plots"]
    early, tikhonov = figure.early_stopping(), figure.tikhonov()
    places = np.linspace(-1, 1, 81)
    across = np.arange(81) / 80
    for name, curve, is_shown in (
        ("path sum truth", np.sin(np.pi * places), True),
        ("path fit momentum", figure.curve(early, places), figure.shown != "Tikhonov"),
        ("path fit plain", figure.curve(tikhonov, places), figure.shown != "early stopping"),
    ):
        points, pixel = seen_in(chart, name)
        expected = np.column_stack([across, (curve + 2) / 4])[: 81 * is_shown]
        assert points.shape == expected.shape
        np.testing.assert_allclose(points, expected, atol=pixel)
    points, pixel = seen_in(chart, "dots point-cloud")
    expected = np.column_stack([(figure.problem.x + 1) / 2, (figure.problem.y + 2) / 4])
    np.testing.assert_allclose(points, expected, atol=pixel)

    most = 2 if early.max() > 1.2 else 1.2
    count = figure.degree + 1
    heights = 1 - (np.arange(count) + 0.5) / count
    bars, pixel = seen_in(table, "bar")
    if figure.shown == "Tikhonov":
        assert bars.size == 0
    else:
        bars = bars.reshape(count, 2, 2)
        np.testing.assert_allclose(bars[:, 0, 0], 0, atol=pixel)
        np.testing.assert_allclose(bars[:, 1, 0], early / most, atol=pixel)
        np.testing.assert_allclose(bars[..., 1], np.stack([heights] * 2, 1), atol=pixel)
    marks, pixel = seen_in(table, "edge")
    if figure.shown == "early stopping":
        assert marks.size == 0
    else:
        marks = marks.reshape(count, 2, 2)
        np.testing.assert_allclose(marks[..., 0], np.stack([tikhonov / most] * 2, 1), atol=pixel)
        np.testing.assert_allclose(marks.mean(axis=1)[:, 1], heights, atol=pixel)

    own, other = on_page["words"]
    assert f"Early stopping after {figure.num_steps:,} step" in own
    assert f"More than half learned: {np.sum(early > 0.5)} of {count} eigenfeatures." in own
    for card, kept in ((own, early), (other, tikhonov)):
        said = re.search(r"([\d.]+) from the points, ([\d.]+) from the truth\.", card).groups()
        np.testing.assert_allclose([float(part) for part in said], figure.errors(kept), atol=5.1e-4)


def check_shapes(page, figure):
    """Compare the small pictures of the eigenfeatures with Python's polynomials."""
    path = page.locator(".path.feature").get_attribute("d")
    curves = [
        np.array(re.findall(r"-?[\d.]+", part), dtype=float).reshape(81, 2)
        for part in path.split("M")[1:]
    ]
    features = figure.problem.eigenfeatures(np.linspace(-1, 1, 81)).T
    assert len(curves) == len(features)
    room = 330 / len(features)
    for i, (curve, feature) in enumerate(zip(curves, features, strict=True)):
        middle = 30 + (i + 0.5) * room
        expected = middle - 0.4 * room * feature / np.abs(feature).max()
        np.testing.assert_allclose(curve[:, 1], expected, atol=0.051)


@HAND_AND_EYE
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    check_drawn(page, PolynomialFit())

    def check(page, settings):
        check_drawn(page, PolynomialFit(**settings))
        check_shapes(page, PolynomialFit(**settings))

    walk_sliders(page, GOALS, shown, check)


def test_what_is_shown_is_chosen_by_keyboard_too(open_figure):
    page = open_figure()
    choice = page.locator("select[name=shown]")
    choice.focus()
    for expected in ("early stopping", "Tikhonov"):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(choice).to_have_value(expected)
        check_drawn(page, PolynomialFit(shown=expected))


def test_the_buttons_and_the_words(open_figure):
    page = open_figure(settings={"num_steps": 100_000, "degree": 6})
    figure = PolynomialFit(num_steps=100_000, degree=6)
    check_drawn(page, figure)
    page.get_by_role("button", name="Stop when nearest to the truth").click()
    stopped = shown(page)
    errors = {}
    for num_steps in sorted({round(10 ** (i / 20)) for i in range(101)}):
        figure.num_steps = num_steps
        errors[num_steps] = figure.errors(figure.early_stopping())[1]
    figure.num_steps = min(errors, key=errors.get)
    assert stopped["num_steps"] == pytest.approx(figure.num_steps, rel=0.06)
    check_drawn(page, figure)
    expect(page.get_by_role("status").first).to_contain_text("Early stopping after")
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, PolynomialFit())


# Which numbers of steps are told, until the last one is.
COURSE = """() => new Promise((done) => {
    const seen = [];
    const look = () => {
        const now = Number(document.querySelector(".player output").innerText.replaceAll(",", ""));
        if (now !== seen.at(-1)) seen.push(now);
        if (now < 100000) requestAnimationFrame(look);
        else done(seen);
    };
    requestAnimationFrame(look);
})"""


def test_the_steps_are_played_as_many_for_each_power_of_ten(open_figure):
    page = open_figure(settings={"num_steps": 100_000})
    play = page.locator(".player button")
    play.press("Enter")  # from the end it begins again
    expect(play).to_have_text("Pause")
    seen = page.evaluate(COURSE)
    expect(play).to_have_text("Play")
    assert {2, 3, 4} < set(seen)  # the steep features are in within a few steps
    # Four places at most in a frame, however late it is; a number of steps is a whole one.
    for before, after in pairwise(seen):
        assert before < after <= 10**0.08 * before + 1
    check_drawn(page, PolynomialFit(num_steps=100_000))


def test_who_stops_where_it_is_nearest_stands_still(open_figure):
    page = open_figure(settings={"num_steps": 1})
    play = page.locator(".player button")
    play.press("Enter")
    page.get_by_role("button", name="Stop when nearest to the truth").click()
    expect(play).to_have_text("Play")
    num_steps = int(page.locator(".player output").inner_text())
    check_drawn(page, PolynomialFit(num_steps=num_steps))
    play.press("Enter")
    slider(page, "num_steps").press("Home")
    expect(play).to_have_text("Play")
    check_drawn(page, PolynomialFit(num_steps=1))
    play.press("Enter")
    page.get_by_role("button", name="Reset").click()
    expect(play).to_have_text("Play")
    check_drawn(page, PolynomialFit())


def test_without_motion_to_the_next_number_of_steps(open_figure):
    page = open_figure(reduced_motion="reduce", settings={"num_steps": 1})
    for num_steps in (2, 3, 4):
        page.get_by_role("button", name="Next step").click()
        check_drawn(page, PolynomialFit(num_steps=num_steps))
    slider(page, "num_steps").press("End")
    page.get_by_role("button", name="Next step").click()
    check_drawn(page, PolynomialFit(num_steps=1))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out(open_figure, theme):
    page = open_figure(theme=theme, settings={"degree": 4})

    check_contrast(
        page,
        (
            ".truth",
            ".fit.momentum",
            ".fit.plain",
            ".point-cloud",
            ".bar",
            ".edge",
            ".mode",
            ".feature",
        ),
        (".readouts span", ".readouts b"),
    )


def test_javascript_computes_what_python_computes(open_page):
    random = np.random.default_rng(0)
    figures = [
        PolynomialFit(
            degree=random.integers(2, 8),
            num_steps=int(10 ** random.uniform(0, 5)),
            lr=random.uniform(0.01, 1),
            momentum=random.choice([0, random.uniform(0, 0.99)]),
        )
        for _ in range(100)
    ]
    results = computed(open_page("about:blank").page, figures)
    places = np.linspace(-1, 1, 81)
    for figure, result in zip(figures, results, strict=True):
        for name, kept in (
            ("early", figure.early_stopping()),
            ("tikhonov", figure.tikhonov()),
        ):
            found, problem = result[name], figure.problem
            np.testing.assert_allclose(found["kept"], kept, atol=1e-9)
            np.testing.assert_allclose(found["weights"], problem.weights(kept), atol=1e-9)
            np.testing.assert_allclose(found["curve"], figure.curve(kept, places), atol=1e-9)
            assert found["errors"] == pytest.approx(figure.errors(kept), abs=1e-9)
        features = figure.problem.eigenfeatures(places)
        np.testing.assert_allclose(np.transpose(result["features"]), features, atol=1e-9)
        assert result["penalty"] == pytest.approx(figure.penalty, rel=1e-12)

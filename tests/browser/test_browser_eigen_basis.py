"""The change of basis in a real browser: what is drawn and said is what Python computes."""

import re

import numpy as np
import pytest
from figure_page import (
    HAND_AND_EYE,
    check_contrast,
    computed,
    drag,
    seen_in,
    seen_on,
    slider,
    values_on,
    walk_sliders,
    written_rate,
)
from playwright.sync_api import expect

from cnnlesson import optimal_momentum, spectral_radius
from cnnlesson.widgets import EigenBasis

GOALS = {"angle": 0.2, "lr": 0.6, "momentum": 0.4, "condition_number": 0.9, "num_steps": 0.5}
FIGURE = EigenBasis


def shown(page):
    """Return the settings, as Python reads them off the sliders."""
    values = {name: float(value) for name, value in values_on(page).items()}
    values["condition_number"] = float(f"{10 ** values['condition_number']:.3g}")
    return {**values, "num_steps": int(values["num_steps"])}


def seen(points):
    """Return the rows up to the first that is far outside."""
    far = np.flatnonzero(np.abs(points).reshape(len(points), -1).max(axis=1) >= 28)
    return points[: far[0] + 1 if far.size else None]


def check_drawn(page, figure):
    """Compare the path, the components, the eigenvectors and the words with Python's."""
    on_page = seen_on(page)
    map_, *charts = on_page["plots"]
    path, parts = figure.path().w, figure.components()
    whole = EigenBasis(**{**figure.settings, "num_steps": 60})
    for name, expected in (("path total", path), ("path rest", whole.path().w)):
        points, pixel = seen_in(map_, name)
        expected = (seen(expected) + 7) / 14
        assert points.shape == expected.shape
        np.testing.assert_allclose(points, expected, atol=pixel, rtol=1e-6)
    ends = parts[-1].clip(-99, 99)  # far outside, only the side matters
    for i, hue in enumerate(("first", "second")):
        direction = figure.eigenvectors[:, i]
        leg, pixel = seen_in(map_, f"along leg {hue}")
        expected = np.array([[0, 0], ends[i] * direction])
        np.testing.assert_allclose(leg, (expected + 7) / 14, atol=pixel, rtol=1e-6)
        axis, pixel = seen_in(map_, f"along axis {hue}")
        expected = np.array([-10 * direction, 10 * direction])
        np.testing.assert_allclose(axis, (expected + 7) / 14, atol=pixel)
        for name, component in (
            (f"along {hue}", parts[:, i]),
            ("path rest", whole.components()[:, i]),
        ):
            points, pixel = seen_in(charts[i], name)
            values = seen(component)
            expected = np.column_stack([np.arange(len(values)) / 60, (values + 7) / 14])
            assert points.shape == expected.shape
            np.testing.assert_allclose(points, expected, atol=pixel, rtol=1e-6)
        bar, pixel = seen_in(charts[i], f"along leg {hue}")
        expected = [[figure.num_steps / 60, (end + 7) / 14] for end in (0, ends[i])]
        np.testing.assert_allclose(bar, expected, atol=pixel, rtol=1e-6)
    x, y, width, height = map_["box"]
    place = page.locator(".point").get_attribute("transform")
    at = np.array([float(n) for n in re.findall(r"-?[\d.]+", place)])
    at = [(at[0] - x) / width * 14 - 7, 7 - (at[1] - y) / height * 14]
    np.testing.assert_allclose(at, path[0], atol=1e-9)
    radii = [float(page.locator("ellipse").first.get_attribute(r)) for r in ("rx", "ry")]
    expected = np.sqrt(200 / figure.curvatures) * width / 14
    np.testing.assert_allclose(radii, expected, rtol=1e-9)

    words = on_page["words"]
    values = [*parts[-1], *path[-1]]
    if np.abs(values).max() < 999:
        said = [re.search(r"→ (\S+)", text)[1] for text in words[:2]]
        said += re.findall(r"[−\d.]+(?=[,)])", words[2])
        said = [float(text.replace("−", "-")) for text in said]
        np.testing.assert_allclose(said, values, atol=0.00501)
    for text, curvature in zip(words[:2], figure.curvatures, strict=True):
        rate = spectral_radius(curvature, figure.lr, figure.momentum)
        assert f"{written_rate(rate)} " in text
        assert ("diverges" in text) == (rate > 1 + 1e-9)


@HAND_AND_EYE
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    check_drawn(page, EigenBasis())
    walk_sliders(page, GOALS, shown, lambda page, now: check_drawn(page, EigenBasis(**now)))


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_the_start_by_mouse_and_keyboard(open_figure, width, theme):
    page = open_figure(width, theme, settings={"angle": 90, "num_steps": 20})
    point = page.locator(".point")
    point.scroll_into_view_if_needed()
    svg = page.locator(".plot").first.locator(".inside")
    unit = float(svg.get_attribute("width")) / 14
    box = point.locator(".hit").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, (x + 4, y - 3), (x + 4 + 4 * unit, y - 3 - 8 * unit))
    # At 90° the first eigenvector points up and the second to the left.
    check_drawn(page, EigenBasis(angle=90, num_steps=20, start=(3, -1.5)))
    expect(point).to_be_focused()
    point.press("ArrowUp")
    point.press("Shift+ArrowLeft")
    figure = EigenBasis(angle=90, num_steps=20, start=(3.1, -0.5))
    check_drawn(page, figure)
    assert point.get_attribute("aria-label") == "Start at w₁ = 0.50, w₂ = 3.10"
    for _ in range(4):
        point.press("Shift+ArrowUp")
    check_drawn(page, EigenBasis(angle=90, num_steps=20, start=(6, -0.5)))


def test_turning_the_bowl_leaves_the_components_as_they_are(open_figure):
    page = open_figure(settings={"num_steps": 20})
    before = seen_on(page)
    slider(page, "angle").press("Home")
    after = seen_on(page)
    assert before["plots"][1:] == after["plots"][1:]
    assert before["words"][:2] == after["words"][:2]
    assert before["words"][2] != after["words"][2]
    paths = [seen_in(found["plots"][0], "path total")[0] for found in (before, after)]
    assert np.abs(paths[0] - paths[1]).max() > 0.2
    expect(page.get_by_role("status").first).to_contain_text("Along q₁, flat: −5.00 →")


def test_the_buttons_and_the_address(open_figure):
    page = open_figure(settings={"condition_number": 50, "start": "2_-1"})
    page.get_by_role("button", name="Best α and μ").click()
    lr, momentum, _ = optimal_momentum(1 / 50, 1)
    best = EigenBasis(lr=lr, momentum=momentum, condition_number=50, start=(2, -1))
    check_drawn(page, best)
    page.wait_for_function("() => location.search.includes('momentum')")
    again = open_figure(
        settings={
            "condition_number": 50,
            "start": "2_-1",
            "lr": best.lr,
            "momentum": best.momentum,
            "angle": -7,
        }
    )
    best.angle = -7
    check_drawn(again, best)
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, EigenBasis())


def test_the_steps_are_played(open_figure):
    page = open_figure(settings={"num_steps": 58, "angle": 80})
    play = page.locator(".player button")
    steps = slider(page, "num_steps")
    play.press("Enter")
    expect(steps).to_have_value("60")
    expect(play).to_have_text("Play")  # at the end it rests
    check_drawn(page, EigenBasis(num_steps=60, angle=80))
    play.press("Enter")  # and begins again
    page.wait_for_function(
        "() => { const { value } = document.querySelector('[name=num_steps]');"
        " return value > 2 && value < 50; }"
    )
    play.press("Enter")
    expect(play).to_have_text("Play")
    check_drawn(page, EigenBasis(num_steps=shown(page)["num_steps"], angle=80))
    play.press("Enter")
    page.get_by_role("button", name="Reset").click()
    expect(play).to_have_text("Play")
    check_drawn(page, EigenBasis())


def test_without_motion_a_step_at_a_time(open_figure):
    page = open_figure(reduced_motion="reduce", settings={"num_steps": 59})
    for num_steps in (60, 1, 2):
        page.get_by_role("button", name="Next step").click()
        check_drawn(page, EigenBasis(num_steps=num_steps))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out(open_figure, theme):
    page = open_figure(theme=theme, settings={"lr": 4})

    check_contrast(
        page,
        (".axis.first", ".axis.second", ".path.total", ".plot .path.rest"),
        (".bad", ".readouts span", ".readouts b"),
    )


@pytest.mark.parametrize("angle", [-90, 0, 45, 90])
def test_the_names_of_the_axes_are_whole(open_figure, angle):
    page = open_figure(settings={"angle": angle})
    plot = page.locator(".plot").first
    box = plot.locator(".axes rect").bounding_box()
    for name in plot.locator(".inside text").all():
        text = name.bounding_box()
        assert box["x"] <= text["x"]
        assert text["x"] + text["width"] <= box["x"] + box["width"] + 1
        assert box["y"] - 1 <= text["y"]


def test_javascript_computes_what_python_computes(open_page):
    random = np.random.default_rng(0)
    figures = [
        EigenBasis(
            angle=random.uniform(-90, 90),
            lr=random.uniform(0.01, 4),
            momentum=random.uniform(0, 0.99),
            condition_number=10 ** random.uniform(0, 2),
            num_steps=random.integers(1, 61),
            start=random.uniform([-6, -3], [6, 3]),
        )
        for _ in range(100)
    ]
    results = computed(open_page("about:blank").page, figures)
    for figure, result in zip(figures, results, strict=True):
        for found, expected in (
            (result["path"], figure.path().w),
            (np.transpose(result["components"]), figure.components()),
        ):
            size = max(1, np.abs(expected).max())
            np.testing.assert_allclose(found, expected, atol=1e-9 * size)
        rates = [spectral_radius(c, figure.lr, figure.momentum) for c in figure.curvatures]
        np.testing.assert_allclose(result["rates"], rates, rtol=1e-7)
        np.testing.assert_allclose(np.transpose(result["axes"]), figure.eigenvectors, atol=1e-15)
        lr, momentum, _ = optimal_momentum(*figure.curvatures)
        assert result["optimum"] == pytest.approx({"lr": lr, "momentum": momentum}, rel=1e-9)

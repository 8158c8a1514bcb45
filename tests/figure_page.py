"""What the browser tests of the figures share: hands for a page, and eyes for what is drawn on it.

A test module names its class, ``FIGURE = StabilityMap``, and takes the fixture ``open_figure``.
"""

import json
import math
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

HAND_AND_EYE = pytest.mark.parametrize(
    ("width", "theme", "host"),
    [
        (1280, "light", "server"),
        (390, "dark", "server"),
        (1280, "dark", "file"),
        (390, "light", "file"),
    ],
)
LUMINANCE = """(element, property) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = getComputedStyle(element)[property];
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) =>
        c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


def frames(page: Page) -> None:
    """Let what was asked for be painted."""
    page.evaluate("() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))")


def slider(page: Page, name: str) -> Locator:
    """Return the slider of a setting or of a number of the view; the page's first such."""
    return page.locator(f"input:is([name={name}], [data-name={name}])").first


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def drag_slider(page: Page, name: str, to: float) -> None:
    """Drag a slider's thumb to a fraction of its track."""
    slider(page, name).scroll_into_view_if_needed()
    box = slider(page, name).bounding_box()
    now = slider(page, name).evaluate("(e) => (e.value - e.min) / (e.max - e.min)")
    start, end = (box["x"] + 10 + part * (box["width"] - 20) for part in (now, to))
    y = box["y"] + box["height"] / 2
    drag(page, (start, y), (end, y))


def swipe(page: Page, *places: tuple[float, float]) -> None:
    """Move a finger from place to place."""
    session = page.context.new_cdp_session(page)
    for i, (x, y) in enumerate(places):
        kind, touch = "touchMove" if i else "touchStart", [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touch})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    frames(page)


def swipe_by(page: Page, start: tuple[float, float], by: tuple[float, float]) -> None:
    """Move a finger along a straight line."""
    (x, y), (dx, dy) = start, by
    swipe(page, *((x + part * dx, y + part * dy) for part in (0, 0.25, 0.5, 0.75, 1)))


def middle_of(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def inside_of(page: Page, plot: int) -> tuple[Locator, list[float]]:
    """Return what a plot's curves are drawn in, and its x, y, width and height."""
    svg = page.locator(".plot").nth(plot).locator(".inside")
    return svg, [float(svg.get_attribute(name)) for name in ("x", "y", "width", "height")]


def points_of(path: str, box: list[float]) -> NDArray:
    """Return the points of a path, as fractions of its plot from the left and from the bottom."""
    assert "NaN" not in path
    assert "Infinity" not in path
    points = np.array(re.findall(r"-?[\d.]+", path), dtype=float).reshape(-1, 2)
    points = (points - box[:2]) / box[2:]
    return np.column_stack([points[:, 0], 1 - points[:, 1]])


def drawn(page: Page, plot: int, selector: str) -> tuple[NDArray, float]:
    """Return the points of a path in a plot, as `points_of`, and how finely they are rounded."""
    svg, box = inside_of(page, plot)
    path = svg.locator(selector).get_attribute("d")
    return points_of(path, box), 0.011 / min(box[2:])


def seen_on(page: Page) -> dict:
    """Let what was asked for be painted, and return every path of every plot, and the words."""
    return page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
            const plots = [...document.querySelectorAll(".plot")].map((plot) => {
                const inside = plot.querySelector(".inside");
                const box = ["x", "y", "width", "height"].map((a) => +inside.getAttribute(a));
                const paths = [...inside.querySelectorAll("path")].map((path) =>
                    [path.getAttribute("class"), path.getAttribute("d")]);
                return { box, paths: Object.fromEntries(paths) };
            });
            const words = [...document.querySelectorAll(".readouts p")].map((p) => p.innerText);
            done({ plots, words });
        })))"""
    )


def seen_in(plot: dict, name: str) -> tuple[NDArray, float]:
    """Return the points of a path in a plot of `seen_on`, as `drawn` does."""
    box, path = plot["box"], plot["paths"][name].replace("h0", "")
    return points_of(path, box), 0.011 / min(box[2:])


def set_within_a_frame(page: Page, name: str, value: float) -> None:
    """Move a slider and wait for one frame, no longer."""
    slider(page, name).evaluate(
        """(input, value) => new Promise((painted) => {
            input.value = value;
            input.dispatchEvent(new Event("input"));
            requestAnimationFrame(painted);
        })""",
        value,
    )


def check_accessible(page: Page) -> None:
    """Check by axe-core, and that nothing makes the page wider than the screen."""
    # Without preloading: to look for media queries axe would fetch the page's stylesheets again.
    options = {"resultTypes": ["violations"], "preload": False}
    results = Axe().run(page, context=".cnnlesson-figure", options=options)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def check_targets(targets: Locator, count: int) -> None:
    """Check that a finger hits each of so many elements."""
    assert targets.count() == count
    for target in targets.all():
        box = target.bounding_box()
        assert round(min(box["width"], box["height"]), 3) >= 44, target


def written_rate(rate: float) -> str:
    """Return a rate as figures write it: with three decimals, close to 1 with more."""
    gap = abs(1 - rate)
    decimals = 3 if gap < 1e-9 else max(3, math.ceil(-math.log10(gap) - 1e-9))
    return f"ρ = {rate:.{decimals}f}"


def luminance(locator: Locator, style: str) -> float:
    """Return the relative luminance of a colour in an element's computed style."""
    return locator.evaluate(LUMINANCE, style)


def contrast(one: float, other: float) -> float:
    """Return the contrast ratio of two luminances, as WCAG defines it."""
    darker, lighter = sorted([one, other])
    return (lighter + 0.05) / (darker + 0.05)


def check_contrast(page: Page, stroked: tuple[str, ...], written: tuple[str, ...]) -> None:
    """Check that strokes and words stand out from the paper, as WCAG AA asks."""
    paper = luminance(page.locator(".is-live button").first, "backgroundColor")
    for selectors, style, least in ((stroked, "stroke", 3), (written, "color", 4.5)):
        for selector in selectors:
            found = luminance(page.locator(selector).first, style)
            assert contrast(found, paper) >= least, selector


def check_sliders(page: Page, names: tuple[str, ...]) -> None:
    """Check that each slider tells its value, and that the focus on a slider is seen."""
    for name in names:
        assert slider(page, name).get_attribute("aria-valuetext")
    slider(page, names[0]).focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def computed(page: Page, figures: list) -> list[dict]:
    """Return what the figures' JavaScript computes from their settings."""
    results = page.evaluate(
        """async ([source, states]) => {
            const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { compute } = await import(address);
            return JSON.stringify(states.map((state) => compute(state)));
        }""",
        [figures[0]._esm, [{**figure.settings, **figure.data()} for figure in figures]],
    )
    return json.loads(results, parse_int=float)

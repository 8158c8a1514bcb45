"""What the browser tests of the figures share: hands for a page, and eyes for what is drawn on it.

A test module names its class, ``FIGURE = StabilityMap``, and takes the fixture ``open_figure``.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

# Each of two widths, themes and ways to reach a page, in pairs.
HANDS_AND_EYES = [(1280, "light", "server"), (390, "dark", "file")]
HAND_AND_EYE = pytest.mark.parametrize(("width", "theme", "host"), HANDS_AND_EYES)
# Contrast is a matter of style. Of all words with the same tag, class, colour and size on the same
# ground axe-core needs to see one, on whatever page: there are thousands, and it takes milliseconds
# for each.
FIRST_OF_THEIR_KIND = """(known) => {
    const grounds = new Map(), seen = new Set(known), found = [];
    for (const element of document.querySelectorAll("*")) {
        const style = getComputedStyle(element);
        const paint = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter,
            style.position].join();
        const below = grounds.get(element.parentElement) ?? "";
        const ground = paint === "rgba(0, 0, 0, 0),none,1,none,static" ? below : below + paint;
        grounds.set(element, ground);
        element.removeAttribute("data-first-of-its-kind");
        const isRead = element.matches("input, select, textarea") ||
            [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!isRead || !element.checkVisibility()) continue;
        const kind = [ground, element.tagName, element.getAttribute("class"), style.color,
            style.fontSize, style.fontWeight].join("|");
        if (seen.has(kind)) continue;
        seen.add(kind);
        found.push(kind);
        element.setAttribute("data-first-of-its-kind", "");
    }
    return found;
}"""
KINDS_SEEN: set[str] = set()
CONTRAST_BY_KIND = Axe(
    Axe().axe_script
    + """; axe.configure({ rules: [
        { id: "color-contrast", selector: "[data-first-of-its-kind]" }] });"""
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


def come_back(page: Page) -> None:
    """Reload a page, as a reader who comes back.

    Of a page that is a file, Chromium forgets now and then what was kept shortly before it is
    reloaded, and for good: a plain page shows it, one from a server never did. What the page had
    kept is then put back where it was.
    """
    kept = page.evaluate("({ ...localStorage })")
    page.reload()
    for _ in range(20):
        if not page.url.startswith("file:") or page.evaluate("({ ...localStorage })") == kept:
            break
        page.evaluate("(kept) => Object.assign(localStorage, kept)", kept)
        page.reload()


def slider(page: Page, name: str) -> Locator:
    """Return the slider of a setting or of a number of the view; the page's first such."""
    return page.locator(f"input:is([name={name}], [data-name={name}])").first


def open_menu(page: Page) -> Locator:
    """Open the menu at the foot of the page's last figure, and return it, once it is filled."""
    menu = page.locator(".share-menu").last
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.get_by_role("button").first.wait_for()
    return menu


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
    """Return the points of the path with this class, be it dense or not, as `drawn` does."""
    [path] = [d for found, d in plot["paths"].items() if found.removesuffix(" dense") == name]
    return points_of(path.replace("h0", ""), plot["box"]), 0.011 / min(plot["box"][2:])


def go_to(page: Page, settings: Mapping[str, object], module: str) -> None:
    """Have the figure show what an address says, as if the reader went back to it."""
    query = urlencode({f"{module}.{name}": value for name, value in settings.items()})
    page.evaluate(
        """(query) => {
            history.pushState(null, "", `?${query}`);
            dispatchEvent(new PopStateEvent("popstate"));
        }""",
        query,
    )


def values_on(page: Page) -> dict[str, str]:
    """Return what the controls of the page's first figure hold, by the names of their settings."""
    return page.locator(".is-live").first.evaluate(
        "(root) => Object.fromEntries([...root.querySelectorAll('[name]')].map("
        "({ name, value }) => [name, value]))"
    )


def walk_sliders(
    page: Page,
    goals: Mapping[str, float],
    shown: Callable[[Page], dict],
    check_drawn: Callable[[Page, dict], None],
) -> None:
    """Move sliders by mouse, by an arrow key and to an end: each moves its own setting alone.

    Parameters
    ----------
    page : Page
        A page with the figure.
    goals : dict of str to float
        To what fraction of its track each slider is dragged.
    shown : callable
        Returns the settings as they are read off the page.
    check_drawn : callable
        Compares what is drawn with what Python computes for these settings.
    """
    end = "End" if page.viewport_size["width"] > 500 else "Home"
    for name, goal in goals.items():
        control, position, before = slider(page, name), values_on(page)[name], shown(page)
        drag_slider(page, name, goal)
        after = shown(page)
        assert [key for key in after if after[key] != before[key]] == [name]
        low, high, step = (float(control.get_attribute(key)) for key in ("min", "max", "step"))
        dragged = float(control.input_value())
        assert dragged == pytest.approx(low + goal * (high - low), abs=0.02 * (high - low) + step)
        check_drawn(page, after)
        control.press("ArrowLeft")
        assert float(control.input_value()) < dragged
        check_drawn(page, shown(page))
        control.press(end)
        assert float(control.input_value()) == pytest.approx(high if end == "End" else low)
        check_drawn(page, shown(page))
        control.fill(position)


def check_within(page: Page) -> None:
    """Check that nothing makes the page wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def check_rules(page: Page, axe: Axe, context: str | None = None, **rules: object) -> None:
    """Check a part of the page, or all of it, by axe-core, with its own rules or the named ones."""
    # Without preloading: to look for media queries axe would fetch the page's stylesheets again.
    options = {"resultTypes": ["violations"], "preload": False, **rules}
    violations = axe.run(page, context=context, options=options).response["violations"]
    assert [(v["id"], [node["target"] for node in v["nodes"]]) for v in violations] == []


def check_by_kind(page: Page, context: str | None = None) -> None:
    """Check by axe-core, the contrast of one word of each kind that was on no page before."""
    mark_new_kinds(page)
    check_rules(page, CONTRAST_BY_KIND, context)


def check_colours(page: Page) -> None:
    """Check only the contrast, as `check_by_kind` does."""
    if mark_new_kinds(page):
        check_rules(page, CONTRAST_BY_KIND, runOnly={"type": "rule", "values": ["color-contrast"]})


def mark_new_kinds(page: Page) -> list[str]:
    found = page.evaluate(FIRST_OF_THEIR_KIND, list(KINDS_SEEN))
    KINDS_SEEN.update(found)
    assert len(KINDS_SEEN) > 10
    return found


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


def computed(page: Page, figures: list) -> list[dict]:
    """Return what the figures' JavaScript computes from their settings."""
    states = [{**figure.settings, **figure.data()} for figure in figures]
    results = import_on(
        page,
        figures[0]._esm,
        "({ compute }, states) => JSON.stringify(states.map((state) => compute(state)))",
        states,
    )
    return json.loads(results, parse_int=float)


def import_on(page: Page, source: str, use: str, argument: object = None) -> object:
    """Return what ``use(module, argument)`` returns for a module of this source.

    An empty page imports it: those of the book have a policy against that.
    """
    is_empty = page.url == "about:blank"
    empty = page if is_empty else page.context.new_page()
    result = empty.evaluate(
        f"""async ([source, argument]) => {{
            const address = URL.createObjectURL(new Blob([source], {{ type: "text/javascript" }}));
            return ({use})(await import(address), argument);
        }}""",
        [source, argument],
    )
    if not is_empty:
        empty.close()
    return result

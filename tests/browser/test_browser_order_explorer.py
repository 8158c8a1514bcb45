"""The explorer of class order in a real browser: what is drawn and said is what was measured."""

import re

import numpy as np
import pytest
from figure_page import (
    check_contrast,
    computed,
    drag_slider,
    drawn,
    frames,
    inside_of,
    points_of,
    slider,
)
from playwright.sync_api import expect
from test_order_explorer import AXES, made_up, made_up_runs

from cnnlesson.widgets import OrderExplorer

RESULTS = made_up_runs()
START = {"order": "sorted", "pixels": "unit", "momentum": 0.8, "seed": 1, "step": 40}


def explorer(**settings):
    return OrderExplorer(RESULTS, **START | settings)


def at_once():
    return OrderExplorer([made_up(0, status="diverged")])


FIGURE = explorer
FIGURE_PAGES = {"alone": [at_once]}


def check_words(page, figure):
    """Compare the sentences, and the shares beside the colours, with Python's."""
    _, said = figure.summary().split(", seed ")
    words = re.sub(r"^\d+: ", "", said)
    shown = " ".join(page.locator(f".order-{name}").inner_text() for name in ("verdict", "ending"))
    assert shown.strip() == words[0].upper() + words[1:]
    shares = [f"{share}%" for share in figure.moment.shares] if figure.moment else ["–"] * 10
    assert page.locator(".order-explorer li span").all_inner_texts() == shares


def check_drawn(page, **settings):
    """Compare everything that is drawn and said with these settings' run."""
    frames(page)
    figure = explorer(**settings)
    check_words(page, figure)
    run, table = figure.result.run, figure.data()["runs"]
    part = run.measure_every / run.num_steps
    times = part * np.arange(1, len(figure.result.answers) + 1)
    losses = np.log(np.maximum(figure.result.losses_between, 1e-4) / table["low"])
    for plot, heights in (
        (0, losses / np.log(table["high"] / table["low"])),
        (1, figure.result.accuracy_curve),
    ):
        points, pixel = drawn(page, plot, ".path.momentum")
        np.testing.assert_allclose(points, np.column_stack([times, heights]), atol=pixel + 2e-3)
        svg, box = inside_of(page, plot)
        dot = points_of(svg.locator(".dots").get_attribute("d").removesuffix("h0"), box)
        assert dot[0, 0] == pytest.approx(figure.moment.step / run.num_steps, abs=pixel)
    svg, (left, top, width, height) = inside_of(page, 2)
    bottoms = np.ones(len(times))
    for digit in range(10):
        d = svg.locator(".answer").nth(digit).get_attribute("d")
        seen = np.array(re.findall(r"-?[\d.]+", d), dtype=float).reshape(-1, 5)
        shares = np.array([counts[digit] for counts in figure.result.answers]) / 500
        has_box = np.round(100 * shares) > 0
        np.testing.assert_allclose(
            seen[:, 0] - left + part * width / 2, width * times[has_box], atol=0.02
        )
        np.testing.assert_allclose(seen[:, 2], part * width, atol=0.0051)
        tops = bottoms - np.round(100 * shares) / 100
        np.testing.assert_allclose((seen[:, 1] - top) / height, tops[has_box], atol=0.05)
        np.testing.assert_allclose(seen[:, 3] / height, shares[has_box], atol=0.05)
        bottoms = tops
    for plot in range(3):
        path = inside_of(page, plot)[0].locator(".edge").get_attribute("d")
        x = float(re.match(r"M([\d.]+),", path)[1])
        assert (x - left) / width == pytest.approx(figure.moment.step / run.num_steps, abs=1e-9)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_control_by_mouse_and_by_keyboard(open_figure, width, theme):
    page = open_figure(width, theme)
    check_drawn(page)
    steps = explorer().result.run.measure_every * np.arange(1, 1 + len(explorer().result.answers))
    drag_slider(page, "step", 1)
    check_drawn(page, step=int(steps[-1]))
    slider(page, "step").press("ArrowLeft")
    check_drawn(page, step=int(steps[-2]))
    drag_slider(page, "seed", 1)
    check_drawn(page, seed=4, step=int(steps[-2]))
    slider(page, "momentum").press("ArrowRight")
    check_drawn(page, momentum=0.9, seed=4, step=int(steps[-2]))
    slider(page, "momentum").press("Home")  # where there is seed 0 alone
    check_drawn(page, momentum=0.0, seed=0, step=int(steps[-2]))
    assert slider(page, "seed").get_attribute("max") == "0"
    page.get_by_role("button", name="Reset").click()
    check_drawn(page)


def test_what_was_not_measured_cannot_be_chosen(open_figure):
    page = open_figure()
    pixels = page.locator("select[name=pixels]")
    disabled = "(all) => all.filter((e) => e.disabled).map((e) => e.value)"
    assert pixels.locator("option").evaluate_all(disabled) == ["standardized"]
    page.locator("select[name=order]").select_option("file")
    check_drawn(page, order="file", pixels="standardized", momentum=0.8, seed=0)
    assert pixels.locator("option").evaluate_all(disabled) == ["raw", "unit"]
    assert [slider(page, name).get_attribute("max") for name in ("momentum", "seed")] == ["0"] * 2
    page.locator("select[name=order]").select_option("sorted")
    page.locator("select[name=pixels]").select_option("raw")
    check_drawn(page, pixels="raw", momentum=0.9, seed=1)


def test_what_an_address_asks_for_may_not_be_measured(open_figure):
    page = open_figure(tail="?order_explorer.order=file&order_explorer.momentum=0.5")
    expect(page.locator(".order-verdict")).to_have_text("No such run was made.")
    expect(slider(page, "step")).to_be_hidden()
    assert "NaN" not in page.locator(".is-live").inner_html()
    page.locator("select[name=pixels]").select_option("standardized")
    check_drawn(page, order="file", pixels="standardized", momentum=0.8, seed=0)


def test_a_mouse_asks_and_a_tap_chooses(open_figure):
    page = open_figure()
    last = explorer().result.run.num_steps
    for plot in range(3):
        svg = page.locator(".plot").nth(plot)
        svg.scroll_into_view_if_needed()
        box, (left, top, width, _) = svg.bounding_box(), inside_of(page, plot)[1]
        at = [box["x"] + left + 0.7 * width, box["y"] + top + 20]
        page.mouse.move(*at)
        check_drawn(page, step=round(0.7 * last))
        page.mouse.move(box["x"] - 20, at[1])
        check_drawn(page)
        page.mouse.move(*at)
        page.mouse.down()
        page.mouse.up()
        page.mouse.move(box["x"] - 20, at[1])
        check_drawn(page, step=round(0.7 * last))
        page.get_by_role("button", name="Reset").click()


def test_a_finger_taps(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    box, (left, top, width, _) = page.locator(".plot").nth(2).bounding_box(), inside_of(page, 2)[1]
    page.touchscreen.tap(box["x"] + left + 0.31 * width, box["y"] + top + 20)
    step = round(0.31 * explorer().result.run.num_steps)
    check_drawn(page, step=step)
    expect(page.get_by_role("status").first).to_contain_text(
        f"accuracy {explorer(step=step).moment.accuracy:.3f}"
    )


def test_a_run_that_diverged_at_once_has_no_moment(book, open_page):
    visit = open_page(f"{book.as_uri()}/alone.html")
    expect(visit.page.locator(".order-verdict")).to_have_text(
        "It diverged before anything was measured."
    )
    assert visit.page.locator("input[type=range]:visible, select:visible").count() == 0
    paths = visit.page.locator("path").evaluate_all("(all) => all.map((e) => e.getAttribute('d'))")
    assert not re.search("NaN|Infinity|undefined", "".join(filter(None, paths)))
    assert visit.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out(open_figure, theme):
    page = open_figure(theme=theme)
    check_contrast(page, (".path.momentum", ".rest", ".edge"), (".order-verdict", ".order-ending"))


def test_javascript_unpacks_what_python_measured(open_page):
    page = open_page("about:blank").page
    random = np.random.default_rng(0)
    settings = [{name: getattr(result.run, name) for name in AXES} for result in RESULTS]
    figures = [explorer(**one, step=int(random.integers(1, 101))) for one in settings]
    for figure, result in zip(figures, computed(page, figures), strict=True):
        moment = result["moment"]
        assert moment["shares"] == list(figure.moment.shares)
        assert (moment["step"], moment["loss"]) == (figure.moment.step, figure.moment.loss)
        assert moment["accuracy"] == figure.moment.accuracy
        assert len(result["run"]["moments"]) == len(figure.result.answers)
        assert result["run"]["status"] == figure.result.status

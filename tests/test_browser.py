"""The figures in a real browser: what is drawn is what Python computes, for every kind of hand."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import expect

from cnnlesson.momentum import optimal_momentum, spectral_radius
from cnnlesson.widgets import MomentumExplorer

EXTENSION = Path(__file__).parents[1] / "book" / "_ext"
PYTHON = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
SLIDERS = ("lr", "momentum", "condition_number", "num_steps")
LOSSES = (1e-8, 1e4)
HAND_AND_EYE = pytest.mark.parametrize(
    ("host", "width", "theme"),
    [
        ("server", 1280, "light"),
        ("server", 390, "dark"),
        ("file", 1280, "dark"),
        ("file", 390, "light"),
    ],
)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A built book of two pages, the first of which holds the figure twice."""
    source = tmp_path_factory.mktemp("book")
    cells = [new_markdown_cell("# A page\n\nText.")]
    for _ in range(2):
        data, _ = MomentumExplorer()._repr_mimebundle_()
        output = new_output("execute_result", data=data, execution_count=1)
        cells.append(new_code_cell("MomentumExplorer()", outputs=[output], execution_count=1))
    cells.append(new_markdown_cell("## After the figures\n\n" + "Text.\n\n" * 60))
    nbformat.write(new_notebook(cells=cells, metadata=PYTHON), source / "index.ipynb")
    (source / "plain.md").write_text("# No figure\n\nText.\n")
    (source / "_toc.yml").write_text("{format: jb-book, root: index, chapters: [{file: plain}]}")
    config = {
        "title": "Figures",
        "logo": "",
        "execute": {"execute_notebooks": "off"},
        "sphinx": {
            "local_extensions": {"figures": str(EXTENSION)},
            "config": {
                "nb_mime_priority_overrides": [["html", "text/html", 5]],
                "html_context": {"default_mode": "auto"},
            },
        },
    }
    (source / "_config.yml").write_text(json.dumps(config))
    build = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", build, "build", source, "-W", "-n", "-q"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return source / "_build" / "html"


@pytest.fixture(scope="module")
def addresses(book, serve):
    return {"file": book.as_uri(), "server": serve(book)}


@pytest.fixture
def open_figure(addresses, open_page):
    """Open the book's first page; afterwards nothing went wrong on any page so opened."""
    visits = []

    def open_figure(host="server", width=1280, theme="light", tail="", **options):
        visit = open_page(f"{addresses[host]}/index.html{tail}", width, theme, **options)
        visits.append(visit)
        visit.page.locator(".is-live").nth(1).wait_for(timeout=10_000)
        return visit.page

    yield open_figure
    for visit in visits:
        assert visit.errors == []
        assert visit.foreign == []


def first(page):
    return page.locator(".is-live").first


def slider(page, name):
    return first(page).locator(f"input[name={name}]")


def frames(page):
    """Let what was asked for be painted."""
    page.evaluate("() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))")


def shown(page):
    """Return the settings, as Python reads them off the sliders and the point."""
    settings = {}
    for name in SLIDERS:
        position = float(slider(page, name).input_value())
        settings[name] = float(f"{10**position:.3g}") if name == "condition_number" else position
    label = first(page).locator(".point").get_attribute("aria-label")
    settings["start"] = [float(n.replace("−", "-")) for n in re.findall(r"−?\d+\.\d+", label)]
    settings["num_steps"] = int(settings["num_steps"])
    return settings


def drawn(page, plot, line):
    """Return the points of a path, as fractions of its plot from the left and from the bottom."""
    svg = first(page).locator(".plot").nth(plot).locator(".inside")
    left, top, width, height = (float(svg.get_attribute(n)) for n in ("x", "y", "width", "height"))
    path = svg.locator(f".path.{line}").get_attribute("d")
    assert "NaN" not in path
    assert "Infinity" not in path
    points = np.array(re.findall(r"-?[\d.]+", path), dtype=float).reshape(-1, 2)
    points = (points - [left, top]) / [width, height]
    return np.column_stack([points[:, 0], 1 - points[:, 1]]), 0.011 / min(width, height)


def check_drawn(page, explorer):
    """Compare both paths, both curves and both rates with Python's."""
    frames(page)
    for line, momentum in (("momentum", explorer.momentum), ("plain", 0.0)):
        w = explorer.path(momentum).w
        points, pixel = drawn(page, 0, line)
        far = np.flatnonzero(np.abs(w).max(axis=1) > 40)
        assert len(points) == (far[0] + 1 if far.size else explorer.num_steps + 1)
        expected = (w[: len(points)] + np.array([10, 5])) / [20, 10]
        np.testing.assert_allclose(points, expected, atol=pixel)

        points, pixel = drawn(page, 1, line)
        loss = np.maximum(explorer.loss(w), 1e-300)
        low, high = np.log10(LOSSES)
        expected = np.column_stack(
            [np.arange(len(loss)) / explorer.num_steps, (np.log10(loss) - low) / (high - low)]
        )
        np.testing.assert_allclose(points, expected, atol=pixel)

        rate = max(spectral_radius(c, explorer.lr, momentum) for c in explorer.curvatures)
        words = first(page).locator(f".readouts p.{line}").inner_text()
        assert f"ρ = {rate:.3f}" in words
        assert ("converges" if rate < 1 else "diverges") in words


def drag(page, start, end, steps=4):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def drag_slider(page, name, to):
    box = slider(page, name).bounding_box()
    now = float(slider(page, name).evaluate("(e) => (e.value - e.min) / (e.max - e.min)"))
    x, y = (box["x"] + 10 + part * (box["width"] - 20) for part in (now, to)), box["height"] / 2
    start, end = x
    drag(page, (start, box["y"] + y), (end, box["y"] + y))


def plot_size(page):
    frame = first(page).locator(".plot").first.locator(".axes rect")
    return [float(frame.get_attribute(name)) for name in ("width", "height")]


def middle_of(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@HAND_AND_EYE
def test_every_slider_by_mouse_and_by_keyboard(open_figure, host, width, theme):
    page = open_figure(host, width, theme)
    assert shown(page) == {**MomentumExplorer().settings, "start": [-8, 2.5]}
    check_drawn(page, MomentumExplorer())
    for name, to in zip(SLIDERS, (0.93, 0.3, 0.9, 0.1), strict=True):
        slider(page, name).scroll_into_view_if_needed()
        before = shown(page)
        drag_slider(page, name, to)
        after = shown(page)
        assert [key for key in after if after[key] != before[key]] == [name]
        low, high = (float(slider(page, name).get_attribute(end)) for end in ("min", "max"))
        position = float(slider(page, name).input_value())
        assert position == pytest.approx(low + to * (high - low), abs=0.02 * (high - low))
        check_drawn(page, MomentumExplorer(**after))

        slider(page, name).press("ArrowRight")
        assert float(slider(page, name).input_value()) > position
        check_drawn(page, MomentumExplorer(**shown(page)))
        for key, end in (("End", high), ("Home", low)):
            slider(page, name).press(key)
            assert float(slider(page, name).input_value()) == pytest.approx(end)
            check_drawn(page, MomentumExplorer(**shown(page)))


@HAND_AND_EYE
def test_the_start_by_mouse_and_by_keyboard(open_figure, host, width, theme):
    page = open_figure(host, width, theme)
    point = first(page).locator(".point")
    point.scroll_into_view_if_needed()
    width, height = plot_size(page)
    x, y = middle_of(point.locator(".hit"))
    drag(page, (x + 5, y + 3), (x + 5 + 0.25 * width, y + 3 + 0.5 * height))
    frames(page)
    assert shown(page)["start"] == pytest.approx([-3, -2.5], abs=0.011)
    check_drawn(page, MomentumExplorer(start=shown(page)["start"]))

    expect(point).to_be_focused()
    before = np.array(shown(page)["start"])
    for key, step in (
        ("ArrowUp", (0, 0.1)),
        ("ArrowLeft", (-0.1, 0)),
        ("Shift+ArrowRight", (1, 0)),
        ("Shift+ArrowDown", (0, -1)),
    ):
        point.press(key)
        frames(page)
        assert shown(page)["start"] == pytest.approx(before + step)
        before = np.array(shown(page)["start"])
    check_drawn(page, MomentumExplorer(start=before))

    x, y = middle_of(point.locator(".hit"))
    drag(page, (x, y), (x + 2 * width, y - 3 * height))
    frames(page)
    assert shown(page)["start"] == [10, 5]


def test_fingers_drag_the_start_and_scroll_the_page_elsewhere(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)

    def swipe(x, y, dx, dy):
        touch = [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": touch})
        for part in (0.25, 0.5, 0.75, 1):
            touch = [{"x": x + part * dx, "y": y + part * dy}]
            session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": touch})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        frames(page)

    width, height = plot_size(page)
    top = page.evaluate("scrollY")
    x, y = middle_of(first(page).locator(".point .hit"))
    swipe(x, y, 0.2 * width, 0.3 * height)
    assert page.evaluate("scrollY") == top
    assert shown(page)["start"] == pytest.approx([-4, -0.5], abs=0.02)
    check_drawn(page, MomentumExplorer(start=shown(page)["start"]))

    swipe(x + 0.7 * width, y, 0, -200)
    page.wait_for_function("(top) => scrollY > top", arg=top)
    assert shown(page)["start"] == pytest.approx([-4, -0.5], abs=0.02)


def test_the_buttons(open_figure):
    page = open_figure()
    slider(page, "condition_number").press("End")
    page.get_by_role("button", name="Best α and μ for this κ").first.click()
    frames(page)
    lr, momentum, rate = optimal_momentum(1 / 1000, 1)
    expect(first(page).locator("output").nth(0)).to_have_text(f"{lr:.2f}")
    check_drawn(page, MomentumExplorer(lr=lr, momentum=momentum, condition_number=1000))
    words = first(page).locator(".readouts p.momentum")
    expect(words).to_contain_text(f"ρ = {rate:.3f}")
    page.get_by_role("button", name="Reset").first.click()
    check_drawn(page, MomentumExplorer())


def test_the_words_name_the_slower_direction(open_figure):
    page = open_figure()
    words = first(page).locator(".readouts p.plain")
    expect(words).to_contain_text("a tenth every 127 steps.")
    expect(words).to_contain_text("The flat direction is slower.")
    slider(page, "condition_number").press("Home")
    expect(words).to_contain_text("Both directions keep pace.")
    words = open_figure(tail="?momentum_explorer.lr=1.995").locator(".readouts p.plain").first
    expect(words).to_contain_text("The steep direction is slower.")


def test_the_words_say_why(open_figure):
    page = open_figure(tail="?momentum_explorer.lr=3&momentum_explorer.momentum=0.5")
    words = first(page).locator(".readouts p.momentum")
    expect(words).to_contain_text("never settles")
    expect(words).to_contain_text("α is exactly 3.00")
    slider(page, "lr").press("ArrowRight")
    expect(words).to_contain_text("diverges")
    expect(words).to_contain_text("α is above 3.00")
    expect(words).to_contain_text("100 of 100 steps lie outside the picture")
    slider(page, "condition_number").press("Home")
    page.get_by_role("button", name="Best α and μ for this κ").first.click()
    expect(words).to_contain_text("arrives at once")
    said = first(page).get_by_role("status").first
    expect(said).to_contain_text("Momentum arrives at once. ρ = 0: one step.")


def test_one_input_is_painted_in_the_next_frame(open_figure):
    page = open_figure()
    before = drawn(page, 0, "momentum")[0]
    slider(page, "lr").evaluate(
        """(input) => new Promise((painted) => {
            input.value = 0.5;
            input.dispatchEvent(new Event("input"));
            requestAnimationFrame(painted);
        })"""
    )
    assert not np.array_equal(drawn(page, 0, "momentum")[0], before)
    check_drawn(page, MomentumExplorer(lr=0.5))


@pytest.mark.parametrize("host", ["server", "file"])
def test_the_address_holds_the_settings(open_figure, host):
    page = open_figure(host, tail="?keep=1#after-the-figures")
    slider(page, "lr").press("ArrowRight")
    first(page).locator(".point").press("ArrowUp")
    page.locator(".is-live").nth(1).locator("input[name=num_steps]").press("Home")
    page.wait_for_function("location.search.includes('num_steps')")
    assert page.url.endswith(
        "?keep=1&momentum_explorer.lr=1.81&momentum_explorer.start=-8_2.6"
        "&momentum_explorer-2.num_steps=1#after-the-figures"
    )
    again = open_figure(host, tail=page.url.split("index.html")[1])
    check_drawn(again, MomentumExplorer(lr=1.81, start=(-8, 2.6)))
    expect(again.locator(".is-live").nth(1).locator("output").nth(3)).to_have_text("1")
    first(again).get_by_role("button", name="Reset").click()
    again.wait_for_function("!location.search.includes('momentum_explorer.')")
    check_drawn(again, MomentumExplorer())


def test_an_address_out_of_range_is_clamped_and_nonsense_is_ignored(open_figure):
    settings = "lr=99&momentum=-1&condition_number=many&start=50_-50&num_steps=7.6"
    query = "&".join(f"momentum_explorer.{setting}" for setting in settings.split("&"))
    page = open_figure(tail=f"?{query}&momentum_explorer._limits=0&momentum_explorer-2.start=1_x")
    check_drawn(page, MomentumExplorer(lr=4, momentum=0, start=(10, -5), num_steps=8))


def test_the_address_leads_to_its_figure_and_headings_keep_theirs(open_figure):
    page = open_figure(tail="?momentum_explorer-2.lr=1")
    assert 0 <= page.locator(".is-live").nth(1).bounding_box()["y"] < 200
    page = open_figure(tail="?momentum_explorer.lr=1#after-the-figures")
    assert -1 <= page.locator("#after-the-figures").bounding_box()["y"] < 100
    page = open_figure()
    assert page.evaluate("scrollY") == 0


@HAND_AND_EYE
def test_accessible_and_within_the_page(open_figure, host, width, theme):
    page = open_figure(host, width, theme)
    # Without preloading: to look for media queries axe would fetch the page's stylesheets again.
    options = {"resultTypes": ["violations"], "preload": False}
    results = Axe().run(page, context=".cnnlesson-figure", options=options)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    targets = first(page).locator("input, button, .hit").all()
    assert len(targets) == 7
    for target in targets:
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 44
    for name in SLIDERS:
        assert slider(page, name).get_attribute("aria-valuetext")
    assert page.get_by_role("slider", name="step size α").count() == 2
    assert page.get_by_role("slider", name="Start at x = −8.00, y = 2.50").count() == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_of_what_axe_cannot_see(open_figure, theme):
    page = open_figure(theme=theme, tail="?momentum_explorer.lr=3")
    luminances = """(element, [property, ground]) => {
        const style = getComputedStyle(element);
        const slope = getComputedStyle(element.closest(".is-live").querySelector(".slope")).fill;
        const paper = style.getPropertyValue("--paper");
        const canvas = new OffscreenCanvas(1, 1).getContext("2d");
        return [[ground === "slope" ? slope : paper], [paper, style[property]]].map((colours) => {
            for (const colour of colours) {
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
            }
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) =>
                c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        });
    }"""
    for selector, style, ground, least in (
        (".axes text", "fill", "paper", 4.5),
        (".bad", "color", "paper", 4.5),
        (".slider small", "color", "paper", 4.5),
        (".path.momentum", "stroke", "slope", 3),
        (".path.plain", "stroke", "slope", 3),
        (".knob", "fill", "slope", 3),
    ):
        pair = first(page).locator(selector).first.evaluate(luminances, [style, ground])
        darker, lighter = sorted(pair)
        assert (lighter + 0.05) / (darker + 0.05) >= least, selector


def test_focus_can_be_seen(open_figure):
    page = open_figure()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('point')"):
            break
    ring = first(page).locator(".ring")
    assert ring.evaluate("(e) => getComputedStyle(e).stroke") != "none"
    for _ in range(6):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"


def test_without_javascript_a_picture_and_a_sentence_remain(addresses, open_page):
    page = open_page(f"{addresses['file']}/index.html", java_script_enabled=False).page
    figure = page.locator(".cnnlesson-figure").first
    expect(figure.get_by_role("img")).to_be_visible()
    expect(figure).to_contain_text("100 steps of size α = 1.8")


def test_on_paper_it_is_dark_on_light_without_buttons(open_figure):
    page = open_figure(theme="dark")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Reset").first).to_be_hidden()
    colour = first(page).evaluate("(e) => getComputedStyle(e).color")
    assert colour == "rgb(0, 0, 0)"


def test_only_pages_with_a_figure_load_the_script(book):
    assert re.search(r'_static/figures\.js\?v=\w{8}"', (book / "index.html").read_text())
    assert re.search(r'_static/figures\.css\?v=\w{8}"', (book / "index.html").read_text())
    assert "figures." not in (book / "plain.html").read_text()


def test_javascript_computes_what_python_computes(open_page):
    page = open_page("about:blank").page
    random = np.random.default_rng(0)
    explorers = [
        MomentumExplorer(
            lr=random.uniform(0.01, 4),
            momentum=random.uniform(0, 0.99),
            condition_number=10 ** random.uniform(0, 3),
            start=random.uniform([-10, -5], [10, 5]),
            num_steps=random.integers(1, 301),
        )
        for _ in range(200)
    ]
    results = page.evaluate(
        """async ([source, states]) => {
            const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { compute } = await import(address);
            return JSON.stringify(states.map(compute));
        }""",
        [explorers[0]._esm, [explorer.settings for explorer in explorers]],
    )
    num_diverging = 0
    for explorer, result in zip(explorers, json.loads(results, parse_int=float), strict=True):
        for name, momentum in (("momentum", explorer.momentum), ("plain", 0.0)):
            w = explorer.path(momentum).w
            rates = [spectral_radius(c, explorer.lr, momentum) for c in explorer.curvatures]
            num_diverging += max(rates) > 1
            np.testing.assert_allclose(result[name]["w"], w, rtol=1e-9)
            np.testing.assert_allclose(result[name]["loss"], explorer.loss(w), rtol=1e-9)
            np.testing.assert_allclose(result[name]["rates"], rates, rtol=1e-9)
            np.testing.assert_allclose(result[name]["bound"], 2 * (1 + momentum), rtol=1e-9)
        lr, momentum, _ = optimal_momentum(*explorer.curvatures)
        np.testing.assert_allclose(result["optimum"]["lr"], lr, rtol=1e-9)
        np.testing.assert_allclose(result["optimum"]["momentum"], momentum, rtol=1e-9)
    assert 50 < num_diverging < 350

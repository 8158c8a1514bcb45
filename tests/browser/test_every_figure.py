"""What all figures share: for every hand and eye, at every width, and for a reader of its address.

A new figure is here as soon as `cnnlesson.widgets` names it. One that needs arguments, or that has
more to show than its settings at first, says so in two tables.
"""

import re
from io import BytesIO
from itertools import product
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from asked import ASKING, CHAPTERS, PREDICTIONS, QUESTIONS
from figure_page import HANDS_AND_EYES, check_by_kind, check_within, frames, go_to
from PIL import Image
from playwright.sync_api import expect
from test_map_lab import made_up_map
from test_order_explorer import made_up_runs
from test_run_explorer import random_results

from cnnlesson import widgets
from cnnlesson.widgets import (
    ConvolutionExplorer,
    MapLab,
    MomentumExplorer,
    OrderExplorer,
    RunExplorer,
    ShapeExplorer,
)
from cnnlesson.widgets.paths import Paths
from cnnlesson.widgets.reader_record import ReaderRecord
from cnnlesson.widgets.shared.figure import Figure

NAMED = [getattr(widgets, name) for name in widgets.__all__]
MADE_WITH = {
    MapLab: [made_up_map()],
    OrderExplorer: [made_up_runs()],
    RunExplorer: [random_results(5)],
}
# These are words. The first two are made by functions of their own; the others are the book's.
ASKED = {
    "prediction": PREDICTIONS["curve"],
    "question": QUESTIONS["number"],
    "paths": Paths(CHAPTERS),
    "reader_record": ReaderRecord([ASKING, *CHAPTERS]),
}
FIGURES = ASKED | {
    cls.module: cls(*MADE_WITH.get(cls, []))
    for cls in NAMED
    if issubclass(cls, Figure) and cls.module not in ASKED
}
# What is asked stands there in words, and what is answered in the browser's storage, not in the
# address: an address is sent to others.
WITH_SETTINGS = [module for module, figure in FIGURES.items() if figure.settings]
FIGURE_PAGES = {
    "index": [lambda figure=figure: figure for figure in FIGURES.values()],
    **{module: [lambda figure=figure: figure] for module, figure in FIGURES.items()},
}
# What is looked at in place of a figure's settings at first.
STATES = {
    ConvolutionExplorer: [{"kernel": "0.02_0.02_-0.04_0.25_0.52_0.59_0.25_0.53_0.18"}],
    MomentumExplorer: [{}, {"landscape": "valley"}],
    RunExplorer: [{"lr": 1, "lines": "both"}],
    ShapeExplorer: [
        {"stack": ShapeExplorer.networks["AlexNet"]},
        {"stack": "1x28x28 conv32k3 relu pool2 conv64k5 relu pool2 flatten linear1600to10"},
    ],
}
VISITS = [
    (module, settings)
    for module, figure in FIGURES.items()
    for settings in STATES.get(type(figure), [{}])
]


@pytest.fixture(
    scope="module",
    params=product(VISITS, HANDS_AND_EYES),
    ids=lambda part: "-".join(map(str, [part[0][0], *part[0][1].values(), *part[1]]))[:60],
)
def visit(request, addresses, open_lasting_page):
    """A page with one figure, for all tests of what is seen and pressed on it."""
    (module, settings), (width, theme, host) = request.param
    query = urlencode({f"{module}.{name}": value for name, value in settings.items()})
    visit = open_lasting_page(f"{addresses[host]}/{module}.html?{query}", width, theme)
    visit.page.locator(".is-live").wait_for()
    # What is folded is seen and pressed too, by whoever unfolds it.
    folded = visit.page.locator(".is-live details")
    folded.evaluate_all("(all) => all.forEach((e) => { e.open = true; })")
    if module in WITH_SETTINGS:
        visit.page.locator(".share-menu button").first.wait_for()
    yield visit
    visit.page.close()


@pytest.fixture
def page(visit):
    yield visit.page
    assert visit.errors == []
    assert visit.foreign == []


@pytest.fixture
def figure(page):
    return page.locator(".is-live")


def test_it_is_accessible_and_within_the_page(page):
    frames(page)
    check_by_kind(page, context=".cnnlesson-figure")
    check_within(page)


# What one presses, types, drags or chooses from. An SVG's point is hit in a circle around it, and a
# box to tick on its words too.
LISTEN = """(root) => {
    const all = [...root.querySelectorAll("input, select, button, [role=slider]")].filter(
        (e) => e.checkVisibility());
    const hit = (e) => e.querySelector(".hit") ?? (e.type === "checkbox" ? e.closest("label") : e);
    const name = (e) => e.name || e.dataset.name || e.ariaLabel || e.textContent;
    const small = all.filter((e) => {
        const { width, height } = hit(e).getBoundingClientRect();
        return Math.min(width, height) < 43.9995;
    });
    const silent = all.filter(
        (e) => e.matches("[type=range], [role=slider]") && !e.getAttribute("aria-valuetext"));
    root.tabIndex = -1;
    root.focus();
    const strokes = (e) => [...e.querySelectorAll("*")].map((part) => {
        const { stroke, strokeWidth } = getComputedStyle(part);
        return stroke + strokeWidth;
    }).join();
    const reached = new Map();
    document.addEventListener("focusin", ({ target }) =>
        reached.set(target, [getComputedStyle(target).outlineStyle, strokes(target)]));
    window.afterTabs = () => {
        document.activeElement.blur();
        const stops = all.filter((e) => !e.disabled && (e.type !== "radio" || e.checked));
        const unseen = [...reached].filter(([e, [outline, focused]]) =>
            root.contains(e) && outline !== "solid" && focused === strokes(e));
        return {
            unreached: stops.filter((e) => !reached.has(e)).map(name),
            unseen: unseen.map(([e]) => name(e)),
        };
    };
    return { count: all.length, small: small.map(name), silent: silent.map(name) };
}"""


def test_every_control_is_large_tells_its_value_is_reached_and_shows_it(page, figure):
    found = figure.evaluate(LISTEN)
    count = found.pop("count")
    assert count > 1
    assert found == {"small": [], "silent": []}
    for _ in range(count + 2):  # what scrolls is on the way
        page.keyboard.press("Tab")
    assert page.evaluate("afterTabs()") == {"unreached": [], "unseen": []}


# What is seen and read of a figure: a line for each element, and one for each canvas.
LOOK = """(root) => {
    const parts = [...root.querySelectorAll(":not(.for-screen-readers)")]; // that one is behind
    const own = (e) => [...e.childNodes].map((n) => (n.nodeType === 3 ? n.data : "")).join("");
    const attributes = (e) => [...e.attributes].filter(() => e.type !== "radio").map(
        ({ name, value }) => `${name}="${value}"`).sort().join(" ");
    return parts.map((e) =>
        `<${e.tagName} ${attributes(e)}> ${own(e)} ${e.matches("canvas") ? e.toDataURL() : ""}`);
}"""
PAINT = f"""async (root) => {{
    const look = () => ({LOOK})(root).join("");
    const painted = () => new Promise(requestAnimationFrame);
    const wrong = [];
    for (const input of root.querySelectorAll("[type=range], [type=number]")) {{
        const was = input.value;
        for (const to of [input.min, input.max, was]) {{
            if (Number(to) === Number(input.value) || !input.isConnected) continue;
            const before = look();
            input.value = to;
            input.dispatchEvent(new Event("input"));
            await painted();
            const now = look();
            await painted();
            await painted();
            const at = `${{input.name || input.dataset.name}} at ${{to}}: `;
            if (now === before) wrong.push(at + "nothing changed");
            if (now !== look()) wrong.push(at + "something changed later");
            wrong.push(...(now.match(/NaN|Infinity|undefined/) ?? []).map((word) => at + word));
        }}
    }}
    return wrong;
}}"""


def test_one_input_is_painted_in_the_next_frame(figure):
    assert figure.evaluate(PAINT) == []


# What a saved picture has to hold: the words of tables, and what sliders, lists and numbers say.
HELD = """(root) => {
    const isSeen = (e) => e.checkVisibility() && !e.closest(".share-menu");
    const seen = (selector) => [...root.querySelectorAll(selector)].filter(isSeen);
    const value = (e) => e.querySelector("output")?.innerText ??
        e.querySelector("select").selectedOptions[0].text;
    return [
        [...seen("th, td").filter((e) => !e.querySelector("button")).map((e) => e.innerText),
            ...seen("[type=number]").map((e) => e.value)],
        seen(".slider, .choice").map((e) =>
            `${e.querySelector("span").innerText.trim()}: ${value(e)}`),
    ];
}"""
# The words of a picture that is drawn apart from the page's style, and those that stick out.
DRAWN = """(root, source) => {
    const svg = new DOMParser().parseFromString(source, "image/svg+xml").documentElement;
    const host = root.appendChild(document.createElement("div"));
    host.attachShadow({ mode: "open" }).append(svg);
    const all = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((e) => e.textContent);
    const outside = texts.filter((e) => {
        const { left, right, top, bottom } = e.getBoundingClientRect();
        return left < all.left || right > all.right || top < all.top || bottom > all.bottom;
    });
    host.remove();
    return [texts.map((e) => e.textContent), outside.map((e) => e.textContent)];
}"""


def words_of(texts):
    """Return the words and numbers in texts, whatever stands between them."""
    return set(re.findall(r"[^\s.,:;()“”·]+(?:[.,:]\d+)*", " ".join(texts).lower()))


def saved(page, kind):
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as {kind}").click()
    return download.value.path().read_bytes()


def test_a_saved_picture_is_the_whole_figure(page, figure):
    if not figure.locator(".share-menu").count():
        return  # it asks, or only shows; those with settings have the menu, or there were no page
    held, settings = figure.evaluate(HELD)
    source = saved(page, "SVG").decode()
    root = ElementTree.fromstring(source)
    tags = {element.tag.split("}")[-1] for element in root.iter()}
    assert "foreignObject" not in tags
    assert not re.search(r"var\(|oklab|color-mix| class=| style=|NaN|Infinity", source)
    references = re.findall(r'href="([^"]{5})|url\((.)', source)
    assert {one or other for one, other in references} <= {"data:", "#"}

    title, sentence = (
        root.find(f"{{http://www.w3.org/2000/svg}}{n}").text for n in ("title", "desc")
    )
    texts, outside = figure.evaluate(DRAWN, source)
    assert outside == []
    assert texts[0] == title == figure.get_attribute("aria-label")
    assert words_of([sentence or ""]) - words_of(texts) == set()  # a lab has nothing to say yet
    assert words_of(held) - words_of(texts) == set()
    assert set(settings) <= {setting for text in texts for setting in text.split(" · ")}

    picture = Image.open(BytesIO(saved(page, "PNG")))
    assert picture.size == (2 * int(root.get("width")), 2 * int(root.get("height")))


HEIGHTS = """async (root) => {
    const { requestAnimationFrame } = window;
    const heights = {};
    // Drawn at once: the browser need not paint what only its height is asked of.
    window.requestAnimationFrame = (draw) => queueMicrotask(draw) ?? 1;
    for (const input of root.querySelectorAll("[type=range]")) {
        const [was, low, high] = [input.value, input.min, input.max].map(Number);
        const put = async (value) => {
            input.value = value;
            input.dispatchEvent(new Event("input"));
            for (let i = 0; i < 4; i++) await null;
            return root.getBoundingClientRect().height;
        };
        const seen = new Set();
        for (let i = 0; i <= 20; i++) seen.add(await put(low + ((high - low) * i) / 20));
        await put(was);
        if (seen.size > 1) heights[input.name || input.dataset.name] = [...seen];
    }
    window.requestAnimationFrame = requestAnimationFrame;
    return heights;
}"""
WORDS_OUTSIDE = """(root) => {
    const { left, right } = root.getBoundingClientRect();
    return [...root.querySelectorAll(".plot > g text")].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.left < left - 1 || box.right > right + 1;
    }).map((text) => text.textContent);
}"""


def test_no_slider_changes_the_height_and_axes_and_legends_are_whole(page, figure):
    size = page.viewport_size
    for width in (1280, 768) if size["width"] == 1280 else (390, 360, 320):
        page.set_viewport_size({**size, "width": width})
        frames(page)
        assert figure.evaluate(WORDS_OUTSIDE) == [], width
        if width >= 390:  # on a narrower screen a sentence may break once more
            assert figure.evaluate(HEIGHTS) == {}, width
    page.set_viewport_size(size)


# The share of each picture in sight, at that of three places of the page where a slider and most of
# it are seen together. What lies behind the book's bar, or the figure's own, is not in sight.
SIGHT = """async (root) => {
    const BAR = 60;
    const pictures = [...root.querySelectorAll(".plot, svg[role=img], canvas")].filter(
        (e) => e.checkVisibility());
    const share = (e) => {
        const { top, bottom, height } = e.getBoundingClientRect();
        return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, BAR)) / height;
    };
    const found = [];
    for (const slider of root.querySelectorAll("[type=range]")) {
        if (!slider.checkVisibility()) continue;
        const places = [];
        for (const block of ["end", "center", "start"]) {
            slider.scrollIntoView({ block, behavior: "instant" });
            await new Promise(requestAnimationFrame);
            const { x, y, width, height } = slider.getBoundingClientRect();
            const above = document.elementFromPoint(x + width / 2, y + height / 2);
            if (share(slider) > 0.99 && above === slider) places.push(pictures.map(share));
        }
        const most = places.sort((one, other) => Math.max(...other) - Math.max(...one))[0] ?? [];
        found.push([slider.name || slider.dataset.name, most]);
    }
    return found;
}"""
# Their sliders say what is to be measured next; the picture comes after that.
LABS = {"map_lab", "training_lab"}
SCREENS = [(390, 844), (844, 390)]


@pytest.mark.parametrize("size", SCREENS, ids=["upright", "across"])
@pytest.mark.parametrize("module", sorted({*WITH_SETTINGS} - LABS))
def test_a_picture_stays_in_sight_of_each_slider_on_a_phone(open_figure, module, size):
    page = open_figure(figure=module)
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    figure = page.locator(".is-live")
    figure.locator("details").evaluate_all("(all) => all.forEach((e) => { e.open = true; })")
    frames(page)
    found = dict(figure.evaluate(SIGHT))
    is_seen = all if module == "convolution_explorer" else any
    assert {name: shares for name, shares in found.items() if shares} == found
    hidden = [n for n, shares in found.items() if not is_seen(share > 0.75 for share in shares)]
    assert hidden == [], found


def test_a_legend_shrinks_and_grows_with_its_plot(open_figure):
    page = open_figure(figure="error_milestones")
    page.set_viewport_size({"width": 320, "height": 800})
    page.wait_for_function("() => document.querySelector('[transform^=\"scale(0\"]')")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_function("() => !document.querySelector('[transform^=\"scale(0\"]')")


@pytest.fixture(scope="module")
def page_without_javascript(addresses, open_lasting_page):
    return open_lasting_page(f"{addresses['file']}/index.html", java_script_enabled=False).page


@pytest.mark.parametrize("module", FIGURES)
def test_without_javascript_a_picture_and_a_sentence_remain(page_without_javascript, module):
    figure = page_without_javascript.locator(f"[data-module={module}]")
    if module not in ASKED:
        expect(figure.get_by_role("img")).to_be_visible()
    expect(figure).to_contain_text(FIGURES[module].summary().replace("`", ""))


# The address


MOVE = """(root) => {
    const inputs = [...root.querySelectorAll("[type=range][name], [type=number]")];
    return inputs.map((input) => {
        input.value = 0.37 * input.min + 0.63 * input.max;
        input.dispatchEvent(new Event("input"));
        return [input.name, ...["value", "min", "max"].map((name) => Number(input[name]))];
    });
}"""


@pytest.mark.parametrize("module", WITH_SETTINGS)
def test_the_address_holds_the_settings_and_none_beyond_their_range(open_figure, module):
    page, limits = open_figure(figure=module), FIGURES[module]._limits
    figure = page.locator(".is-live")

    def look():
        frames(page)
        return figure.evaluate(LOOK)

    at_first = look()
    moved = figure.evaluate(MOVE)
    seen = look()
    page.wait_for_function("() => location.search")
    settings = {}
    for key, value in parse_qsl(urlsplit(page.url).query):
        prefix, name = key.split(".")
        assert prefix == module
        assert name in limits
        settings[name] = value
    for name, value, *ends in moved:
        if name in settings and ends == limits[name][:2]:
            assert float(settings[name]) == value
    page.goto(page.url)
    figure.wait_for()
    assert look() == seen

    wild = dict(zip(limits, ["1e9", "-1e9"] * len(limits), strict=False))
    go_to(page, wild, module)
    for slider in figure.locator("[type=range][name]").all():
        end = "max" if wild[slider.get_attribute("name")] == "1e9" else "min"
        assert float(slider.input_value()) == pytest.approx(float(slider.get_attribute(end)))
    go_to(page, dict.fromkeys([*limits, "_limits"], "x;<b>"), module)
    assert look() == at_first

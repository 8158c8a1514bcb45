"""A figure that cannot start leaves its picture, says so, and harms no other figure."""

import base64
import json
import re

import pytest

from cnnlesson.widgets import DigitReader, EigenBasis, MomentumExplorer, StabilityMap
from cnnlesson.widgets.digit_reader.digit_reader import NUM_BYTES, WEIGHTS

APOLOGY = "The interactive figure could not start"
# Deferred scripts run after this event: the figures are as the page's author broke them.
BREAK = """
document.addEventListener("readystatechange", () => {
    if (document.readyState !== "interactive") return;
    const element = document.querySelector('[data-module="MODULE"]');
    const state = JSON.parse(element.dataset.state);
    HOW;
}, { once: true });
"""
WAYS = {
    "no limits, so that a slider throws": (
        "element.dataset.state = JSON.stringify({ ...state, _limits: {} })"
    ),
    "no state": "delete element.dataset.state",
    "half a state": "element.dataset.state = element.dataset.state.slice(0, 20)",
}


FIGURE_PAGES = {"index": [MomentumExplorer, EigenBasis, DigitReader, StabilityMap]}


@pytest.fixture(scope="module")
def page_address(addresses):
    return f"{addresses['server']}/index.html"


def opened(open_page, address, prepare):
    """Open a page on which something was prepared to fail, and return the visit."""
    visit = open_page(f"{address.rsplit('/', 2)[0]}/plain.html")
    prepare(visit.page)
    visit.page.goto(address)
    for figure in visit.page.locator(".cnnlesson-figure[data-module]").all():
        figure.scroll_into_view_if_needed()
        figure.locator("> .is-live, > :text('could not start')").wait_for()
    assert visit.page.locator(".is-live").count() == 3
    assert APOLOGY in visit.page.locator("body").inner_text()
    return visit


def check_still(page, module):
    """Check that the picture and its sentence are there, and that nothing else is."""
    figure = page.locator(f'[data-module="{module}"]')
    assert figure.locator("svg[role=img]").count() == 1
    assert figure.locator("svg[role=img]").is_visible()
    assert figure.locator(".is-live, input, button").count() == 0
    sentence, apology = figure.locator("> p").all_inner_texts()
    assert len(sentence) > 20
    assert apology.startswith(APOLOGY)
    assert apology.endswith("This is a picture of it.")
    return apology


@pytest.mark.parametrize(
    ("way", "module"),
    zip(WAYS, ("momentum_explorer", "eigen_basis", "stability_map"), strict=True),
)
def test_it_keeps_its_picture_and_says_so(open_page, page_address, module, way):
    script = BREAK.replace("MODULE", module).replace("HOW", WAYS[way])
    visit = opened(open_page, page_address, lambda page: page.add_init_script(script))
    apology = check_still(visit.page, module)
    assert "undefined" not in apology  # no words of JavaScript's own
    assert visit.errors  # for whoever mends it


def test_the_others_find_their_settings_in_the_address_and_come_into_sight(open_page, page_address):
    script = BREAK.replace("MODULE", "momentum_explorer").replace("HOW", next(iter(WAYS.values())))
    name = next(iter(StabilityMap().settings))
    limits = StabilityMap()._limits[name]
    value = limits[0] + (limits[1] - limits[0]) / 2
    address = f"{page_address}?stability_map.{name}={value}"
    visit = opened(open_page, address, lambda page: page.add_init_script(script))
    figure = visit.page.locator('[data-module="stability_map"] > .is-live')
    assert float(figure.locator(f"[name={name}]").input_value()) == pytest.approx(value, rel=0.02)
    visit.page.wait_for_function(
        """() => {
            const live = document.querySelector('[data-module="stability_map"] > .is-live');
            return Math.abs(live.getBoundingClientRect().top) < innerHeight / 2;
        }"""
    )
    slider = figure.locator(f"[name={name}]")
    slider.focus()
    before = slider.input_value()
    visit.page.keyboard.press("ArrowLeft")
    visit.page.wait_for_function(f"() => location.search !== '?stability_map.{name}={value}'")
    assert slider.input_value() != before


def weights_script(weights):
    return (
        f"(globalThis.cnnlessonData ??= {{}}).digit_reader = {{ weights: {json.dumps(weights)} }};"
    )


PACKED = base64.b64encode(WEIGHTS.read_bytes()).decode()
LACKING = {
    "missing": (None, "none"),
    "empty": ("", "none"),
    "cut": (PACKED[:4000], "3000"),
    "cut within four letters": (PACKED[:4001], "3000"),
    "cut by one number": (base64.b64encode(WEIGHTS.read_bytes()[:-2]).decode(), str(NUM_BYTES - 2)),
    "too long": (base64.b64encode(WEIGHTS.read_bytes() + b"12").decode(), str(NUM_BYTES + 2)),
}


@pytest.mark.parametrize("case", LACKING)
def test_the_digit_reader_without_its_weights_says_so(open_page, page_address, case):
    weights, found = LACKING[case]

    def prepare(page):
        def answer(route):
            if weights is None:
                route.fulfill(status=404, body="")
            else:
                route.fulfill(content_type="text/javascript", body=weights_script(weights))

        page.route(re.compile("digit_reader_weights"), answer)

    visit = opened(open_page, page_address, prepare)
    apology = check_still(visit.page, "digit_reader")
    assert f"expected {NUM_BYTES} bytes of trained weights, found {found}." in apology

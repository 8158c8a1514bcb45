"""The map measured again in a real browser: in time, in agreement, and kept for another visit."""

import os
import re
from functools import partial

import pytest
from figure_page import check_by_kind, check_within, come_back, slider

from cnnlesson import read_results, results_path
from cnnlesson.widgets import MapLab

FIGURE = partial(MapLab, read_results(results_path("map")))
FIGURE.module = MapLab.module
PATIENCE = 300_000  # milliseconds: on a busy machine too
FOUR = {"left": 6, "right": 7, "bottom": 3, "top": 4}
KEPT = "localStorage.getItem('cnnlesson.map_lab')"


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def words(page):
    return page.locator(".map-lab > .result").inner_text()


def wait_for(page, pattern):
    script = "(p) => new RegExp(p).test(document.querySelector('.map-lab > .result').innerText)"
    page.wait_for_function(script, arg=pattern, timeout=PATIENCE)


def tiles(page):
    """Return how many cells each of the two maps shows."""
    return [plot.locator(".inside > g rect").count() for plot in page.locator(".plot").all()]


def test_four_cells_are_measured_and_still_there_on_coming_back(open_fresh):
    page = open_fresh(390, "dark", settings=FOUR)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    assert tiles(page) == [96, 0]
    assert "Nothing is measured yet" in page.locator(".agreement").inner_text()
    press(page, "Measure")
    wait_for(page, r"Training 1 of 4 is done, about \d+ s left")
    assert slider(page, "left").is_disabled()
    wait_for(page, r"^4 trainings in \d+ s\. 4 of 4 cells agree")
    assert "4 of 4 cells agree on whether" in page.locator(".agreement").inner_text()
    assert all("127.0.0.1" in url or url.startswith("blob:") for url in requests)
    check_by_kind(page, context=".cnnlesson-figure")
    check_within(page)
    assert tiles(page) == [96, 4]
    come_back(page)
    page.locator(".is-live").wait_for()
    assert tiles(page) == [96, 4]
    press(page, "Measure")
    assert words(page).startswith("All of these cells are measured.")
    press(page, "Forget what I measured")
    wait_for(page, "Forgotten")
    assert tiles(page) == [96, 0]
    assert page.evaluate(KEPT) is None


def test_it_stops_goes_on_where_it_was_and_two_hundred_presses_are_one(open_fresh):
    page = open_fresh(host="file", settings=FOUR | {"seed": 7})
    button = page.get_by_role("button", name="Measure", exact=True)
    button.evaluate("(button) => { for (let i = 0; i < 200; i++) button.click(); }")
    wait_for(page, r"Training 2 of 4")
    press(page, "Stop")
    assert words(page) == "Stopped. Press Measure to go on where it was."
    kept = len(page.evaluate(f"Object.keys(JSON.parse({KEPT}))"))
    assert 1 <= kept < 4
    press(page, "Measure")
    wait_for(page, rf"^{4 - kept} trainings? in \d+ s\.")
    press(page, "Reset")
    assert slider(page, "seed").input_value() == "0"
    press(page, "Forget what I measured")


@pytest.mark.parametrize(
    "found",
    ["x", "null", "[1]", '{"standardized 0.02 0.9 0": {"status": "completed", "accuracy": 7}}'],
)
def test_a_storage_that_was_tampered_with_is_an_empty_one(open_fresh, found):
    page = open_fresh()
    page.evaluate("(text) => localStorage.setItem('cnnlesson.map_lab', text)", found)
    come_back(page)
    page.locator(".is-live").wait_for()
    assert tiles(page) == [96, 0]


@pytest.mark.parametrize("names", [["setItem"], ["setItem", "getItem"]], ids=["full", "forbidden"])
def test_without_a_storage_it_measures_and_says_so(open_page, addresses, names):
    visit = open_page("about:blank")
    script = """for (const name of NAMES) {
        const { [name]: before } = Storage.prototype;
        Storage.prototype[name] = function (key, ...rest) {
            if (key === "cnnlesson.map_lab") throw new DOMException("no", "QuotaExceededError");
            return before.call(this, key, ...rest);
        };
    }"""
    visit.page.add_init_script(script.replace("NAMES", str(names)))
    one = {"left": 6, "right": 6, "bottom": 4, "top": 4}
    query = "&".join(f"map_lab.{name}={value}" for name, value in one.items())
    visit.page.goto(f"{addresses['server']}/index.html?{query}")
    press(visit.page, "Measure")
    wait_for(visit.page, "Your browser does not keep them")
    assert tiles(visit.page) == [96, 1]
    assert visit.errors == []


def test_digits_that_do_not_arrive_and_a_worker_that_dies_lose_nothing(open_page, addresses):
    page = open_page("about:blank").page
    page.add_init_script(
        "const { Worker } = globalThis; globalThis.Worker = class extends Worker {"
        "  constructor(...a) { super(...a); globalThis.last = this; } };"
    )
    pattern = re.compile(r"training_lab_2\.js")
    page.route(pattern, lambda route: route.abort())
    page.goto(f"{addresses['server']}/index.html?map_lab.seed=50")
    press(page, "Measure")
    wait_for(page, "The digits did not arrive. Press Measure to try again")
    page.unroute(pattern)
    press(page, "Measure")
    wait_for(page, "Training 1 of 96")
    page.evaluate("last.onerror(new ErrorEvent('error', { message: 'out of memory' }))")
    wait_for(page, "cut short: out of memory. Press Measure to go on")
    assert tiles(page)[1] >= 1
    press(page, "Forget what I measured")


@pytest.mark.prove
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="it is promised for two processors")
def test_all_cells_are_measured_in_time_and_nearly_all_agree(open_figure):
    page = open_figure()
    press(page, "Measure")
    wait_for(page, r"^96 trainings in")
    seconds, agreeing = map(int, re.findall(r"in (\d+) s\. (\d+) of 96", words(page))[0])
    assert agreeing >= 90
    assert page.locator(".map-lab details li").count() == 96 - agreeing
    press(page, "Forget what I measured")
    assert seconds < 90

"""The laboratory in a real browser: press Train, and it learns; whatever fails, it says so."""

import base64
import re
from functools import partial

import numpy as np
import pytest
from figure_page import check_by_kind, check_within, drawn, open_menu, slider
from playwright.sync_api import expect

from cnnlesson.widgets import TrainingLab
from cnnlesson.widgets.shared.parcel import parcel

SETTINGS = {"lr": 0.05, "momentum": 0.9, "pixels": "standardized"}
SHORT = {"num_images": 1000}
PATIENCE = 240_000  # milliseconds: on a busy machine too


FIGURE = partial(TrainingLab, presets={"no momentum": SETTINGS | {"momentum": 0.0}}, **SETTINGS)
FIGURE.module = TrainingLab.module


def words(page):
    return page.locator(".training-lab > .result")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def wait_for(page, pattern):
    script = (
        "(p) => new RegExp(p).test(document.querySelector('.training-lab > .result').innerText)"
    )
    page.wait_for_function(script, arg=pattern, timeout=PATIENCE)


def trained(page):
    press(page, "Train")
    wait_for(page, r"^Training \d+ (learned|diverged|ended|was)")


def losses_of(page):
    """Return the file that "Save as CSV" gives, as the losses of each training."""
    menu = open_menu(page)
    with page.expect_download() as download:
        press(menu, "Save as CSV")
    head, *lines = download.value.path().read_text("utf-8").splitlines()
    assert head.startswith("training,seed,step,images,loss,test_accuracy,lr,")
    found: dict[str, list[float]] = {}
    for line in lines:
        training, seed, _, _, loss, *_ = line.split(",")
        found.setdefault(f"{training}/{seed}", []).append(float(loss))
    return found


def check_inside(page):
    """Check what a mouse is told of weights, blue or red by sign, and of answers by class."""
    kernels, answers = (
        page.get_by_role("img", name=name)
        for name in ("The 32 kernels of the first layer", "Each class, and what it")
    )
    for kernel, row, column in ((0, 0, 0), (9, 1, 2), (31, 2, 1)):
        y, x = 4 * (kernel // 8) + row, 4 * (kernel % 8) + column
        kernels.scroll_into_view_if_needed()
        box = kernels.bounding_box()
        part = (x + 0.5) / 31, (y + 0.5) / 15
        page.mouse.move(box["x"] + part[0] * box["width"], box["y"] + part[1] * box["height"])
        begin = f"kernel {kernel}, row {row}, column {column}: "
        page.get_by_text(begin).wait_for()
        weight = float(page.locator(".readout").inner_text().removeprefix(begin).replace("−", "-"))
        red, _, blue, _ = kernels.locator("canvas").evaluate(
            "(e, at) => [...e.getContext('2d').getImageData(...at, 1, 1).data]", [x, y]
        )
        assert abs(weight) < 0.005 or (weight > 0) == (red > blue)
    answers.scroll_into_view_if_needed()
    box = answers.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 0.35 * box["height"])
    last = page.locator(".answers li").nth(3).inner_text()
    right = re.fullmatch(r"3 → 3, (\d+)%", last)[1]
    page.get_by_text(f"step 188: {right}% of the 3s are right").wait_for()


def test_from_a_file_it_learns_to_read_six_thousand_digits(open_figure):
    page = open_figure(host="file")
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    slider(page, "seed").evaluate("(e) => { e.value = 1; e.dispatchEvent(new Event('input')); }")
    assert requests == []  # nothing is fetched before
    trained(page)
    assert sum("training_lab_" in url for url in requests) == len(parcel())
    assert "learned: " in words(page).inner_text()
    accuracy = page.locator("tbody td").first.inner_text()
    assert float(accuracy.removesuffix("%")) > 93
    curve, _ = drawn(page, 0, ".training .line")
    assert len(curve) == 188
    assert curve[-1, 0] == pytest.approx(1, abs=1e-3)
    page.get_by_text("Have it read a digit of yours").click()
    page.locator(".desk [role=slider]").focus()
    page.keyboard.press("Space")
    page.get_by_text(re.compile(r"^It reads an? \d\.$")).wait_for()
    rows = page.locator(".desk .share").all_inner_texts()
    shares = [float(re.fullmatch(r"\d\s+(\d+\.\d)%", row)[1]) for row in rows]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    bars = page.locator(".desk .share i").evaluate_all("(all) => all.map((e) => e.style.width)")
    assert [float(width[:-1]) / 0.75 for width in bars] == pytest.approx(shares, abs=0.051)
    check_inside(page)
    check_by_kind(page, context=".cnnlesson-figure")
    check_within(page)


def test_the_same_address_gives_the_same_bits_and_several_seeds(open_figure):
    found = []
    for _ in range(2):
        page = open_figure(settings=SHORT | {"seed": 4, "num_seeds": 2, "rule": "classical"})
        trained(page)
        found.append(losses_of(page))
    assert found[0] == found[1]
    assert sorted(found[0]) == ["1/4", "1/5"]
    assert found[0]["1/4"] != found[0]["1/5"]


def test_what_is_dragged_under_way_reaches_the_training(open_figure):
    page = open_figure(390, "dark", settings={"num_epochs": 20, "num_images": 6000})
    press(page, "Train")
    wait_for(page, r"step \d")
    press(page, "Pause")
    slider(page, "momentum").evaluate(
        "(e) => { e.value = 0.5; e.dispatchEvent(new Event('input')); }"
    )
    press(page, "Go on")
    page.get_by_text("then α = 0.05, μ = 0.5").wait_for(timeout=PATIENCE)
    mark = page.locator(".inside .change").get_attribute("d")
    assert mark.count("M") == 1
    assert page.get_by_role("button", name="Train", exact=True).is_disabled()
    press(page, "Stop")
    wait_for(page, r"was stopped at step [\d,]+\.")
    check_by_kind(page, context=".cnnlesson-figure")
    check_within(page)
    press(page, "Hide training 1")
    assert page.locator(".training .line").count() == 1  # that of the table
    press(page, "Reset")
    expect(page.locator("tbody tr")).to_have_count(0)
    expect(words(page)).to_contain_text("Choose the settings")


def test_presets_set_everything_and_two_hundred_presses_are_one(open_figure):
    page = open_figure(settings=SHORT)
    press(page, "no momentum")
    assert slider(page, "momentum").input_value() == "0"
    assert slider(page, "num_images").input_value() == "6000"
    page.get_by_role("button", name="Train", exact=True).evaluate(
        "(button) => { for (let i = 0; i < 200; i++) button.click(); }"
    )
    wait_for(page, r"step \d")
    assert page.locator("tbody tr").count() == 1
    press(page, "Stop")
    wait_for(page, r"was stopped")


def script_of(part, content):
    packed = base64.b64encode(content).decode()
    return f'(globalThis.cnnlessonParts ??= [])[{part}] = "{packed}";'


def altered(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


FAULTS = {
    "missing": (2, None, "did not arrive"),
    "cut": (len(parcel()) - 1, parcel()[-1][:-10], "arrived damaged"),
    "altered": (2, altered(parcel()[2], 0), "arrived damaged"),
    "altered within": (5, altered(parcel()[5], 60_000), "arrived damaged"),
    "no kernel": (0, b"\0asm\1\0\0\0\1", "has no SIMD"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_arrives_wrong_is_named_and_another_press_mends_it(open_page, addresses, fault):
    part, content, message = FAULTS[fault]
    visit = open_page("about:blank")
    page = visit.page

    def answer(route):
        if content is None:
            route.abort()
        else:
            route.fulfill(content_type="text/javascript", body=script_of(part, content))

    pattern = re.compile(rf"training_lab_{part}\.js")
    page.route(pattern, answer)
    page.goto(f"{addresses['server']}/index.html?training_lab.num_images=200")
    press(page, "Train")
    wait_for(page, message)
    assert "Press Train to try again" in words(page).inner_text()
    page.unroute(pattern)
    trained(page)


def test_a_worker_that_dies_and_an_old_browser_are_named(open_page, addresses):
    page = open_page("about:blank").page
    page.add_init_script(
        "const { Worker } = globalThis; globalThis.Worker = class extends Worker {"
        "  constructor(...a) { super(...a); globalThis.last = this; } };"
    )
    page.goto(f"{addresses['server']}/index.html")
    press(page, "Train")
    wait_for(page, r"step \d")
    page.evaluate("last.onerror(new ErrorEvent('error', { message: 'out of memory' }))")
    wait_for(page, "cut short: out of memory")
    assert page.locator("tbody tr").count() == 1  # nothing is lost
    page.evaluate("delete globalThis.WebAssembly; globalThis.cnnlessonParts = []")
    page.goto(f"{addresses['server']}/index.html")
    page.evaluate("globalThis.DecompressionStream = undefined")
    press(page, "Train")
    wait_for(page, "no WebAssembly, or an old one")


def test_a_hostile_address_is_brought_into_range(open_figure):
    page = open_figure(
        settings={"lr": 1e9, "momentum": -3, "batch_size": "1e99", "pixels": "<b>", "seed": 0.4}
    )
    found = [slider(page, name).input_value() for name in ("lr", "momentum", "batch_size", "seed")]
    assert np.array(found, float) == pytest.approx([0, 0, 256, 0])
    assert page.locator("select[name=pixels]").input_value() == "standardized"

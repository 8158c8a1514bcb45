"""Words beside a mouse that goes over cells: what they say is what was measured, or is computed."""

import json
import math
import re
from functools import partial
from statistics import median

import numpy as np
import pytest
from figure_page import (
    check_by_kind,
    check_within,
    come_back,
    frames,
    middle_of,
    open_menu,
    slider,
    values_on,
    written_rate,
)
from playwright.sync_api import expect
from test_map_lab import MOMENTA, RATES, made_up_map
from test_order_explorer import made_up_runs
from test_run_explorer import by_cell, random_results
from torch.nn.functional import max_pool2d

from cnnlesson.widgets import (
    ConvolutionExplorer,
    DigitReader,
    MapLab,
    OrderExplorer,
    PolynomialFit,
    RunExplorer,
    StabilityMap,
)

RUNS = random_results(5)
CELLS = by_cell(RUNS)
MAP = made_up_map()
EXPLORER = partial(RunExplorer, RUNS, lr=0.01, momentum=0.5, pixels="standardized")
ORDERS = partial(OrderExplorer, made_up_runs(), order="sorted", pixels="unit", momentum=0.8, seed=1)
FIGURES = {
    "run_explorer": EXPLORER,
    "map_lab": lambda: MapLab(MAP),
    "stability_map": StabilityMap,
    "order_explorer": ORDERS,
    "convolution_explorer": lambda: ConvolutionExplorer(
        padding=2, kernel=[0.1] * 12 + [-1.25] * 13
    ),
    "digit_reader": lambda: DigitReader(drawing=DigitReader.samples[3]),
    "polynomial_fit": PolynomialFit,
}
FIGURE_PAGES = {module: [make] for module, make in FIGURES.items()}
# What each figure has that is read: a plot by its place on the page, or a picture of pixels.
PLOTS = {"run_explorer": 0, "map_lab": 0, "stability_map": 0, "order_explorer": 2}
PLOTS["polynomial_fit"] = 1
ROWS = {"run_explorer": 4, "map_lab": 8, "stability_map": 100, "order_explorer": 1}
ROWS |= {"polynomial_fit": PolynomialFit().degree + 1, "convolution_explorer": 32}
ROWS["digit_reader"] = 28


def readout(page):
    return page.locator(".readout")


def place_of(page, module, which=None):
    """Return what is read, in sight, and the x, y, width and height of its cells on the screen."""
    if module in PLOTS:
        element = page.locator(".plot").nth(PLOTS[module] if which is None else which)
        inside = element.locator(".inside")
        element.scroll_into_view_if_needed()
        corner = element.bounding_box()
        x, y, width, height = (
            float(inside.get_attribute(name)) for name in ("x", "y", "width", "height")
        )
        return element, (corner["x"] + x, corner["y"] + y, width, height)
    element = page.locator(".pixels:visible").nth(which or 0)
    element.scroll_into_view_if_needed()
    return element, tuple(element.bounding_box().values())


def told(page, module, across, down, which=None):
    """Return what is said where the mouse is, such parts across and down."""
    _, (x, y, width, height) = place_of(page, module, which)
    page.mouse.move(x + across * width, y + down * height)
    readout(page).wait_for()
    frames(page)
    return readout(page).text_content()


def middles(columns, rows):
    """Return the middles of cells of a grid, by column and row from the upper left."""
    random = np.random.default_rng(0)
    return [
        (int(i), int(j), (i + 0.5) / columns, (j + 0.5) / rows)
        for i, j in zip(random.permutation(columns)[:8], random.integers(0, rows, 8), strict=False)
    ]


def in_words(lr, momentum, fate):
    return f"α = {lr:.3g}, μ = {momentum:.3g}: ".replace("e-0", "e-") + fate


def test_a_map_of_runs_by_cell(open_figure):
    page, figure = open_figure(figure="run_explorer"), EXPLORER()
    rates = sorted({cell[0] for cell in CELLS if "standardized" in cell})
    momenta = sorted({cell[1] for cell in CELLS})
    fates = set()
    for j, momentum in enumerate(momenta):
        for i, lr in enumerate(rates):
            runs = CELLS.get((lr, momentum, 32, "standardized", "shuffled"))
            fate = "Not measured"
            if runs:
                ranks = [-math.inf if r.status == "diverged" else r.test_accuracy for r in runs]
                fate = f"Median test accuracy {median(ranks):.3f}"
                if 2 * sum(r.status == "dead" for r in runs) > len(runs):
                    fate = "Dead"
                if not math.isfinite(median(ranks)):
                    fate = "Diverged"
            where = (i + 0.5) / len(rates), 1 - (j + 0.5) / len(momenta)
            assert told(page, "run_explorer", *where) == in_words(lr, momentum, fate)
            fates.add(fate[:4])
    assert fates == {"Not ", "Medi", "Dead", "Dive"}
    expect(slider(page, "lr")).to_have_attribute("aria-valuetext", f"{figure.lr:.3g}")
    assert "lr" not in page.url


def test_two_maps_by_cell(open_fresh):
    page = open_fresh(figure="map_lab")
    mine = {(5, 3): ("completed", 0.625), (6, 3): ("dead", 0.1), (7, 3): ("diverged", None)}
    kept = {
        f"standardized {RATES[i]:.7g} {MOMENTA[j]} 0": {"status": status, "accuracy": accuracy}
        for (i, j), (status, accuracy) in mine.items()
    }
    page.evaluate("(text) => localStorage.setItem('cnnlesson.map_lab', text)", json.dumps(kept))
    come_back(page)
    page.locator(".is-live").wait_for()
    for i, row, *where in [
        *middles(12, 8),
        *((i, 7 - j, (i + 0.5) / 12, (7.5 - j) / 8) for i, j in mine),
    ]:
        lr, momentum = RATES[i], MOMENTA[7 - row]
        runs = [
            result
            for result in MAP
            if (result.run.lr, result.run.momentum, result.run.pixels)
            == (lr, momentum, "standardized")
        ]
        assert len(runs) == 3
        ranks = [-math.inf if r.status == "diverged" else r.test_accuracy for r in runs]
        failed = ", ".join(sorted({r.status for r in runs} - {"completed"}))
        fate = f"Median test accuracy {median(ranks):.3f}" + f" ({failed})" * bool(failed)
        if not math.isfinite(median(ranks)):
            fate = "Diverged"
        assert told(page, "map_lab", *where, 0) == in_words(lr, momentum, fate)
        status = mine.get((i, 7 - row), [None])[0]
        fate = {
            None: "Not measured",
            "completed": "Median test accuracy 0.625",
            "dead": "Median test accuracy 0.100 (dead)",
            "diverged": "Diverged",
        }[status]
        assert told(page, "map_lab", *where, 1) == in_words(lr, momentum, fate)


def test_a_single_cell_that_sliders_chose_is_told_in_words(open_figure):
    one = {"left": 4, "right": 4, "bottom": 2, "top": 2}
    page = open_figure(390, figure="map_lab", settings=one)
    accuracies = [
        result.test_accuracy
        for result in MAP
        if (result.run.lr, result.run.momentum) == (RATES[4], MOMENTA[2])
        and result.run.pixels == "standardized"
    ]
    said = in_words(RATES[4], MOMENTA[2], f"Median test accuracy {median(accuracies):.3f}")
    assert page.locator(".agreement").inner_text().startswith(said)


def test_the_stability_map_by_place(open_figure):
    page = open_figure(figure="stability_map")
    _, (_, _, width, height) = place_of(page, "stability_map")
    for across, down in [(0.01, 0.99), (0.2, 0.1), (0.5, 0.5), (0.7, 0.97), (0.93, 0.4), (0.99, 0)]:
        words = told(page, "stability_map", across, down)
        found = re.fullmatch(r"αλ = ([\d.]+), μ = ([\d.]+): (ρ = [\d.]+)", words)
        scaled_lr, momentum = map(float, found.groups()[:2])
        assert scaled_lr == pytest.approx(4 * across, abs=0.01 + 4 / width)
        assert momentum == pytest.approx(1 - down, abs=0.01 + 1 / height)
        figure = StabilityMap(scaled_lr=scaled_lr, momentum=momentum)
        assert found[3] == written_rate(figure.rate)
    assert values_on(page)["scaled_lr"] == str(StabilityMap().scaled_lr)


def test_the_answers_by_moment_and_digit(open_figure):
    page, figure = open_figure(figure="order_explorer"), ORDERS()
    run, digits = figure.result.run, set()
    for across in (0.1, 0.4, 0.75, 0.97):
        for down in (0.02, 0.3, 0.6, 0.98):
            words = told(page, "order_explorer", across, down)
            number = math.floor(across * run.num_steps / run.measure_every + 0.5)
            counts = figure.result.answers[number - 1]
            shares = np.floor(100 * np.array(counts) / 500 + 0.5)
            ends = np.cumsum(shares) / shares.sum()
            digit = int(np.searchsorted(ends, 1 - down))
            step = number * run.measure_every
            assert words == f"step {step}: it answers {digit} to {shares[digit]:.0f}%"
            digits.add(digit)
    assert len(digits) > 3
    x, y, *_ = place_of(page, "order_explorer")[1]
    page.mouse.move(x + 1, y + 5)
    expect(readout(page)).to_have_count(0)  # there nothing is measured yet


def numbers(words):
    """Return the row, the column and the value."""
    found = re.fullmatch(r"row (−?\d+), column (−?\d+): (−?\d+\.\d\d)", words)
    return [float(part.replace("−", "-")) for part in found.groups()]


def test_pixels_of_a_convolution(open_figure):
    page = open_figure(figure="convolution_explorer")
    figure = ConvolutionExplorer(padding=2, kernel=[0.1] * 12 + [-1.25] * 13)
    image = np.pad(figure.image().numpy(), 2)
    for i, j, *where in [*middles(32, 32), (0, 0, 0.01, 0.01)]:
        row, column, value = numbers(told(page, "convolution_explorer", *where))
        assert (row, column) == (j - 2, i - 2)
        assert value == pytest.approx(image[j, i], abs=0.0051)
    # Patch, kernel and products, which are pictures as soon as they are larger than 3×3.
    row, column = figure.pixel
    patch = image[row : row + 5, column : column + 5]
    kernel = np.reshape(figure.kernel, (5, 5))
    for which, values in enumerate((patch, kernel, patch * kernel), 2):
        for i, j, *where in middles(5, 5):
            *place, value = numbers(told(page, "convolution_explorer", *where, which))
            assert place == [j, i]
            assert value == pytest.approx(values[j, i], abs=0.0051)


def test_pixels_and_maps_of_a_reader(open_figure):
    page = open_figure(figure="digit_reader")
    figure = FIGURES["digit_reader"]()
    as_drawn = DigitReader(drawing=figure.drawing, placing="as drawn")
    for which, image in enumerate((as_drawn.image().numpy(), figure.image().numpy())):
        for i, j, *where in middles(28, 28):
            row, column, value = numbers(told(page, "digit_reader", *where, which))
            assert (row, column) == (j, i)
            assert value == pytest.approx(image[j, i], abs=0.0051)
    layers = layers_of(figure)
    for which, (maps, across) in enumerate(zip(layers, (8, 8, 16, 16), strict=True), 2):
        for i, j, *where in middles(across, len(maps) // across):
            words = told(page, "digit_reader", *where, which)
            channel, most = re.fullmatch(r"map (\d+), largest value (\d+\.\d\d)", words).groups()
            assert int(channel) == across * j + i
            assert float(most) == pytest.approx(maps[int(channel)].max(), abs=0.0051)
    chosen = layers[
        ["convolution 1", "pooling 1", "convolution 2", "pooling 2"].index(figure.layer)
    ]
    chosen = chosen[figure.channel]
    for i, j, *where in middles(*chosen.shape):
        row, column, value = numbers(told(page, "digit_reader", *where, 6))
        assert (row, column) == (j, i)
        assert value == pytest.approx(chosen[j, i], abs=0.0051)


def layers_of(reader):
    """Return the maps after each convolution and each pooling, by PyTorch."""
    x = (reader.image()[None, None] - 0.1307) / 0.3081
    first, relu, _, second = reader.model.double().layers[:4]
    one = relu(first(x))
    two = relu(second(max_pool2d(one, 2)))
    return [maps[0].detach().numpy() for maps in (one, max_pool2d(one, 2), two, max_pool2d(two, 2))]


def test_bars_by_row(open_figure):
    page, figure = open_figure(figure="polynomial_fit"), PolynomialFit()
    early, tikhonov = figure.early_stopping(), figure.tikhonov()
    for row in range(len(early)):
        words = told(page, "polynomial_fit", 0.5, (row + 0.5) / len(early)).replace("−", "-")
        found = re.fullmatch(r"λ = \S+: early stopping (-?[\d.]+), Tikhonov ([\d.]+)", words)
        assert [float(part) for part in found.groups()] == pytest.approx(
            [early[row], tikhonov[row]], abs=0.0051
        )


@pytest.mark.parametrize("module", FIGURES)
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_it_stays_inside_covers_nothing_it_tells_of_and_goes(open_figure, width, theme, module):
    page = open_figure(width, theme, figure=module)
    tall = ROWS[module]
    before, settings = page.locator(".is-live > *").count(), values_on(page)
    for across in (0.06, 0.5, 0.94):
        for down in (0.02, 0.5, 0.98):
            told(page, module, across, down)
            _, (_, y, _, height) = place_of(page, module)
            root, box = page.locator(".is-live").bounding_box(), readout(page).bounding_box()
            assert root["x"] - 0.01 <= box["x"]
            assert box["x"] + box["width"] <= root["x"] + root["width"] + 0.01
            assert root["y"] <= box["y"]
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= root["y"] + root["height"]
            top = y + height / tall * math.floor(down * tall)
            assert box["y"] + box["height"] < top or box["y"] > top + height / tall
    expect(readout(page)).to_have_attribute("aria-hidden", "true")
    check_by_kind(page, context=".is-live")
    check_within(page)
    page.mouse.move(2, 2)
    expect(readout(page)).to_have_count(0)
    assert page.locator(".is-live > *").count() == before
    assert values_on(page) == settings


def test_who_presses_draws_and_is_told_nothing(open_figure):
    page = open_figure(figure="convolution_explorer")
    told(page, "convolution_explorer", 0.3, 0.3)
    page.mouse.down()
    frames(page)
    expect(readout(page)).to_have_count(0)
    page.mouse.up()
    assert numbers(told(page, "convolution_explorer", 0.3, 0.3))[2] == 1  # the pen was there


def test_what_changes_under_a_mouse_that_rests_is_told(open_figure):
    page = open_figure(figure="polynomial_fit")
    before = told(page, "polynomial_fit", 0.5, 0.01)
    slider(page, "num_steps").evaluate(
        "(e) => { e.value = 0; e.dispatchEvent(new Event('input')); }"
    )
    frames(page)
    early = PolynomialFit(num_steps=1).early_stopping()[0]
    assert f"early stopping {early:.2f}," in readout(page).text_content() != before


def test_a_finger_chooses_and_sees_the_words_below(open_figure):
    page = open_figure(390, figure="run_explorer", has_touch=True)
    _, (x, y, width, height) = place_of(page, "run_explorer")
    page.touchscreen.tap(x + 0.3 * width, y + 0.6 * height)
    frames(page)
    expect(readout(page)).to_have_count(0)


def test_what_comes_late_tells_nobody_who_went_on(open_figure):
    page = open_figure(figure="stability_map")
    held = []
    page.route("**/readout.js", lambda route: held.append(route))
    x, y = middle_of(place_of(page, "stability_map")[0])
    with page.expect_request("**/readout.js"):
        page.mouse.move(x, y)
    page.mouse.move(2, 2)
    held[0].continue_()
    page.wait_for_function("() => 'readout' in cnnlessonModules")
    frames(page)
    expect(readout(page)).to_have_count(0)


def test_one_that_does_not_arrive_is_asked_for_again(open_page, addresses):
    page = open_page(f"{addresses['server']}/stability_map.html").page
    page.locator(".is-live").wait_for()
    page.route("**/readout.js", lambda route: route.abort())
    x, y = middle_of(place_of(page, "stability_map")[0])
    with page.expect_event("requestfailed"):
        page.mouse.move(x, y)
    page.unroute("**/readout.js")
    page.wait_for_timeout(50)
    told(page, "stability_map", 0.4, 0.4)


def test_a_saved_picture_holds_none(open_figure):
    page = open_figure(figure="stability_map")
    menu = open_menu(page)
    words = told(page, "stability_map", 0.4, 0.4)
    with page.expect_download() as download:
        # By the keyboard: the mouse stays where it is.
        menu.get_by_role("button", name="Save as SVG").focus()
        page.keyboard.press("Enter")
    assert readout(page).text_content() == words
    content = download.value.path().read_text("utf-8")
    assert "Stability map" in content
    assert words not in content

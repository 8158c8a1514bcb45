"""The digit reader in a real browser: what is drawn is what PyTorch computes."""

import base64
import json
import re

import numpy as np
import pytest
import torch
from figure_page import HAND_AND_EYE, frames, swipe_by
from playwright.sync_api import expect

from cnnlesson import evaluate, load_digits, predict_logits, standardize
from cnnlesson.widgets import DigitReader
from cnnlesson.widgets.digit_reader.digit_reader import WEIGHTS, percent

SUMS = ("bias", "bias"), ("sum", "total"), ("after ReLU", "value")
GRIDS = (8, 26), (8, 13), (16, 11), (16, 5)  # how many maps side by side, and their size
LAYERS = ("convolution 1", "pooling 1", "convolution 2", "pooling 2")
SEES = {"convolution 1": (3, 1), "pooling 1": (4, 2), "convolution 2": (8, 2), "pooling 2": (10, 4)}
SIX = DigitReader.samples[6]
FIGURE = DigitReader
READ = """async () => {
    await new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)));
    const all = (selector) => [...document.querySelectorAll(`.is-live ${selector}`)];
    const rects = (map) => [...map.querySelectorAll("rect.window")]
        .filter((rect) => rect.getAttribute("visibility") !== "hidden")
        .map((rect) => ["x", "y", "width"].map((name) => rect[name].baseVal.value));
    return {
        settings: Object.fromEntries(all("input, select").map(({ name, value }) => [name, value])),
        verdict: all(".verdict")[0].innerText,
        about: all(".about")[0].innerText,
        table: all("tbody tr").map((row) => [...row.cells].map((cell) => cell.innerText)),
        best: all("tr.best th").map((cell) => cell.innerText),
        bars: all("tbody i").map((bar) => bar.getBoundingClientRect().width),
        room: all(".share")[0].getBoundingClientRect().width,
        said: all(".pixels[role=slider]").map((map) => map.ariaValueText),
        windows: all(".pixels").map(rects),
        links: all("path.link").map((path) => path.getAttribute("d")),
        caption: all(".links")[0].innerText,
        behind: all(".closer > :last-child > p")[0].innerText,
        squares: all(".sum > div").map((box) => [...box.children].map((cell) => cell.innerText)),
        marked: all(".sum b").findIndex((cell) => cell.className === "marked"),
        rows: all(".sum tr").map((row) => [...row.cells].map((cell) => cell.innerText)),
        maps: all(".pixels canvas").map((canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return { height, width, data: Array.from(data.filter((_, i) => i % 4 === 0)) };
        }),
    };
}"""


def grey(values, most):
    return 255 * np.sqrt(values / (most or 1))


def numbers(texts):
    return [float(text.replace("−", "-")) for text in texts]


def sum_behind(reader, which, channel, pixel):
    """Return what a pixel of a layer is made of, by PyTorch, as `behind.js` does."""
    x = (reader.image()[None] - 0.1307) / 0.3081
    first, relu, pool, second = reader.model.double().layers[:4]
    with torch.no_grad():
        before, conv = (x, first) if which < 2 else (pool(relu(first(x))), second)
        sums, kernels = conv(before)[channel], conv.weight[channel]
        row, column = (np.array(pixel) * (1 + which % 2)).tolist()
        corner = sums[row:, column:][: 1 + which % 2, : 1 + which % 2].relu()
        place = corner.flatten().argmax().item()
        row, column = row + place // 2, column + place % 2
        patches = before[:, row : row + 3, column : column + 3]
        sizes = kernels.abs().sum(dim=(1, 2))
        return {
            "at": [row, column],
            "values": corner.flatten().numpy(),
            "value": corner.max().item(),
            "patches": patches.flatten(1).numpy(),
            "kernels": kernels.flatten(1).numpy(),
            "parts": (patches * kernels).sum(dim=(1, 2)).numpy(),
            "bias": conv.bias[channel].item(),
            "total": sums[row, column].item(),
            "shares": (sizes / sizes.sum()).numpy(),
            "white": before.max().item(),
        }


def check_sum(read, expected):
    """Compare the panel with the sum that is behind a pixel."""
    parts = expected["parts"]
    order = np.argsort(-np.abs(parts), kind="stable")
    first, others = order[0], order[3:]
    is_first = len(parts) == 1
    name = "pixels" if is_first else f"map {first}"
    patch, kernel = expected["patches"][first], expected["kernels"][first]
    squares = [(name, patch), ("× kernel", kernel), ("= products", patch * kernel)]
    place = -1
    if len(expected["values"]) == 4:
        squares.append(("largest of", expected["values"]))
        place = 27 + expected["values"].argmax()
        row, column = expected["at"]
        assert f"The largest of four, row {row}, column {column} before" in read["behind"]
    assert read["marked"] == place
    for (title, *cells), (expected_title, values) in zip(read["squares"], squares, strict=True):
        assert title == expected_title
        exact = 0.0101 if title == "= products" else 0.00501  # rounded to add up
        np.testing.assert_allclose(numbers(cells), values, atol=exact)
    rows = [(f"map {i}", parts[i]) for i in order[:3]]
    if is_first:
        rows = [("pixels", parts[0])]
    else:
        rows.append((f"{len(others)} others", parts[others].sum()))
        assert "nine products of each of 32 maps" in read["behind"]
    rows += [(name, expected[key]) for name, key in SUMS]
    assert [name for name, _ in read["rows"]] == [name for name, _ in rows]
    shown = numbers(value for _, value in read["rows"])
    np.testing.assert_allclose(shown, [value for _, value in rows], atol=0.0101)
    *added, total, value = shown
    assert total == pytest.approx(expected["total"], abs=0.00501)
    # As they are read, they add up.
    assert sum(numbers(read["squares"][2][1:])) == pytest.approx(added[0], abs=1e-9)
    assert sum(added) == pytest.approx(total, abs=1e-9)
    assert value == max(total, 0)


def check_links(read, layer, channel, *, is_chosen):
    """Compare what is marked as feeding a map with the weights of PyTorch's network."""
    which, model = LAYERS.index(layer), DigitReader().model.double()

    def corner(at, i):
        across, size = GRIDS[i]
        return f"M{at % across * (size + 1)},{at // across * (size + 1)}"

    def frame(at, i):
        size = GRIDS[i][1]
        return f"{corner(at, i)}h{size}v{size}h-{size}z"

    marked = [[], [], [], []]
    if not is_chosen:
        marked[which].append(frame(channel, which))
    if which % 2:
        marked[which - 1].append(frame(channel, which - 1))
    if which < 2:
        assert "Point at a map of the second layer" in read["caption"]
        assert read["links"] == ["".join(parts) for parts in marked]
        return
    sizes = model.layers[3].weight[channel].detach().abs().sum(dim=(1, 2))
    shares = (sizes / sizes.sum()).numpy()
    most = np.argsort(-shares)[:3]
    named = "; ".join(f"map {i}, {100 * shares[i]:.1f}%" for i in most)
    assert f"behind map {channel} of {layer}" in read["caption"]
    assert f"Most: {named}. An even share is {100 / 32:.1f}%." in read["caption"]
    for i in (0, 1):
        frames, *bars = re.split(r"(?=M[\d,]+m)", read["links"][i])
        assert frames == "".join(frame(at, i) for at in most)
        assert [bar.split("m")[0] for bar in bars] == [corner(at, i) for at in range(32)]
        size = GRIDS[i][1]
        ends = [[float(n) for n in re.split("[,h]", bar.split("m")[1])] for bar in bars]
        expected = [[0, size, size * share / shares.max()] for share in shares]
        np.testing.assert_allclose(ends, expected, rtol=1e-9)
    assert read["links"][2:] == ["".join(parts) for parts in marked[2:]]


def check_drawn(page, *, pixel=None, linked=None, **settings):
    """Compare every pixel, number and word with PyTorch's for these settings.

    ``pixel`` is the one that the reader looks into, if any, and ``linked`` the layer and the map
    that are pointed at.
    """
    reader = DigitReader(**settings)
    read = page.evaluate(READ)
    paper, image, *mosaics, large = (
        np.array(canvas["data"]).reshape(canvas["height"], canvas["width"])
        for canvas in read["maps"]
    )
    shown = {"placing": reader.placing, "layer": reader.layer, "channel": str(reader.channel)}
    assert read["settings"] == shown
    drawn = DigitReader(drawing=reader.drawing, placing="as drawn").image()
    np.testing.assert_allclose(paper, 255 * drawn, atol=0.51)
    np.testing.assert_allclose(image, 255 * reader.image(), atol=0.51)

    model = reader.model.double()
    x = (reader.image()[None, None] - 0.1307) / 0.3081
    maps = {}
    with torch.no_grad():
        for i, layer in enumerate(model.layers):
            x = layer(x)
            maps[i] = x[0].numpy()
    maps = dict(zip(LAYERS, (maps[1], maps[2], maps[4], maps[5]), strict=True))
    for drawn, (name, values) in zip(mosaics, maps.items(), strict=True):
        count, size, _ = values.shape
        across, most = {32: 8, 64: 16}[count], values.max()
        assert drawn.shape == (count // across * (size + 1) - 1, across * (size + 1) - 1), name
        for channel in range(count):
            row, column = (size + 1) * (channel // across), (size + 1) * (channel % across)
            found = drawn[row : row + size, column : column + size]
            np.testing.assert_allclose(found, grey(values[channel], most), atol=0.51)

    values = maps[reader.layer]
    count, size, _ = values.shape
    channel = min(reader.channel, count - 1)
    chosen, most = values[channel], values[channel].max()
    np.testing.assert_allclose(large, grey(chosen, most), atol=0.51)
    assert f"Map {channel} of {reader.layer}, {size}×{size}." in read["about"]
    across, which = {32: 8, 64: 16}[count], LAYERS.index(reader.layer)
    windows = [[] for _ in range(7)]
    windows[2 + which] = [[channel % across * (size + 1), channel // across * (size + 1), size]]
    (sees, step), (row, column) = SEES[reader.layer], pixel or np.argwhere(chosen == most)[0]
    windows[1] = [[step * column, step * row, sees]]
    windows[6] = [[column, row, 1]]
    place = f"row {row}, column {column}: {chosen[row, column]:.2f}"
    framed = f"Framed is {place}" if pixel or not most else f"value, {most:.2f}, is framed"
    assert f"{framed}; that one sees the {sees}×{sees} pixels" in read["about"]
    assert ("It is zero everywhere" in read["about"]) == (most == 0)
    assert read["said"][5] == place
    check_sum(read, sum_behind(reader, which, channel, (row, column)))
    check_links(read, *(linked or (reader.layer, channel)), is_chosen=not linked)
    assert read["windows"] == windows
    assert read["said"][1 + which] == f"map {channel}, largest value {most:.2f}"

    logits, probabilities = reader.logits().numpy(), reader.probabilities().numpy()
    second, first = probabilities.argsort()[-2:]
    best = f"{'an' if first == 8 else 'a'} {first}, {percent(probabilities[first])}."
    assert read["verdict"].endswith(
        f"eads {best} Second guess {second}, {percent(probabilities[second])}."
    )
    assert read["best"] == [str(first)]
    for label, (name, logit, p, _) in enumerate(read["table"]):
        assert (name, p) == (str(label), percent(probabilities[label]))
        assert float(logit.replace("−", "-")) == pytest.approx(logits[label], abs=0.0501)
    full = max(read["bars"]) / probabilities.max()
    assert full <= read["room"]
    np.testing.assert_allclose(read["bars"], np.maximum(full * probabilities, 1), atol=0.3)


def point_at(page, which, row, column, cells=(28, 28)):
    """Return where a place of a map is on the screen, scrolled there."""
    canvas = page.locator(".pixels canvas").nth(which)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    y, x = (row + 0.5) / cells[0] * box["height"], (column + 0.5) / cells[1] * box["width"]
    return box["x"] + x, box["y"] + y


@HAND_AND_EYE
def test_every_control_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    check_drawn(page)
    samples = page.get_by_role("group", name="Samples").get_by_role("button")
    for label, button in enumerate(samples.all()):
        if label % 2:
            button.click()
        else:
            button.press("Enter")
        expect(page.locator(".verdict")).to_contain_text(f"{label}, ")
    state = {"drawing": DigitReader.samples[9]}
    check_drawn(page, **state)

    page.locator("select[name=placing]").press("ArrowDown")
    state["placing"] = "as drawn"
    check_drawn(page, **state)
    page.locator("select[name=layer]").select_option("convolution 2")
    slider = page.locator("input[name=channel]")
    slider.press("End")
    state |= {"layer": "convolution 2", "channel": 63}
    check_drawn(page, **state)
    page.locator("select[name=layer]").press("ArrowUp")
    check_drawn(page, **(state | {"layer": "pooling 1", "channel": 31}))
    expect(slider).to_have_value("31")  # which is the last of this layer
    expect(slider).to_have_attribute("max", "31")
    expect(slider).to_have_attribute("aria-valuetext", "31")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 10, box["y"] + box["height"] / 2)
    check_drawn(page, **(state | {"layer": "pooling 1", "channel": 0}))

    for which, layer, cells, row, column in (
        (2, LAYERS[0], (4, 8), 2, 5),
        (3, LAYERS[1], (4, 8), 3, 7),
        (4, LAYERS[2], (4, 16), 0, 15),
        (5, LAYERS[3], (4, 16), 3, 1),
    ):
        page.mouse.click(*point_at(page, which, row, column, cells))
        state |= {"layer": layer, "channel": cells[1] * row + column}
        check_drawn(page, **state)
    mosaic = page.get_by_role("slider", name="pooling 2")
    for key, channel in (
        ("ArrowUp", 33),
        ("ArrowLeft", 32),
        ("ArrowLeft", 32),
        ("Shift+ArrowRight", 37),
    ):
        mosaic.press(key)
        expect(slider).to_have_value(str(channel))
    check_drawn(page, **(state | {"channel": 37}))
    page.get_by_role("button", name="Reset").click()
    check_drawn(page)


@HAND_AND_EYE
def test_a_pixel_is_looked_into_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host, settings={"layer": "convolution 2", "channel": 5})
    state = {"layer": "convolution 2", "channel": 5}
    large = page.get_by_role("slider", name="The chosen map")
    page.mouse.click(*point_at(page, 6, 2, 9, (11, 11)))
    page.mouse.move(*point_at(page, 6, 8, 8, (11, 11)))  # going by changes nothing
    check_drawn(page, **state, pixel=(2, 9))
    for key, pixel in (
        ("ArrowLeft", (2, 8)),
        ("ArrowDown", (3, 8)),
        ("Shift+ArrowRight", (3, 10)),
        ("Shift+ArrowUp", (0, 10)),
    ):
        large.press(key)
        check_drawn(page, **state, pixel=pixel)
    page.get_by_role("group", name="Samples").get_by_role("button", name="2").click()
    state["drawing"] = DigitReader.samples[2]
    check_drawn(page, **state, pixel=(0, 10))  # the same pixel of another digit
    page.locator("input[name=channel]").press("ArrowRight")
    state["channel"] = 6
    check_drawn(page, **state)  # of another map again the brightest
    page.locator("select[name=layer]").select_option("pooling 2")
    state["layer"] = "pooling 2"
    page.mouse.click(*point_at(page, 6, 4, 1, (5, 5)))
    check_drawn(page, **state, pixel=(4, 1))
    page.locator("select[name=layer]").select_option("pooling 1")
    state["layer"] = "pooling 1"
    large.press("ArrowRight")
    row, column = brightest(**state)
    check_drawn(page, **state, pixel=(row, column + 1))
    page.get_by_role("button", name="Reset").click()
    check_drawn(page)
    large.press("ArrowRight")
    page.get_by_role("button", name="Reset").click()
    check_drawn(page)  # also where no setting changes


def brightest(**settings):
    """Return the place of the largest value of a map in the reader's pooled first layer."""
    reader = DigitReader(**settings)
    x = (reader.image()[None] - 0.1307) / 0.3081
    with torch.no_grad():
        maps = reader.model.double().layers[:3](x)
    return np.argwhere(maps[reader.channel] == maps[reader.channel].max()).numpy()[:, 0]


def test_a_finger_looks_into_a_pixel_unless_it_scrolls(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    page.touchscreen.tap(*point_at(page, 6, 5, 9, (26, 26)))
    check_drawn(page, pixel=(5, 9))
    x, y = point_at(page, 6, 20, 20, (26, 26))
    swipe_by(page, (x, y), (0, -200))
    check_drawn(page, pixel=(5, 9))
    mosaic = point_at(page, 4, 1, 3, (4, 16))
    page.touchscreen.tap(*mosaic)
    check_drawn(page, layer="convolution 2", channel=19)


def test_what_feeds_a_map_is_marked_under_the_mouse_and_in_focus(open_figure):
    page = open_figure(settings={"channel": 3})
    for which, layer, cells, row, column in (
        (4, LAYERS[2], (4, 16), 2, 7),
        (5, LAYERS[3], (4, 16), 3, 15),
        (3, LAYERS[1], (4, 8), 1, 2),
        (2, LAYERS[0], (4, 8), 3, 0),
    ):
        page.mouse.move(*point_at(page, which, row, column, cells))
        check_drawn(page, channel=3, linked=(layer, cells[1] * row + column))
    page.mouse.move(*point_at(page, 2, 0, 3, (4, 8)))
    check_drawn(page, channel=3)  # the chosen one
    page.mouse.move(0, 0)
    check_drawn(page, channel=3)
    mosaic = page.get_by_role("slider", name="pooling 2")
    mosaic.focus()
    check_drawn(page, channel=3, linked=("pooling 2", 3))
    mosaic.press("ArrowDown")
    check_drawn(page, layer="pooling 2", channel=19)
    page.locator("select[name=layer]").press("Home")
    check_drawn(page, channel=19)
    expect(page.get_by_role("status").first).to_contain_text("Map 19 of convolution 1")


@HAND_AND_EYE
def test_drawing_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    page.get_by_role("button", name="Clear").click()
    check_drawn(page, drawing="")
    expect(page.locator(".verdict")).to_contain_text("Clean paper.")

    page.mouse.move(*point_at(page, 0, 6, 8))
    page.mouse.down()
    for place in ((6, 20), (24, 12)):
        page.mouse.move(*point_at(page, 0, *place))
    page.mouse.up()
    page.mouse.move(*point_at(page, 0, 25, 5))
    check_drawn(page, drawing=".686koc")
    eraser = page.get_by_role("button", name="Eraser")
    eraser.click()
    page.mouse.click(*point_at(page, 0, 24, 12))
    check_drawn(page, drawing=".686koc-oc")
    undo = page.get_by_role("button", name="Undo")
    undo.click()
    check_drawn(page, drawing=".686koc")
    eraser.press("Space")

    pen = page.get_by_role("slider", name="Your drawing")
    for key in ("Space", "Shift+ArrowLeft", "ArrowDown", "Enter"):
        pen.press(key)
    check_drawn(page, drawing=".686koc*oc.ocp7")
    undo.press("Enter")
    undo.press("Enter")
    check_drawn(page, drawing=".686koc")
    # The address follows when the hand rests.
    page.wait_for_function(
        "() => new URLSearchParams(location.search).get('digit_reader.drawing') === '.686koc'"
    )


def test_a_finger_draws_and_the_page_stays(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Clear").tap()
    session = page.context.new_cdp_session(page)
    point_at(page, 0, 0, 0)
    top = page.evaluate("scrollY")
    for i, row in enumerate((5, 12, 22)):
        x, y = point_at(page, 0, row, 14)
        kind = "touchMove" if i else "touchStart"
        points = [{"x": x, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    read = page.evaluate(READ)
    paper = np.array(read["maps"][0]["data"]).reshape(28, 28)
    assert (paper[5:23, 14] == 255).all()
    assert page.evaluate("scrollY") == top
    assert "Reads a 1," in read["verdict"]


def test_on_a_phone_the_maps_come_right_after_the_verdict(open_figure):
    page = open_figure(width=390)
    frames(page)
    verdict, maps, table = (
        page.locator(f".is-live {part}").first.bounding_box()
        for part in (".verdict", ".next + .columns .pixels", "table")
    )
    assert verdict["y"] < maps["y"] < table["y"]
    assert maps["y"] - verdict["y"] < 260


def test_a_second_finger_leaves_no_mark(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Clear").tap()
    session = page.context.new_cdp_session(page)
    palm = dict(zip("xy", point_at(page, 0, 24, 24), strict=True), id=1)
    for i, row in enumerate((4, 10, 16)):
        finger = dict(zip("xy", point_at(page, 0, row, 4), strict=True), id=0)
        kind, touches = "touchMove" if i else "touchStart", [finger] if not i else [finger, palm]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        palm["x"] -= 10
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    paper = np.array(page.evaluate(READ)["maps"][0]["data"]).reshape(28, 28)
    assert (paper[4:17, 4] == 255).all()
    assert not paper[:, 6:].any()


def test_the_eraser_is_put_away_with_the_sheet(open_figure):
    page = open_figure()
    eraser = page.get_by_role("button", name="Eraser")
    for name in ("Clear", "Reset"):
        eraser.click()
        expect(eraser).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name=name).click()
        expect(eraser).to_have_attribute("aria-pressed", "false")


def test_a_sheet_rubbed_clean_is_clean_paper_and_begins_anew(open_figure):
    page = open_figure(settings={"drawing": ".5868-5868"})
    expect(page.locator(".verdict")).to_contain_text("Clean paper.")
    page.mouse.click(*point_at(page, 0, 14, 14))
    check_drawn(page, drawing=".ee")
    page.wait_for_function("() => location.search.endsWith('drawing=.ee')")


def test_a_full_sheet_says_so(open_figure):
    page = open_figure(settings={"drawing": "." + "58" * 1995 + "555555"})  # 3,997 characters
    expect(page.locator(".full")).to_contain_text("undo some, or clear it")
    page.mouse.click(*point_at(page, 0, 14, 14))
    page.mouse.click(*point_at(page, 0, 20, 20))
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".full")).to_have_text("")
    check_drawn(page, drawing="")


def test_one_input_is_painted_in_the_next_frame(open_figure):
    page = open_figure()
    page.get_by_role("group", name="Samples").get_by_role("button", name="4").evaluate(
        "(button) => new Promise((f) => { button.click(); requestAnimationFrame(f); })"
    )
    assert page.locator(".verdict").inner_text().startswith("Reads a 4,")


def test_the_address_holds_the_settings(open_figure):
    page = open_figure(host="file")
    page.get_by_role("group", name="Samples").get_by_role("button", name="1").click()
    page.locator("select[name=placing]").select_option("as drawn")
    page.locator("input[name=channel]").press("ArrowRight")
    page.wait_for_function("() => location.search.includes('channel')")
    assert page.url.endswith(
        "index.html?digit_reader.drawing=.5fnd&digit_reader.placing=as+drawn&digit_reader.channel=1"
    )
    again = open_figure(host="file", tail=page.url.split("index.html")[1])
    check_drawn(again, drawing=".5fnd", placing="as drawn", channel=1)


def test_the_answer_is_said_in_words(open_figure):
    page = open_figure()
    status = page.locator(".is-live").get_by_role("status").first
    expect(status).to_have_text("")
    page.get_by_role("group", name="Samples").get_by_role("button", name="7").click()
    expect(status).to_contain_text(
        "Reads a 7, >99.9%. Second guess 3, <0.1%. Map 0 of convolution 1"
    )


def test_the_page_loads_the_weights_once_and_beside_the_figure(open_figure):
    page = open_figure()
    weights = base64.b64encode(WEIGHTS.read_bytes()).decode()
    assert page.evaluate("cnnlessonData.digit_reader.weights") == weights
    assert weights[:100] not in page.content()


COMPUTE = """async ([source, weights, packed, states]) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { behind, compute, forward, unpack } = await import(address);
    const parameters = unpack(weights);
    const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
    const images = Array.from({ length: bytes.length / 784 }, (_, n) =>
        Array.from({ length: 28 }, (_, i) =>
            Array.from(bytes.subarray(784 * n + 28 * i, 784 * n + 28 * i + 28), (b) => b / 255)));
    return JSON.stringify([
        images.map((image) => forward(image, parameters).logits),
        states.map((state) => {
            const result = compute(state, parameters);
            const { image, layers, probabilities, channel, brightest } = result;
            const flat = layers.map(({ maps }) => [...maps]);
            const sums = state.looked.map((place) => behind(result, parameters, ...place));
            return { image, flat, probabilities, channel, brightest, sums };
        }),
    ]);
}"""


def run_javascript(page, images, states):
    packed = base64.b64encode(images.to(torch.uint8).numpy().tobytes()).decode()
    # These are no exports of the figure's module: for the test they are made such.
    source = DigitReader()._esm.replace(
        "export default", "export { behind, forward, unpack };\nexport default"
    )
    weights = base64.b64encode(WEIGHTS.read_bytes()).decode()
    return json.loads(page.evaluate(COMPUTE, [source, weights, packed, states]))


def test_javascript_reads_digits_as_pytorch_does(open_page, request):
    digits = load_digits("mnist-test" if request.config.has_mnist else "sklearn")
    images, labels = digits.images[:1000].round(), digits.labels[:1000]
    found, _ = run_javascript(open_page("about:blank").page, images, [])
    found, model = torch.tensor(found, dtype=torch.float64), DigitReader().model
    single = predict_logits(model, standardize(images))
    x = (images.double() / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(found, predict_logits(model.double(), x), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found, single, atol=1e-4)
    np.testing.assert_allclose(found.softmax(1), single.softmax(1), atol=1e-4)
    accuracy = (found.argmax(1) == labels).double().mean().item()
    assert accuracy == evaluate(model.float(), standardize(images), labels)
    if request.config.has_mnist:
        assert accuracy > 0.98


def test_javascript_computes_what_pytorch_computes(open_page):
    random = np.random.default_rng(0)
    alphabet = "0123456789abcdefghijklmnopqr"

    def stroke():
        places = random.integers(0, 28, 2 * random.integers(1, 9))
        return random.choice([".", ".", "-", "*"]) + "".join(alphabet[i] for i in places)

    readers = [
        DigitReader(
            drawing="".join(stroke() for _ in range(i % 6)),
            placing=random.choice(["centred", "as drawn"]).item(),
            layer=random.choice(LAYERS).item(),
            channel=random.integers(0, 64),
        )
        for i in range(60)
    ]

    def looked():
        """Return a layer, one of its maps and one of its pixels."""
        which = random.integers(4).item()
        across, size = GRIDS[which]
        return which, random.integers(4 * across).item(), random.integers(0, size, 2).tolist()

    states = [{**reader.settings, "looked": [looked() for _ in range(8)]} for reader in readers]
    _, results = run_javascript(open_page("about:blank").page, torch.zeros(0, 784), states)
    for reader, state, result in zip(readers, states, results, strict=True):
        for place, found in zip(state["looked"], result["sums"], strict=True):
            expected = sum_behind(reader, *place)
            parts = {key: [part[key] for part in found["parts"]] for key in found["parts"][0]}
            assert parts["map"] == list(range(len(parts["map"])))
            assert found["at"] == expected["at"]
            products = expected["patches"] * expected["kernels"]
            for value, other in (
                *((found[key], expected[key]) for key in ("values", "value", "bias", "white")),
                (parts["patch"], expected["patches"]),
                (parts["kernel"], expected["kernels"]),
                (parts["products"], products),
                (parts["part"], expected["parts"]),
                (parts["share"], expected["shares"]),
                (max(sum(parts["part"]) + found["bias"], 0), found["value"]),
            ):
                np.testing.assert_allclose(value, other, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(result["image"], reader.image(), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(result["probabilities"], reader.probabilities(), atol=1e-9)
        x, model = (reader.image()[None, None] - 0.1307) / 0.3081, reader.model.double()
        with torch.no_grad():
            for i, layer in enumerate(model.layers[:6]):
                x = layer(x)
                if i in (1, 2, 4, 5):
                    found = result["flat"].pop(0)
                    np.testing.assert_allclose(found, x.flatten(), rtol=1e-9, atol=1e-9)

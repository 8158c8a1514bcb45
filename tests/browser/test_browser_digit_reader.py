"""The digit reader in a real browser: what is drawn is what PyTorch computes."""

import base64
import json

import numpy as np
import pytest
import torch
from figure_page import HAND_AND_EYE, frames
from playwright.sync_api import expect

from cnnlesson import evaluate, load_digits, predict_logits, standardize
from cnnlesson.widgets import DigitReader
from cnnlesson.widgets.digit_reader.digit_reader import WEIGHTS, percent

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
        maps: all(".pixels canvas").map((canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            return { height, width, data: Array.from(data.filter((_, i) => i % 4 === 0)) };
        }),
    };
}"""


def grey(values, most):
    return 255 * np.sqrt(values / (most or 1))


def check_drawn(page, **settings):
    """Compare every pixel, number and word with PyTorch's for these settings."""
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
    if most > 0:
        (sees, step), (row, column) = SEES[reader.layer], np.argwhere(chosen == most)[0]
        windows[1] = [[step * column, step * row, sees]]
        windows[6] = [[column, row, 1]]
        assert f"{most:.2f}, is framed; that one sees the {sees}×{sees} pixels" in read["about"]
    else:
        assert "It is zero everywhere" in read["about"]
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
    const { compute, forward, unpack } = await import(address);
    const parameters = unpack(weights);
    const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
    const images = Array.from({ length: bytes.length / 784 }, (_, n) =>
        Array.from({ length: 28 }, (_, i) =>
            Array.from(bytes.subarray(784 * n + 28 * i, 784 * n + 28 * i + 28), (b) => b / 255)));
    return JSON.stringify([
        images.map((image) => forward(image, parameters).logits),
        states.map((state) => {
            const { image, layers, probabilities, channel, brightest } = compute(state, parameters);
            const flat = layers.map(({ maps }) => [...maps]);
            return { image, flat, probabilities, channel, brightest };
        }),
    ]);
}"""


def run_javascript(page, images, states):
    packed = base64.b64encode(images.to(torch.uint8).numpy().tobytes()).decode()
    # `forward` is no export of the figure's module: for the test it is made one.
    source = DigitReader()._esm.replace(
        "export default", "export { forward, unpack };\nexport default"
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
    states = [reader.settings for reader in readers]
    _, results = run_javascript(open_page("about:blank").page, torch.zeros(0, 784), states)
    for reader, result in zip(readers, results, strict=True):
        np.testing.assert_allclose(result["image"], reader.image(), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(result["probabilities"], reader.probabilities(), atol=1e-9)
        x, model = (reader.image()[None, None] - 0.1307) / 0.3081, reader.model.double()
        with torch.no_grad():
            for i, layer in enumerate(model.layers[:6]):
                x = layer(x)
                if i in (1, 2, 4, 5):
                    found = result["flat"].pop(0)
                    np.testing.assert_allclose(found, x.flatten(), rtol=1e-9, atol=1e-9)

"""The convolution explorer in a real browser: what is drawn is what PyTorch computes."""

import math
import re
from urllib.parse import parse_qs, urlsplit

import matplotlib as mpl
import numpy as np
import pytest
import torch
from figure_page import HAND_AND_EYE, computed, contrast, frames, luminance, swipe
from playwright.sync_api import expect
from torch.nn.functional import conv2d

from cnnlesson import output_size
from cnnlesson.widgets import ConvolutionExplorer

FIGURE = ConvolutionExplorer
COLOURS = mpl.colormaps["RdBu_r"].resampled(100_001)
READ = """() => {
    const all = (selector) => [...document.querySelectorAll(`.is-live ${selector}`)];
    const texts = (selector) => all(selector).map((element) => element.innerText);
    const canvas = (canvas) => ({
        height: canvas.height,
        width: canvas.width,
        wide: canvas.getBoundingClientRect().width,
        data: [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data],
    });
    const cells = (square) => [...square.children].filter((cell) => cell.checkVisibility());
    const numbers = (square) => cells(square).map((cell) => cell.value ?? cell.innerText);
    return {
        settings: Object.fromEntries(
            all("input[type=range][name], select").map((c) => [c.name, c.value])),
        squares: all(".square").map(numbers),
        pictures: all(".square canvas").filter((e) => e.checkVisibility()).map(canvas),
        side: +all("[data-name=side]")[0].value,
        place: +all("[data-name=place]")[0].value,
        total: texts(".equation b"),
        ends: texts(".colour-bar span"),
        words: texts(".maps + .hint")[0],
        sizes: texts(".maps p b"),
        said: all(".maps .pixels").map((map) => map.ariaValueText),
        maps: all(".maps canvas").map(canvas),
        windows: all(".pixels .window").map((rect) =>
            ["y", "x", "height", "width"].map((name) => rect[name].baseVal.value)),
        taps: all(".taps")[0].getAttribute("d"),
    };
}"""


def numbers(texts):
    return [float(text.replace("−", "-")) for text in texts]


def colours(canvas):
    """Return the colours of a map's pixels, shape (rows, columns, 3)."""
    data = np.array(canvas["data"]).reshape(canvas["height"], canvas["width"], 4)
    assert (data[..., 3] == 255).all()
    return data[..., :3]


@pytest.fixture
def open_figure(open_figure):
    """Return the same, with what is folded unfolded."""

    def unfolded(*arguments, **options):
        page = open_figure(*arguments, **options)
        page.locator(".is-live details:not(.share-menu)").evaluate("(e) => { e.open = true; }")
        return page

    return unfolded


def check_drawn(page, image=None, kernel=None):
    """Compare both maps and every number with PyTorch's, and return the settings shown.

    A large kernel is not read off its picture, but given.
    """
    frames(page)
    read = page.evaluate(READ)
    settings = read["settings"]
    settings |= {name: int(settings[name]) for name in ("stride", "padding", "dilation", "digit")}
    side, is_typed = read["side"], read["side"] <= 3
    settings["kernel"] = kernel or [float(weight) for weight in read["squares"][1]]
    assert len(settings["kernel"]) == side**2
    place = re.match(r"row (\d+), column (\d+): ", read["said"][1])
    row, column = settings["pixel"] = tuple(map(int, place.groups()))
    stride, padding, dilation = (settings[name] for name in ("stride", "padding", "dilation"))

    if image is None:
        image = ConvolutionExplorer(digit=settings["digit"]).image().numpy()
    padded = np.pad(image, padding)
    left, right = read["maps"]
    np.testing.assert_allclose(colours(left), padded[..., None].repeat(3, 2) * 255, atol=0.51)

    weights = torch.tensor(settings["kernel"], dtype=torch.float64)
    sums = conv2d(
        torch.from_numpy(image)[None, None],
        weights.reshape(1, 1, side, side),
        None,
        stride,
        padding,
        dilation,
    )[0, 0]
    output = (sums.relu() if settings["activation"] == "ReLU" else sums).numpy()
    limit = max(weights.clamp(min=0).sum(), -weights.clamp(max=0).sum()).item()
    expected = COLOURS((output / (limit or 1) + 1) / 2)[..., :3] * 255
    np.testing.assert_allclose(colours(right), expected, atol=1)

    reach = dilation * (side - 1) + 1
    size = output_size(28, side, stride, padding, dilation)
    assert output.shape == (size, size)
    assert read["place"] == size * row + column
    assert read["sizes"][1] == f"{size}×{size}"
    assert f"28×28 → {size}×{size}" in read["words"]
    assert f"⌊(28 + 2·{padding} − {reach})/{stride}⌋ + 1 = {size}" in read["words"]
    extremes = numbers(re.findall(r"−?\d+\.\d\d", read["words"]))
    assert extremes == pytest.approx([output.min(), output.max()], abs=0.0051)

    rows, columns = (stride * at + dilation * np.arange(side) for at in (row, column))
    patch = padded[np.ix_(rows, columns)].ravel()
    products, most = patch * weights.numpy(), weights.abs().max().item()
    assert len(read["pictures"]) == (0 if is_typed else 3)
    if is_typed:
        np.testing.assert_allclose(numbers(read["squares"][0]), patch, atol=1e-9)
        np.testing.assert_allclose(numbers(read["squares"][2]), products, atol=0.0051)
    else:
        grey = patch[:, None].repeat(3, 1)
        signed = [COLOURS((part / most + 1) / 2)[:, :3] for part in (weights.numpy(), products)]
        for shown, expected in zip(read["pictures"], [grey, *signed], strict=True):
            np.testing.assert_allclose(
                colours(shown), expected.reshape(side, side, 3) * 255, atol=1
            )
    assert numbers(read["total"]) == pytest.approx([sums[row, column].item()], abs=0.0051)
    assert numbers(read["ends"]) == pytest.approx([-limit, limit], abs=0.0051)
    assert read["windows"] == [[stride * row, stride * column, reach, reach], [row, column, 1, 1]]
    taps = [f"M{x},{y}h1v1h-1z" for y in rows for x in columns]
    assert read["taps"] == ("" if dilation == 1 else "".join(taps))
    assert left["wide"] / len(padded) == pytest.approx(right["wide"] / size, abs=0.05)
    return settings


def point_at(page, which, row, column):
    """Return where a pixel of a map is on the screen."""
    canvas = page.locator(".maps canvas").nth(which)
    box = canvas.bounding_box()
    size = int(canvas.get_attribute("width"))
    step = box["width"] / size
    return box["x"] + (column + 0.5) * step, box["y"] + (row + 0.5) * step


def image_on(page):
    """Return the image without its padding, as it is painted."""
    read = page.evaluate(READ)
    padding = int(read["settings"]["padding"])
    ink = colours(read["maps"][0])[..., 0] / 255
    return ink[padding : len(ink) - padding, padding : len(ink) - padding]


@HAND_AND_EYE
def test_every_control_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    default = ConvolutionExplorer().settings
    del default["drawing"]  # seen in the maps
    assert check_drawn(page) == {**default, "kernel": list(default["kernel"])}

    for name, key, value in (
        ("digit", "Home", 0),
        ("stride", "ArrowRight", 2),
        ("padding", "End", 3),
        ("dilation", "ArrowRight", 2),
    ):
        page.locator(f"input[name={name}]").press(key)
        assert check_drawn(page)[name] == value
    for name, value in (("digit", 9), ("stride", 3), ("padding", 0), ("dilation", 3)):
        slider = page.locator(f"input[name={name}]")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        right = box["width"] - 10 if value else 10
        page.mouse.click(box["x"] + right, box["y"] + box["height"] / 2)
        assert check_drawn(page)[name] == value
    for name in ("stride", "dilation"):
        page.locator(f"input[name={name}]").press("Home")

    entry = page.get_by_label("weight in row 2, column 1")
    entry.fill("-2.5")
    assert check_drawn(page)["kernel"][7] == -2.5
    entry.press("ArrowUp")
    assert check_drawn(page)["kernel"][7] == -1.5
    entry.fill("99")
    assert check_drawn(page)["kernel"][7] == 9

    presets = page.get_by_role("group", name=re.compile("kernels", re.I)).get_by_role("button")
    seen = []
    for i, button in enumerate(presets.all()):
        if i % 2:
            button.click()
        else:
            button.press("Enter")
        seen.append(check_drawn(page)["kernel"])
        expect(page.locator("button[aria-pressed=true]")).to_have_text(button.inner_text())
    assert len(np.unique(seen, axis=0)) == 8

    page.locator("select").press("ArrowDown")
    assert check_drawn(page)["activation"] == "ReLU"
    page.locator("select").select_option("none")

    page.locator(".pixels").nth(1).scroll_into_view_if_needed()
    page.mouse.move(*point_at(page, 1, 20, 4))
    assert check_drawn(page)["pixel"] == (20, 4)
    output = page.get_by_role("slider", name="Output")
    for key, pixel in (
        ("ArrowUp", (19, 4)),
        ("ArrowLeft", (19, 3)),
        ("Shift+ArrowRight", (19, 8)),
        ("Shift+ArrowDown", (24, 8)),
        ("Shift+ArrowDown", (25, 8)),
    ):
        output.press(key)
        assert check_drawn(page)["pixel"] == pixel
    page.get_by_role("button", name="Reset").click()
    assert check_drawn(page) == {**default, "kernel": list(default["kernel"])}


def kernel_of(page):
    """Return the weights that the page's address holds, once it has them."""
    page.wait_for_function("() => location.search.includes('.kernel=')")
    page.wait_for_timeout(300)
    query = parse_qs(urlsplit(page.url).query)
    return [float(weight) for weight in query["convolution_explorer.kernel"][0].split("_")]


@HAND_AND_EYE
def test_every_size_of_kernel_at_every_dilation(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    side, dilation = page.locator("[data-name=side]"), page.locator("[name=dilation]")
    page.get_by_role("button", name="vertical edges").click()
    for k in (1, 2, 4, 5, 6, 7, 3):
        side.fill(str(k))
        kernel = kernel_of(page)
        signs = np.sign(np.arange(k) - (k - 1) / 2)
        np.testing.assert_array_equal(np.reshape(kernel, (k, k)), np.tile(signs, (k, 1)))
        for d in (1, 2, 3):
            dilation.fill(str(d))
            check_drawn(page, kernel=kernel)
            reach = d * (k - 1) + 1
            expect(page.get_by_text(f"The window reaches over {reach} pixels.")).to_be_visible()
    side.fill("6")
    for name in ("blur", "identity", "learned 18", "sharpen"):
        button = page.get_by_role("button", name=name)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        check_drawn(page, kernel=kernel_of(page))


def test_a_kernel_cut_by_the_slider_comes_back(open_figure):
    own = "1_2_3_4_5_6_7_8_-9"
    page = open_figure(tail=f"?convolution_explorer.kernel={own}")
    side = page.locator("[data-name=side]")
    for k, expected in (
        (2, [1, 2, 4, 5]),
        (5, [0] * 6 + [1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, -9] + [0] * 6),
        (1, [5]),
        (3, [1, 2, 3, 4, 5, 6, 7, 8, -9]),
    ):
        side.fill(str(k))
        assert kernel_of(page) == expected
        check_drawn(page, kernel=expected)


def test_the_window_goes_over_all_places_when_asked(open_figure):
    page = open_figure(tail="?convolution_explorer.stride=3&convolution_explorer.pixel=0_0")
    place, play = page.locator("[data-name=place]"), page.get_by_role("button", name="Play")
    page.wait_for_timeout(400)
    assert place.input_value() == "0"  # not by itself
    assert play.inner_text() == "Play"
    play.click()
    page.wait_for_function("() => document.querySelector('[data-name=place]').value > 2")
    page.get_by_role("button", name="Pause").click()
    stopped = int(place.input_value())
    settings = check_drawn(page)
    assert settings["pixel"] == divmod(stopped, 9)
    page.wait_for_timeout(400)
    assert int(place.input_value()) == stopped
    place.fill("78")
    play.click()
    expect(play).to_have_text("Play")  # the end
    assert check_drawn(page)["pixel"] == (8, 8)
    page.locator("[name=stride]").fill("1")
    assert check_drawn(page)["pixel"] == (8, 8)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Next step").click()
    assert check_drawn(page)["pixel"] == (8, 9)


@HAND_AND_EYE
def test_drawing_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host, tail="?convolution_explorer.padding=1")
    page.get_by_role("button", name="Clear").click()
    frames(page)
    assert not image_on(page).any()

    canvas = page.locator(".pixels").first
    canvas.scroll_into_view_if_needed()
    page.mouse.move(*point_at(page, 0, 6, 8))
    frames(page)
    assert not image_on(page).any()
    page.mouse.click(*point_at(page, 0, 0, 8))  # in the padding there is no paper
    frames(page)
    assert not image_on(page).any()
    page.mouse.move(*point_at(page, 0, 6, 8))
    page.mouse.down()
    page.mouse.move(*point_at(page, 0, 6, 20))
    page.mouse.move(*point_at(page, 0, 20, 20))
    page.mouse.up()
    page.mouse.move(*point_at(page, 0, 25, 5))
    frames(page)
    image = image_on(page)
    expected = np.zeros((28, 28))
    expected[5, 7:20] = expected[5:20, 19] = 1
    np.testing.assert_array_equal(image == 1, expected == 1)
    grown = np.pad(expected, 1)
    neighbours = grown[:-2, 1:-1] + grown[2:, 1:-1] + grown[1:-1, :-2] + grown[1:-1, 2:]
    np.testing.assert_allclose(image, np.where(expected, 1, 0.6 * (neighbours > 0)), atol=1e-9)
    check_drawn(page, image)

    pen = page.get_by_role("slider", name="Input")
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "ArrowRight", "Space"):
        pen.press(key)
    row, column = 24 - 10, 4 + 1
    expect(pen).to_have_attribute("aria-valuetext", f"row {row}, column {column}: 1.00")
    image[row, column] = 1
    check_drawn(page, image)
    pen.press("Space")
    expect(pen).to_have_attribute("aria-valuetext", f"row {row}, column {column}: 0.00")
    image[row, column] = 0
    check_drawn(page, image)
    assert page.locator(".nib").evaluate("(e) => getComputedStyle(e).visibility") == "visible"

    eraser = page.get_by_role("button", name="Eraser")
    eraser.press("Enter")
    expect(eraser).to_have_attribute("aria-pressed", "true")
    canvas.scroll_into_view_if_needed()
    page.mouse.move(*point_at(page, 0, 2, 20))
    page.mouse.down()
    page.mouse.move(*point_at(page, 0, 24, 20))
    page.mouse.up()
    erased = image.copy()
    erased[0:25, 18:21] = 0
    check_drawn(page, erased)
    undo = page.get_by_role("button", name="Undo")
    undo.click()
    check_drawn(page, image)
    eraser.click()
    expect(eraser).to_have_attribute("aria-pressed", "false")

    for key in ("Space", "Shift+ArrowLeft", "Shift+ArrowUp", "Enter"):
        pen.press(key)
    frames(page)
    drawn = image_on(page)
    at = [int(index) for index in re.findall(r"\d+", pen.get_attribute("aria-valuetext"))[:2]]
    row, column = at
    assert (drawn[range(row, row + 6), range(column, column + 6)] == 1).all()
    undo.press("Enter")
    undo.press("Enter")
    check_drawn(page, image)

    page.get_by_role("button", name="Digit back").click()
    check_drawn(page)
    undo.click()
    check_drawn(page)
    pen.press("Space")
    page.locator("input[name=digit]").press("ArrowLeft")
    assert check_drawn(page)["digit"] == 6


def test_fingers_draw_and_look_and_scroll_the_page_elsewhere(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Clear").tap()
    top = page.evaluate("scrollY")
    swipe(page, *(point_at(page, 0, row, 14) for row in (4, 10, 17, 24)))
    assert page.evaluate("scrollY") == top
    image = image_on(page)
    assert (image[4:25, 14] == 1).all()
    assert image.sum() == pytest.approx(21 + 0.6 * (2 * 21 + 2))
    check_drawn(page, image)

    swipe(page, point_at(page, 1, 6, 9))
    assert check_drawn(page, image)["pixel"] == (6, 9)
    x, y = point_at(page, 1, 22, 9)
    swipe(page, *((x, y - step) for step in (0, 40, 80, 160, 240)))
    page.wait_for_function("(top) => scrollY > top", arg=top)
    np.testing.assert_array_equal(image_on(page), image)


def test_the_address_holds_the_settings_and_the_drawing(open_figure):
    page = open_figure(host="file")
    page.get_by_role("slider", name="Input").press("Space")
    page.get_by_label("weight in row 0, column 0").fill("0.5")
    page.locator("select").select_option("ReLU")
    page.get_by_role("slider", name="Output").press("ArrowDown")
    page.get_by_role("slider", name="Input").press("ArrowDown")
    page.get_by_role("slider", name="Input").press("Enter")
    page.wait_for_function("() => location.search.includes('ded')")
    image = ConvolutionExplorer(drawing="*dd.dded").image().numpy()
    assert page.url.endswith(
        "index.html?convolution_explorer.kernel=0.5_-1_-1_0_0_0_1_1_1"
        "&convolution_explorer.pixel=11_11&convolution_explorer.drawing=*dd.dded"
        "&convolution_explorer.activation=ReLU"
    )
    again = open_figure(host="file", tail=page.url.split("index.html")[1])
    settings = check_drawn(again, image)
    assert settings["kernel"] == [0.5, -1, -1, 0, 0, 0, 1, 1, 1]
    assert (settings["pixel"], settings["activation"]) == ((11, 11), "ReLU")


def test_what_the_chapter_comes_to_later_is_folded_at_first(open_page, addresses):
    page = open_page(f"{addresses['file']}/index.html").page
    expect(page.get_by_role("group", name="Kernels", exact=True)).to_be_visible()
    for later in (page.locator("input[name=stride]"), page.get_by_role("button", name="learned 8")):
        expect(later).to_be_hidden()
    page.get_by_text("Learned kernels, size, stride").click()
    expect(page.locator("input[name=stride]")).to_be_visible()


def test_an_address_out_of_range_is_clamped_and_nonsense_is_ignored(open_figure):
    settings = (
        "kernel=1_2_3_-40_5_6_7_8_90&stride=2.6&padding=-3&pixel=99_4.4"
        "&activation=tanh&drawing=.5&digit="
    )
    query = "&".join(f"convolution_explorer.{setting}" for setting in settings.split("&"))
    page = open_figure(tail=f"?{query}")
    settings = check_drawn(page)
    assert settings["kernel"] == [1, 2, 3, -9, 5, 6, 7, 8, 9]
    assert (settings["stride"], settings["padding"], settings["pixel"]) == (3, 0, (8, 4))
    assert (settings["activation"], settings["digit"]) == ("none", 7)


def test_the_result_is_said_in_words(open_figure):
    page = open_figure()
    status = page.locator(".is-live").get_by_role("status").first
    expect(status).to_have_text("")
    page.get_by_role("button", name="identity").click()
    image = ConvolutionExplorer().image()
    expect(status).to_contain_text(
        f"row 10, column 11: the products add up to {image[11, 12]:.2f}."
    )


def test_numbers_stand_out_from_their_grounds(open_figure):
    page = open_figure(theme="dark", tail="?convolution_explorer.kernel=-9_-7_-5_-3_-1_2_4_6_8")
    cells = page.locator(".square > :not(.pixels), .equation b").all()
    ratios = [
        contrast(luminance(cell, "color"), luminance(cell, "backgroundColor")) for cell in cells
    ]
    assert len(ratios) == 28
    assert min(ratios) >= 4.5


def random_stroke(random):
    places = random.integers(0, 28, 2 * random.integers(1, 9))
    return random.choice([".", "-", "*"]) + "".join(
        "0123456789abcdefghijklmnopqr"[i] for i in places
    )


def test_javascript_computes_what_pytorch_computes(open_page):
    page = open_page("about:blank").page
    random = np.random.default_rng(0)
    explorers = [
        ConvolutionExplorer(
            kernel=random.uniform(-9, 9, (1 + i % 7) ** 2),
            stride=random.integers(1, 4),
            padding=random.integers(0, 4),
            dilation=random.integers(1, 4),
            digit=i % 10,
            pixel=random.integers(0, 34, 2),
            activation=random.choice(["none", "ReLU"]).item(),
            drawing="_" * (i % 2) + "".join(random_stroke(random) for _ in range(i % 7)),
        )
        for i in range(200)
    ]
    for explorer, result in zip(explorers, computed(page, explorers), strict=True):
        image, kernel = explorer.image(), torch.tensor(explorer.kernel, dtype=torch.float64)
        stride, padding, dilation = explorer.stride, explorer.padding, explorer.dilation
        side = math.isqrt(len(kernel))
        square = kernel.reshape(1, 1, side, side)
        sums = conv2d(image[None, None], square, None, stride, padding, dilation)[0, 0]
        output = sums.relu() if explorer.activation == "ReLU" else sums
        row, column = (min(index, len(sums) - 1) for index in explorer.pixel)
        padded = torch.nn.functional.pad(image, [padding] * 4)
        reach = dilation * (side - 1) + 1
        under = padded[stride * row :, stride * column :][:reach:dilation, :reach:dilation]
        patch = under.flatten()
        for name, expected in {
            "side": side,
            "reach": reach,
            "size": len(sums),
            "at": (row, column),
            "padded": padded,
            "output": output,
            "patch": patch,
            "products": patch * kernel,
            "sum": sums[row, column],
            "value": output[row, column],
        }.items():
            np.testing.assert_allclose(result[name], expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(explorer.output(), output, atol=1e-12)
        assert result["limit"] == pytest.approx(explorer.limit)

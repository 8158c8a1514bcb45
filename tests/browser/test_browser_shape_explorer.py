"""The shape explorer in a real browser: what is drawn and said is what PyTorch finds."""

import json
import random
import re
import warnings
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from figure_page import HAND_AND_EYE, frames, go_to, open_menu
from playwright.sync_api import expect
from torch import nn

from cnnlesson import ShapeError, ShapeTracer, describe, receptive_fields
from cnnlesson.diagrams.colours import COLOURS
from cnnlesson.diagrams.glyphs import Scale
from cnnlesson.diagrams.stages import trace_stages
from cnnlesson.widgets import ShapeExplorer
from cnnlesson.widgets.shape_explorer.stack import Network

NETWORKS = ShapeExplorer.networks
BROKEN = "1x28x28 conv32k3 relu pool2 conv64k5 relu pool2 flatten linear1600to10"
KINDS = ("conv", "conv", "conv", "pool", "avgpool", "relu", "tanh", "dropout", "flatten", "linear")
FIGURE = ShapeExplorer


# What PyTorch finds


def times(shape):
    return "×".join(map(str, shape))


def run(stack, model=None):
    """Run the network for real; return it, its rows and PyTorch's own message if it fails."""
    network = Network.parse(stack)
    model = model or network.to_module()
    try:
        with warnings.catch_warnings(action="ignore"):
            return model, ShapeTracer(model).trace(torch.zeros(1, *network.shape)).rows, None
    except ShapeError as error:
        return model, error.table.rows, str(error.__cause__)


def fields_after(model, shape, count):
    """Return the receptive field after each of the first layers, None where all is mixed."""
    found = {f.name: f.size for f in receptive_fields(model[:count], (1, *shape))} if count else {}
    fields, size = [], 1
    for name, layer in list(model.named_children())[:count]:
        if isinstance(layer, nn.Flatten | nn.Linear):
            size = None
        elif size is not None:
            size = found.get(name, size)
        fields.append(size)
    return fields


def random_stack(rng):
    def optional(letter, low, high):
        return f"{letter}{rng.randint(low, high)}" if rng.random() < 0.3 else ""

    words = [f"{rng.randint(1, 3)}x{rng.randint(1, 40)}x{rng.randint(1, 40)}"]
    for _ in range(rng.randint(1, 8)):
        kind = rng.choice(KINDS)
        k, s, p, d = (
            rng.randint(1, 4),
            optional("s", 1, 3),
            optional("p", 0, 2),
            optional("d", 1, 3),
        )
        words.append(
            {
                "conv": f"conv{rng.randint(1, 9)}k{k}{s}{p}{d}",
                "pool": f"pool{k}{s}{p}{d}",
                "avgpool": f"avgpool{k}{s}{p}",
                "linear": f"linear{rng.randint(1, 60)}to{rng.randint(1, 12)}",
            }.get(kind, kind)
        )
        if kind == "linear" and rng.random() < 0.8:  # mostly one that fits
            _, _, message = run(" ".join(words))
            if message and "mat1" in message:
                arrived = re.search(r"x(\d+) and", message)[1]
                words[-1] = re.sub(r"linear\d+", f"linear{arrived}", words[-1])
    return ShapeExplorer(stack=" ".join(words)).stack


def test_javascript_computes_what_pytorch_computes(open_page):
    page = open_page("about:blank").page
    rng = random.Random(0)
    stacks = [*NETWORKS.values(), *(random_stack(rng) for _ in range(200))]
    results = page.evaluate(
        """async ([source, stacks]) => {
            const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { compute } = await import(address);
            return JSON.stringify(stacks.map((stack) => compute({ stack })));
        }""",
        [ShapeExplorer()._esm, stacks],
    )
    failures = dict.fromkeys(("mat1 and mat2", "pad should", "too small", "greater", ""), 0)
    explorer = ShapeExplorer()
    for stack, result in zip(stacks, json.loads(results), strict=True):
        explorer.stack = stack
        model, rows, message = run(stack)
        found = result["rows"]
        assert [row["shape"] for row in found] == [list(row.output_shape[1:]) for row in rows], (
            stack
        )
        assert [row["parameters"] for row in found] == [row.num_parameters for row in rows]
        assert [row["work"] for row in found] == explorer.multiply_adds()
        assert [row["sees"] for row in found] == fields_after(
            model, Network.parse(stack).shape, len(rows)
        )
        assert (result["error"] is None) == (message is None), stack
        if message:
            if "torch" in result["error"]:
                assert result["error"]["torch"] == message
            else:
                assert "mat1" not in message
            assert len(result["error"]["words"]) > 40
            failures[next(words for words in failures if words in message)] += 1
    assert min(failures.values()) >= 5  # the last are windows over what is flat


# What the page shows


def check_drawn(page, stack):
    """Compare the table, the code, the words and the diagram with PyTorch's shapes."""
    frames(page)
    explorer = ShapeExplorer(stack=stack)
    network = Network.parse(stack)
    space = {}
    code = page.locator(".code .listing").text_content()
    exec(code, space)  # the code on the page is what is run
    assert str(space["model"]) == str(network.to_module())
    model, rows, message = run(stack, space["model"])

    cells = page.locator("tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].slice(1).map((cell) => cell.textContent))"
    )
    assert cells[0] == [times(network.shape), "", "", ""]
    fields = fields_after(model, network.shape, len(rows))
    for line, row, work, field in zip(
        cells[1:], rows, explorer.multiply_adds(), fields, strict=False
    ):
        shape = times(row.output_shape[1:])
        assert line == [shape, f"{row.num_parameters:,}", f"{work:,}", str(field or "")]
    assert cells[1 + len(rows) :] == (len(network.layers) - len(rows)) * [["–", "", "", ""]]
    totals = [sum(row.num_parameters for row in rows), sum(explorer.multiply_adds())]
    found = page.locator("tfoot td").all_text_contents()
    assert found == ["", *(f"{total:,}" for total in totals), ""]

    words = page.locator(".verdict")
    if message is None:
        expect(words).to_contain_text(f"{totals[0]:,} parameters, and {totals[1]:,} multiply-adds")
    else:
        assert words.get_attribute("class") == "verdict bad"
        expect(words).to_contain_text(f"Layer {len(rows) + 1}, ")
        if "mat1" in message:
            expect(words.locator("code")).to_have_text(f"PyTorch says: {message}")
    check_diagram(page.locator(".network svg"), network, model, len(rows))


def check_diagram(svg, network, model, count):
    """Compare labels, sides, colours, windows and words with the traced stages."""
    shape = (1, *network.shape)
    stages = trace_stages(model[:count], shape) if count else []
    if stages:
        assert svg.get_attribute("aria-label").startswith(describe(model[:count], shape))
    labels = svg.locator(".stage text:last-of-type").all_text_contents()
    assert labels[: len(stages)] == [stage.label for stage in stages]
    lost = labels[max(len(stages), 1) :]
    assert lost == (["impossible", *("?" for _ in lost[1:])] if lost else [])
    assert bool(lost) == (count < len(network.layers))

    boxes = svg.locator(".stage rect").evaluate_all(
        "(all) => all.map((e) => ['x', 'y', 'width', 'height'].map((n) => +e.getAttribute(n)))"
    )
    fills = svg.locator(".stage rect").evaluate_all(
        "(all) => all.map((e) => e.getAttribute('fill'))"
    )
    scale = Scale(stages)
    unit = boxes[0][2] / scale.side(network.shape[2])
    for stage, box, colour in zip(stages, boxes, fills, strict=False):
        kind = "pooled" if "Pool" in stage.kind else "input" if stage.kind == "Input" else "map"
        assert colour == COLOURS["features" if len(stage.shape) == 1 else kind]
        if len(stage.shape) == 3:
            sides = [scale.side(stage.shape[2]), scale.side(stage.shape[1])]
            np.testing.assert_allclose(box[2:], np.multiply(unit, sides), rtol=1e-9)
    windows = [(i, stage) for i, stage in enumerate(stages) if stage.window]
    pixels = svg.locator(".pixel").evaluate_all(
        "(all) => all.map((e) => ['x', 'y', 'width', 'height'].map((n) => +e.getAttribute(n)))"
    )
    seen = svg.locator(".seen").evaluate_all(
        "(all) => all.map((e) => ['width', 'height'].map((n) => +e.getAttribute(n)))"
    )
    for (i, stage), pixel, window in zip(windows, pixels, seen, strict=True):
        x, y, width, height = boxes[i]
        assert x - 1e-9 <= pixel[0] <= x + width
        assert y - 1e-9 <= pixel[1] <= y + height
        for axis, size, place, side in ((1, width, pixel[0] - x, 0), (0, height, pixel[1] - y, 1)):
            length = stage.shape[1 + axis]
            index = round(place / size * length)
            assert pixel[2 + side] == pytest.approx(size / length)
            first, last = stage.window.seen_by(index, axis)
            before = stages[i - 1].shape[1 + axis]
            part = (min(last, before) - max(first, 0)) / before
            assert window[side] == pytest.approx(part * boxes[i - 1][2 + side])


# How the diagram is set


LAID = """(svg) => {
    const box = (e) => { const { x, y, width, height } = e.getBBox();
        return [x, y, x + width, y + height]; };
    const boxes = (selector) => [...svg.querySelectorAll(selector)].map(box);
    return {
        size: ["width", "height"].map((name) => Number(svg.getAttribute(name))),
        room: svg.parentElement.clientWidth,
        parts: boxes("text, rect, path"), texts: boxes("text"),
        glyphs: [...svg.querySelectorAll("g")].map((g) =>
            [g.getAttribute("class"), g.dataset.layer, box(g)]),
        turns: [...svg.querySelectorAll(".turn")].map((e) => e.getAttribute("d")),
    };
}"""
BOOK = (
    "1x28x28 conv32k3p1 relu pool2 conv64k3p1 relu pool2 flatten linear3136to128 relu linear128to10"
)
LONG = "1x28x28" + 15 * " conv8k3p1 relu"


def laid(page):
    frames(page)
    return page.locator(".network svg").evaluate(LAID)


def check_laid(found):
    """Nothing is cut, no words meet, and where a row ends a line leads to the next."""
    parts, (width, height) = np.array(found["parts"]), found["size"]
    assert width == found["room"]
    assert parts.min() >= -0.5
    assert parts[:, 2].max() <= width + 0.5
    assert parts[:, 3].max() <= height + 0.5
    for one, other in combinations(found["texts"], 2):
        apart = max(max(one[k] - other[k + 2], other[k] - one[k + 2]) for k in (0, 1))
        assert apart > -1, (one, other)
    glyphs = found["glyphs"]
    breaks = [i for i, (name, *_) in enumerate(glyphs) if name == "repeated"]
    for i, turn in zip(breaks, found["turns"], strict=True):
        (_, layer, end), (_, same, start) = glyphs[i - 1 : i + 1]
        assert layer == same
        x, y, _, down, _, goal, tip = map(float, re.findall(r"-?[\d.]+", turn)[:-6])
        assert (end[0] + end[2]) / 2 < x < width - 5
        assert end[1] < y < end[3] < down < start[1]
        assert start[1] < goal < start[3]
        assert tip < start[2]
    assert all(b[2][0] > a[2][0] for a, b in pairwise(glyphs) if b[0] == "stage")


@pytest.mark.parametrize("stack", [*list(NETWORKS.values())[:2], BOOK, "1x28x28 conv8k5"])
def test_a_network_of_the_books_size_stands_in_one_row(open_figure, stack):
    found = laid(open_figure(settings={"stack": stack}))
    check_laid(found)
    assert found["turns"] == []


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark"), (320, "light")])
def test_the_diagram_is_whole_and_each_row_leads_to_the_next(open_figure, width, theme):
    page = open_figure(width, theme, settings={"stack": BOOK})
    rng = random.Random(1)
    wide = "1x512x512 conv2048k15s2p15d2 relu dropout avgpool15s1p7 conv2048k1 flatten"
    stacks = [*NETWORKS.values(), BROKEN, BOOK, LONG, wide, *(random_stack(rng) for _ in range(25))]
    rows = {}
    for stack in stacks:
        go_to(page, {"stack": stack}, "shape_explorer")
        found = laid(page)
        check_laid(found)
        rows[stack] = 1 + len(found["turns"])
    assert rows[BOOK] == (1 if width == 1280 else 2)
    assert rows[LONG] > 1


def test_the_page_stays_where_it_is_while_a_number_changes(open_figure):
    page = open_figure(settings={"stack": NETWORKS["LeNet-5"]})
    line(page, 1).click()
    heights = set()
    for channels in (1, 2, 32, 200, 2048):
        number_of(page, "channels").fill(str(channels))
        heights.add(laid(page)["size"][1])
    assert len(heights) == 1


# Hands


def line(page, i):
    return page.locator("tbody tr").nth(i)


def number_of(page, name):
    return page.locator(f".stepper input[name={name}]")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


@HAND_AND_EYE
def test_the_three_networks(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    check_drawn(page, NETWORKS["ConvNet"])
    expect(button(page, "ConvNet")).to_have_attribute("aria-pressed", "true")
    button(page, "LeNet-5").click()
    check_drawn(page, NETWORKS["LeNet-5"])
    button(page, "AlexNet").press("Enter")
    check_drawn(page, NETWORKS["AlexNet"])
    expect(button(page, "AlexNet")).to_have_attribute("aria-pressed", "true")
    expect(button(page, "ConvNet")).to_have_attribute("aria-pressed", "false")
    button(page, "Reset").click()
    check_drawn(page, NETWORKS["ConvNet"])


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_every_number_by_mouse_and_by_keyboard(open_figure, width, theme):
    stack = "2x20x24 conv8k3s2p1d2 pool3 avgpool2 flatten linear24to10"
    page = open_figure(width, theme, settings={"stack": stack})
    steps = [
        (0, "height", "more", "2x21x24 conv8k3s2p1d2 pool3 avgpool2 flatten linear24to10"),
        (0, "width", "less", "2x21x23 conv8k3s2p1d2 pool3 avgpool2 flatten linear24to10"),
        (0, "channels", "more", "3x21x23 conv8k3s2p1d2 pool3 avgpool2 flatten linear24to10"),
        (1, "channels", "double", "3x21x23 conv16k3s2p1d2 pool3 avgpool2 flatten linear24to10"),
        (1, "k", "more", "3x21x23 conv16k4s2p1d2 pool3 avgpool2 flatten linear24to10"),
        (1, "s", "less", "3x21x23 conv16k4p1d2 pool3 avgpool2 flatten linear24to10"),
        (1, "p", "less", "3x21x23 conv16k4d2 pool3 avgpool2 flatten linear24to10"),
        (1, "d", "less", "3x21x23 conv16k4 pool3 avgpool2 flatten linear24to10"),
        (2, "k", "less", "3x21x23 conv16k4 pool2 avgpool2 flatten linear24to10"),
        (2, "s", "more", "3x21x23 conv16k4 pool2s3 avgpool2 flatten linear24to10"),
        (2, "k", "more", "3x21x23 conv16k4 pool3 avgpool2 flatten linear24to10"),
        (2, "p", "more", "3x21x23 conv16k4 pool3p1 avgpool2 flatten linear24to10"),
        (2, "d", "more", "3x21x23 conv16k4 pool3p1d2 avgpool2 flatten linear24to10"),
        (3, "k", "more", "3x21x23 conv16k4 pool3p1d2 avgpool3 flatten linear24to10"),
        (3, "s", "less", "3x21x23 conv16k4 pool3p1d2 avgpool3s2 flatten linear24to10"),
        (3, "p", "more", "3x21x23 conv16k4 pool3p1d2 avgpool3s2p1 flatten linear24to10"),
        (5, "from", "more", "3x21x23 conv16k4 pool3p1d2 avgpool3s2p1 flatten linear25to10"),
        (5, "to", "halve", "3x21x23 conv16k4 pool3p1d2 avgpool3s2p1 flatten linear25to5"),
    ]
    for i, name, act, expected in steps:
        line(page, i).click()
        step = page.locator(".stepper").filter(has=page.locator(f"input[name={name}]"))
        step.get_by_role("button", name=re.compile(f"^{act} ")).click()
        check_drawn(page, expected)
    expect(page.locator(".stepper")).to_have_count(2)

    number_of(page, "from").fill("144")
    check_drawn(page, "3x21x23 conv16k4 pool3p1d2 avgpool3s2p1 flatten linear144to5")
    number_of(page, "to").press("ArrowUp")
    line(page, 1).click()
    number_of(page, "k").press("ArrowDown")
    number_of(page, "channels").fill("9999")  # out of range: the nearest that is in it
    number_of(page, "channels").press("Enter")
    expect(number_of(page, "channels")).to_have_value("2048")
    number_of(page, "channels").fill("4")
    check_drawn(page, "3x21x23 conv4k3 pool3p1d2 avgpool3s2p1 flatten linear144to6")
    for line_of_words in (
        "size: ⌊(21 + 2·0 − 1·(3 − 1) − 1)/1⌋ + 1 = 19, ⌊(23 + 2·0 − 1·(3 − 1) − 1)/1⌋ + 1 = 21",
        "parameters: (3·3·3 + 1)·4 = 112",
        f"multiply-adds: 4·19·21 · 3·3·3 = {4 * 19 * 21 * 27:,}",
        "receptive field: 1 + 1·(3 − 1)·1 = 3",
    ):
        expect(page.locator(".arithmetic")).to_contain_text(line_of_words)

    number_of(page, "channels").fill("")  # nothing typed is no number
    number_of(page, "channels").press("Tab")
    expect(number_of(page, "channels")).to_have_value("4")
    line(page, 0).click()
    number_of(page, "height").fill("")
    number_of(page, "height").press("Tab")
    expect(number_of(page, "height")).to_have_value("21")
    check_drawn(page, "3x21x23 conv4k3 pool3p1d2 avgpool3s2p1 flatten linear144to6")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_layers_come_go_and_move_by_mouse(open_figure, width, theme):
    page = open_figure(width, theme, settings={"stack": "1x12x12 conv4k3 relu"})
    line(page, 1).click()
    for name in ("MaxPool", "AvgPool", "Tanh", "Dropout", "Flatten", "Linear", "ReLU"):
        button(page, name).click()
    stack = "1x12x12 conv4k3 pool2 avgpool2 tanh dropout flatten linear16to10 relu relu"
    check_drawn(page, stack)  # and in_features is what arrives
    line(page, 0).click()
    expect(button(page, "Remove")).to_be_disabled()
    button(page, "Conv").click()
    check_drawn(page, stack.replace("conv4", "conv16k3 conv4", 1))
    button(page, "↓ Down").click()
    check_drawn(page, stack.replace("conv4k3", "conv4k3 conv16k3"))
    button(page, "↑ Up").click()
    expect(button(page, "↑ Up")).to_be_disabled()
    button(page, "Remove").click()
    check_drawn(page, stack)
    page.locator(".network .stage").nth(2).click()
    expect(page.locator(".editor > b")).to_have_text("Layer 2: MaxPool2d")
    for _ in range(8):
        button(page, "Remove").click()
    check_drawn(page, "1x12x12 conv4k3")
    expect(button(page, "Remove")).to_be_disabled()


def test_a_long_caption_is_shortened(open_figure):
    page = open_figure(390, settings={"stack": "1x12x12 conv4k3 relu relu dropout"})
    captions = page.locator(".network > svg > text")
    expect(captions).to_have_text(["Conv 3×3", "ReLU, 2 more"])
    line(page, 3).click()
    button(page, "Remove").click()
    expect(captions).to_have_text(["Conv 3×3", "ReLU, Dropout"])


def test_layers_by_keyboard_alone(open_figure):
    page = open_figure(settings={"stack": "1x12x12 conv4k3 relu pool2"})
    radio = page.get_by_role("radio")
    radio.nth(1).focus()
    page.keyboard.press("ArrowDown")
    expect(radio.nth(2)).to_be_focused()
    expect(page.locator(".editor > b")).to_have_text("Layer 2: ReLU")
    page.keyboard.press("Alt+ArrowDown")
    check_drawn(page, "1x12x12 conv4k3 pool2 relu")
    expect(radio.nth(3)).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    check_drawn(page, "1x12x12 conv4k3 pool2 relu")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    check_drawn(page, "1x12x12 relu conv4k3 pool2")
    page.keyboard.press("Delete")
    check_drawn(page, "1x12x12 conv4k3 pool2")
    expect(radio.nth(1)).to_be_focused()
    button(page, "Flatten").press("Enter")
    button(page, "Linear").press(" ")
    check_drawn(page, "1x12x12 conv4k3 flatten linear400to10 pool2")
    expect(page.get_by_role("status").first).to_contain_text(
        "Layer 4, MaxPool 2×2, is impossible. It slides a window over maps, and what arrives are "
        "10 plain numbers."
    )


def test_fingers(open_figure):
    page = open_figure(width=390, has_touch=True, is_mobile=True)
    line(page, 4).tap()
    page.get_by_role("button", name="more kernel k").tap()
    page.get_by_role("button", name="more kernel k").tap()
    check_drawn(page, BROKEN)
    button(page, "Set in_features to 1,024").tap()
    check_drawn(page, BROKEN.replace("1600", "1024"))
    button(page, "ReLU").tap()
    button(page, "↑ Up").tap()
    check_drawn(page, BROKEN.replace("1600to10", "1024to10").replace("linear", "relu linear"))


# The impossible


def test_a_wrong_in_features_shows_pytorchs_message_and_is_mended(open_figure):
    page = open_figure(settings={"stack": BROKEN})
    check_drawn(page, BROKEN)
    expect(page.locator(".verdict")).to_contain_text(
        "Layer 8, Linear, is impossible. PyTorch says: mat1 and mat2 shapes cannot be multiplied "
        "(1x1024 and 1600x10)"
    )
    expect(page.locator(".verdict")).to_contain_text("1,024 and 1,600, must be equal")
    button(page, "Set in_features to 1,024").click()
    check_drawn(page, BROKEN.replace("1600", "1024"))
    expect(page.get_by_role("radio").nth(8)).to_be_focused()
    expect(page.locator(".verdict button")).to_be_hidden()


@pytest.mark.parametrize(
    ("stack", "words", "mend", "mended"),
    [
        (
            "1x6x9 conv2k4s3p1d3 relu",
            "The window reaches over 3·(4 − 1) + 1 = 10 pixels, and the map with its padding has "
            "6 + 2·1 = 8: 6 + 2·1 − 3·(4 − 1) − 1 = −2 < 0",
            "Set padding to 2",
            "1x6x9 conv2k4s3p2d3 relu",
        ),
        (
            "1x3x3 pool5",
            "the map with its padding has 3 + 2·0 = 3: 3 + 2·0 − 1·(5 − 1) − 1 = −2 < 0",
            "Set padding to 1",
            "1x3x3 pool5p1",
        ),
        ("1x1x1 pool9d3", "1 + 2·0 − 3·(9 − 1) − 1 = −24 < 0", None, None),
        ("1x9x9 pool2p2", "⌊2/2⌋ = 1, and this one has 2", "Set padding to 1", "1x9x9 pool2p1"),
        (
            "2x5x4 linear40to10",
            "(10x4 and 40x10)A linear layer works on the last axis, here the 4 columns of a map; "
            "the other axes became 2·5 = 10 rows. A Flatten before it is missing.",
            "Insert a Flatten",
            "2x5x4 flatten linear40to10",
        ),
        ("1x9x9 flatten conv2k3", "what arrives are 81 plain numbers", None, None),
    ],
)
def test_an_impossible_layer_explains_itself(open_figure, stack, words, mend, mended):
    page = open_figure(settings={"stack": stack})
    check_drawn(page, stack)
    expect(page.locator(".verdict")).to_contain_text(words)
    if mend:
        button(page, mend).click()
        check_drawn(page, mended)
    else:
        expect(page.locator(".verdict button")).to_be_hidden()


# To take along


def test_the_code_is_copied(open_figure):
    page = open_figure(permissions=["clipboard-read", "clipboard-write"])
    button(page, "Copy code").click()
    expect(button(page, "Copied")).to_be_visible()
    code = page.locator(".code .listing").inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == code
    assert re.search(r"nn\.Linear\(1600, 10\), +# 10\n\)\n$", code)


def test_the_diagram_is_saved(open_figure, tmp_path):
    page = open_figure(settings={"stack": "3x224x224 conv64k11s4p2 relu pool3s2 flatten"})
    menu = open_menu(page)
    with page.expect_download() as download:
        button(menu, "Save diagram as SVG").click()
    assert download.value.suggested_filename == "network.svg"
    download.value.save_as(tmp_path / "network.svg")
    svg = ElementTree.parse(tmp_path / "network.svg").getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [
        "3@224×224",
        "64@55×55",
        "Conv 11×11",
        "s 4, p 2",
        "ReLU",
        "64@27×27",
        "MaxPool 3×3",
        "s 2",
        "46656",
        "Flatten",
    ]
    assert "chosen" not in (tmp_path / "network.svg").read_text("utf-8")
    page.goto((tmp_path / "network.svg").as_uri())
    assert page.locator("svg").bounding_box()["height"] > 100


def test_the_address_holds_the_network(open_figure):
    page = open_figure()
    line(page, 1).click()
    number_of(page, "k").fill("5")
    page.wait_for_function("() => location.search.includes('stack')")
    stack = NETWORKS["ConvNet"].replace("k3", "k5", 1)
    assert page.url.endswith("?shape_explorer.stack=" + stack.replace(" ", "+"))
    page = open_figure(settings={"stack": stack})
    check_drawn(page, stack)
    for wild, tame in (
        ("1x900x20 conv9k99 relu", "1x512x20 conv9k15 relu"),
        ("1x28x28", NETWORKS["ConvNet"]),
        ("1x28x28 cnv3k3", NETWORKS["ConvNet"]),
        ("1x28x28 conv3k3 <b>", NETWORKS["ConvNet"]),
        ("1x28x28 relu;relu", NETWORKS["ConvNet"]),
    ):
        go_to(page, {"stack": stack}, "shape_explorer")
        go_to(page, {"stack": wild}, "shape_explorer")
        check_drawn(page, tame)


def test_python_moves_the_figure_and_is_moved(open_page):
    page = open_page("about:blank").page
    explorer = ShapeExplorer()
    state = {**explorer.settings, "_limits": explorer._limits, "_initial": explorer._initial}
    page.evaluate(
        """async ([source, state]) => {
            const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { default: figure } = await import(address);
            const listeners = {};
            window.model = {
                get: (name) => state[name],
                set: (name, value) => {
                    state[name] = value;
                    for (const listener of listeners[`change:${name}`] ?? []) listener();
                },
                on: (event, listener) => (listeners[event] ??= []).push(listener),
                off: () => {}, save_changes: () => (window.saved = state.stack),
            };
            figure.render({ model, el: document.body });
        }""",
        [explorer._esm, state],
    )
    page.evaluate("model.set('stack', '3x9x9 conv2k3 flatten')")
    check_drawn(page, "3x9x9 conv2k3 flatten")
    button(page, "Remove").click()
    explorer.set_state({"stack": page.evaluate("saved")})
    assert explorer.stack == "3x9x9 flatten"


def test_an_input_is_painted_in_the_next_frame_and_quickly(open_figure):
    page = open_figure(settings={"stack": NETWORKS["AlexNet"]})
    took = page.locator(".stepper input[name=k]").evaluate(
        """async (input) => {
            const took = [];
            for (let i = 0; i < 40; i++) {
                const start = performance.now();
                input.value = 3 + (i % 9);
                input.dispatchEvent(new Event("input"));
                await new Promise((painted) => requestAnimationFrame(() => {
                    const draws = performance.now();
                    document.body.offsetHeight; // the layout is part of it
                    took.push(performance.now() - draws);
                    painted(start);
                }));
            }
            return took;
        }"""
    )
    check_drawn(page, NETWORKS["AlexNet"].replace("k11", "k6", 1))
    assert np.median(took) < 16


# For everyone


def test_focus_can_be_seen(open_figure):
    page = open_figure(390)  # where the code scrolls, so that one has to get there by keyboard
    for target in (
        "input[type=radio]:checked",
        ".stepper input",
        ".stepper button",
        ".code .listing",
    ):
        page.locator(target).first.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        style = page.locator(target).first.evaluate("(e) => getComputedStyle(e).outlineStyle")
        assert style == "solid", target

"""The Python side of the shape explorer: the language of its stacks, and what follows from them."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from traitlets import TraitError

from cnnlesson import AlexNet, ConvNet, ShapeError, ShapeTracer
from cnnlesson.widgets import ShapeExplorer
from cnnlesson.widgets.shape_explorer.stack import Network

NETWORKS = ShapeExplorer.networks


@st.composite
def stacks(draw):
    """A stack, more often possible than not, with everything written out or left out."""

    def optional(letter, low, high):
        value = draw(st.integers(low, high))
        return f"{letter}{value}" if draw(st.booleans()) else ""

    words = ["x".join(str(draw(st.integers(1, high))) for high in (3, 40, 40))]
    for _ in range(draw(st.integers(1, 7))):
        kind = draw(
            st.sampled_from(
                ["conv", "conv", "pool", "avgpool", "relu", "tanh", "dropout", "flatten", "linear"]
            )
        )
        k, s, p = draw(st.integers(1, 5)), optional("s", 1, 4), optional("p", 0, 2)
        d = optional("d", 1, 3)
        words.append(
            {
                "conv": f"conv{draw(st.integers(1, 8))}k{k}{s}{p}{d}",
                "pool": f"pool{k}{s}{p}{d}",
                "avgpool": f"avgpool{k}{s}{p}",
                "linear": f"linear{draw(st.integers(1, 40))}to{draw(st.integers(1, 12))}",
            }.get(kind, kind)
        )
    return " ".join(words)


# The networks it starts from


def test_convnet_is_the_network_of_the_course():
    assert str(ShapeExplorer().to_module()) == str(ConvNet().layers)
    assert "34,826 parameters and 2,440,960 multiply-adds" in ShapeExplorer().summary()
    assert "sees 10×10 pixels" in ShapeExplorer().summary()


def test_lenet_by_hand():
    table = ShapeExplorer(stack=NETWORKS["LeNet-5"]).trace()
    shapes = dict.fromkeys(row.output_shape[1:] for row in table.rows)
    assert list(shapes) == [
        (6, 28, 28),
        (6, 14, 14),
        (16, 10, 10),
        (16, 5, 5),
        (400,),
        (120,),
        (84,),
        (10,),
    ]
    assert table.num_parameters == 156 + 2416 + 48_120 + 10_164 + 850


@pytest.mark.parametrize(
    ("layer", "padded"),
    [
        ("conv6k5", "conv6k5p2"),
        ("conv16k5", "conv16k5p1"),
        ("avgpool2 flatten", "avgpool2p1 flatten"),
    ],
)
def test_lenet_takes_images_of_28_by_one_padding_as_chapter_3_says(layer, padded):
    small = NETWORKS["LeNet-5"].replace("32x32", "28x28")
    with pytest.raises(ShapeError):
        ShapeExplorer(stack=small).trace()
    mended = ShapeExplorer(stack=small.replace(layer, padded)).trace()
    assert mended.num_parameters == 61_706
    assert mended.rows[-1].output_shape == (1, 10)


def test_alexnet_is_that_of_the_course_but_for_a_layer_that_does_nothing_here():
    with torch.device("meta"):
        model = AlexNet()
    rows = ShapeTracer(model).trace(torch.zeros(1, 3, 224, 224, device="meta")).rows
    found = ShapeExplorer(stack=NETWORKS["AlexNet"]).trace().rows
    expected = [row[1:] for row in rows if row.kind != "AdaptiveAvgPool2d"]
    assert [row[1:] for row in found] == expected
    [idle] = [row for row in rows if row.kind == "AdaptiveAvgPool2d"]
    assert idle.input_shape == idle.output_shape


# The language


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("1x28x28 conv32k3s1p0d1", "1x28x28 conv32k3"),
        ("  1x28x28\tconv2k05s2d3 ", "1x28x28 conv2k5s2d3"),
        ("3x8x9 pool2s2 pool3s1 pool2p1d1", "3x8x9 pool2 pool3s1 pool2p1"),
        ("3x8x9 avgpool4s4 avgpool4s2p1", "3x8x9 avgpool4 avgpool4s2p1"),
        ("1x1x1 flatten linear1to9 tanh dropout", "1x1x1 flatten linear1to9 tanh dropout"),
    ],
)
def test_a_stack_is_kept_in_its_shortest_form(text, short):
    assert ShapeExplorer(stack=text).stack == short


def test_what_is_left_out_is_as_in_pytorch():
    text = "3x9x9 conv4k3 conv5k3s2p1d2 pool3 pool3s2p1d2 avgpool2 avgpool3s1p1 linear7to8"
    expected = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.Conv2d(4, 5, 3, stride=2, padding=1, dilation=2),
        nn.MaxPool2d(3),
        nn.MaxPool2d(3, stride=2, padding=1, dilation=2),
        nn.AvgPool2d(2),
        nn.AvgPool2d(3, stride=1, padding=1),
        nn.Linear(7, 8),
    )
    assert str(ShapeExplorer(stack=text).to_module()) == str(expected)


@given(stacks())
@settings(max_examples=60, deadline=None)
def test_shortening_changes_nothing_and_the_pattern_lets_it_pass(text):
    short = ShapeExplorer(stack=text).stack
    assert str(Network.parse(short).to_module()) == str(Network.parse(text).to_module())
    assert ShapeExplorer(stack=short).stack == short
    pattern = ShapeExplorer()._limits["stack"]["pattern"]
    assert re.fullmatch(pattern, short)
    assert re.fullmatch(pattern, text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, "stack: expected text such as '1x28x28 conv32k3 "),
        ("", "stack: expected it to begin with an input such as 1x28x28, found ''"),
        ("28x28 relu", "begin with an input such as 1x28x28, found '28x28'"),
        ("1x28x28", "stack: expected 1 to 32 layers, found 0"),
        ("1x28x28" + 33 * " relu", "stack: expected 1 to 32 layers, found 33"),
        ("0x28x28 relu", "input (0x28x28): expected channels from 1 to 2048, found 0"),
        ("1x28x600 relu", "input (1x28x600): expected size from 1 to 512, found 600"),
        ("1x28x28 relu cnv3k3", "layer 2: expected one such as conv32k3, "),
        ("1x28x28 relu cnv3k3", "or flatten, found 'cnv3k3'"),
        ("1x28x28 conv3", "layer 1: expected one such as conv32k3, "),
        ("1x28x28 conv3k3p1s2", "found 'conv3k3p1s2'"),
        ("1x28x28 avgpool2d2", "found 'avgpool2d2'"),
        ("1x28x28 relu3", "found 'relu3'"),
        ("1x28x28 conv3k16", "layer 1 (conv3k16): expected k from 1 to 15, found 16"),
        ("1x28x28 relu pool2s0", "layer 2 (pool2s0): expected s from 1 to 15, found 0"),
        ("1x28x28 linear10to0", "layer 1 (linear10to0): expected to from 1 to 9999, found 0"),
    ],
)
def test_what_is_no_network_is_refused_with_its_place(value, expected):
    explorer = ShapeExplorer()
    with pytest.raises(TraitError, match=re.escape(expected)):
        explorer.stack = value
    assert explorer.stack == NETWORKS["ConvNet"]


def test_a_network_that_cannot_run_is_one():
    explorer = ShapeExplorer(stack="1x28x28 conv8k5 pool2 flatten linear1600to10")
    with pytest.raises(ShapeError, match="failed after 3 layers"):
        explorer.trace()
    assert explorer.summary() == (
        "From an image of 1×28×28, layer 4 (linear1600to10) is impossible: "
        "what arrives there has shape 1152."
    )
    assert explorer.multiply_adds() == [8 * 24 * 24 * 25, 0, 0]


# What it computes


@given(stacks())
@settings(max_examples=40, deadline=None)
def test_multiply_adds_are_half_of_the_operations_pytorch_counts(text):
    explorer = ShapeExplorer(stack=text)
    found = explorer.multiply_adds()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        explorer.to_module()[: len(found)](torch.zeros(1, *Network.parse(text).shape))
    assert 2 * sum(found) == counter.get_total_flops()


def test_weights_are_new_and_real():
    one, other = ShapeExplorer().to_module(), ShapeExplorer().to_module()
    assert not torch.equal(one[0].weight, other[0].weight)
    assert one(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


# What stands for it without JavaScript


def labels(explorer):
    svg = ElementTree.fromstring(explorer.picture())
    return [text.text for text in svg.iter("text")]


def test_the_picture_shows_every_stage():
    assert labels(ShapeExplorer()) == [
        "1@28×28",
        "32@26×26",
        "32@13×13",
        "64@11×11",
        "64@5×5",
        "1600",
        "10",
    ]
    assert 'aria-label="Input: 1 feature map of 28×28. Conv' in ShapeExplorer().picture()


def test_the_picture_ends_before_the_impossible():
    assert labels(ShapeExplorer(stack="1x8x8 conv2k3 conv4k7 relu")) == ["1@8×8", "2@6×6"]
    assert labels(ShapeExplorer(stack="1x8x8 conv2k9")) == ["1@8×8"]


def of_class(explorer, name):
    svg = ElementTree.fromstring(explorer.picture())
    return [element for element in svg.iter() if element.get("class") == name]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_picture_joins_every_map_to_the_next(name):
    explorer = ShapeExplorer(stack=NETWORKS[name])
    slides = re.findall("conv|pool", explorer.stack)
    assert len(of_class(explorer, "seen")) == len(of_class(explorer, "pixel")) == len(slides)
    drawn = next(iter(ElementTree.fromstring(explorer.picture())))
    lines = [e for e in drawn.findall("path") if e.get("stroke-width") == "0.6"]
    assert len(lines) == len(slides) + len(re.findall("flatten|linear", explorer.stack))


def test_a_row_of_the_picture_leads_to_the_next():
    assert of_class(ShapeExplorer(), "turn") == []
    explorer = ShapeExplorer(stack=NETWORKS["AlexNet"])
    svg = ElementTree.fromstring(explorer.picture())
    *_, width, height = map(float, svg.get("viewBox").split())
    [turn] = of_class(explorer, "turn")
    places = np.array(re.findall(r"([\d.]+),([\d.]+)", turn.get("d")), dtype=float)
    assert np.all((places > 1) & (places < [width - 1, height - 1]))
    first, last = places[0], places[5]
    assert first[0] > 0.7 * width
    assert last[0] < 0.1 * width
    assert last[1] > first[1] + 60
    [repeated] = [g for g in next(iter(svg)).findall("g") if g.get("fill") == "none"]
    assert repeated.find("text").text == "384@13×13"

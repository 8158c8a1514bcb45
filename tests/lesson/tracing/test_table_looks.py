"""How the table looks, as words and as HTML."""

from html.parser import HTMLParser

import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from cnnlesson import ConvNet, LayerShape, ShapeTable, ShapeTracer


def test_repr_of_convnet():
    text = repr(ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28)))
    lines = text.splitlines()
    assert lines[0].split() == ["name", "layer", "input", "output", "parameters"]
    assert lines[2].split() == ["layers.0", "Conv2d", "1×1×28×28", "1×32×26×26", "320"]
    assert lines[9].split() == ["layers.7", "Linear", "1×1600", "1×10", "16,010"]
    assert lines[1] == lines[10] == "─" * len(lines[0])
    assert lines[-1].strip() == "34,826 parameters"
    assert len({len(line) for line in lines}) == 1


class Outline(HTMLParser):
    """Check that every tag is closed, and collect the cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.rows, self.spans = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.spans.append(int(dict(attrs).get("colspan", 1)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.rows[-1][-1] += data


def test_html_is_well_formed_and_complete():
    table = ShapeTracer(ConvNet()).trace(torch.zeros(1, 1, 28, 28))
    outline = Outline()
    outline.feed(table._repr_html_())
    outline.close()
    assert outline.open == []
    assert outline.rows[0] == ["name", "layer", "input", "output", "parameters"]
    assert outline.rows[4] == ["layers.3", "Conv2d", "1×32×13×13", "1×64×11×11", "18,496"]
    assert outline.rows[-1] == ["all", "34,826"]
    assert sum(outline.spans[-2:]) == 5


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\r\0")))
def test_html_is_escaped(text):
    table = ShapeTable([LayerShape(text, text, (1,), (1,), 0)], 0)
    outline = Outline()
    outline.feed(table._repr_html_())
    outline.close()
    assert outline.open == []
    assert outline.rows[1] == [text, text, "1", "1", "0"]


def test_a_scalar_output_and_an_empty_table():
    class Mean(nn.Module):
        def forward(self, x):
            return x.mean()

    assert "scalar" in repr(ShapeTracer(Mean()).trace(torch.zeros(3)))
    assert "0 parameters" in repr(ShapeTable([], 0))

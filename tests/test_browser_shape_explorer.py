"""The shape explorer in a real browser: what is drawn and said is what PyTorch finds."""

import json
import random
import re
import warnings

import pytest
import torch
from torch import nn

from cnnlesson import ShapeError, ShapeTracer, receptive_fields
from cnnlesson.widgets import ShapeExplorer
from cnnlesson.widgets.stack import Network

NETWORKS = ShapeExplorer.networks
BROKEN = "1x28x28 conv32k3 relu pool2 conv64k5 relu pool2 flatten linear1600to10"
HAND_AND_EYE = pytest.mark.parametrize(
    ("width", "theme"), [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
)


@pytest.fixture(scope="module")
def book(figure_book):
    return figure_book(ShapeExplorer())


@pytest.fixture
def open_figure(book, open_page):
    """Open the page; afterwards nothing went wrong on it."""
    visits = []

    def open_figure(width=1280, theme="light", stack="", **options):
        tail = f"?shape_explorer.stack={stack.replace(' ', '+')}" if stack else ""
        visit = open_page(f"{book.as_uri()}/index.html{tail}", width, theme, **options)
        visits.append(visit)
        visit.page.locator(".is-live").wait_for(timeout=10_000)
        return visit.page

    yield open_figure
    for visit in visits:
        assert visit.errors == []
        assert visit.foreign == []


def frames(page):
    """Let what was asked for be painted."""
    page.evaluate("() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))")


# What PyTorch finds


def times(shape):
    return "×".join(map(str, shape))


def run(stack):
    """Run the network for real; return it, its rows and PyTorch's own message if it fails."""
    network, model = Network.parse(stack), Network.parse(stack).to_module()
    try:
        with warnings.catch_warnings(action="ignore"):
            return model, ShapeTracer(model).trace(torch.zeros(1, *network.shape)).rows, None
    except ShapeError as error:
        return model, error.table.rows, str(error.__cause__)


def fields_after(model, count):
    """Return the receptive field after each of the first layers, None where all is mixed."""
    found = {field.name: field.size for field in receptive_fields(model)}
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
        kind = rng.choice(
            [
                "conv",
                "conv",
                "conv",
                "pool",
                "avgpool",
                "relu",
                "tanh",
                "dropout",
                "flatten",
                "linear",
            ]
        )
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
        assert [row["sees"] for row in found] == fields_after(model, len(rows))
        assert (result["error"] is None) == (message is None), stack
        if message:
            if "torch" in result["error"]:
                assert result["error"]["torch"] == message
            else:
                assert "mat1" not in message
            assert len(result["error"]["words"]) > 40
            failures[next(words for words in failures if words in message)] += 1
    assert min(failures.values()) >= 5  # the last are windows over what is flat

"""The Python side of the figures, and what their JavaScript must look like to travel."""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from traitlets import TraitError

from cnnlesson import widgets
from cnnlesson.momentum.descent import momentum_descent
from cnnlesson.widgets import (
    MapLab,
    MomentumExplorer,
    OrderExplorer,
    Prediction,
    Question,
    RunExplorer,
)
from cnnlesson.widgets.shared.figure import Figure

FOLDER = Path(widgets.__file__).parent
SOURCES = sorted(FOLDER.glob("*/*.js"))
STYLES = sorted(FOLDER.glob("*/*.css"))
SHEETS = [path for path in STYLES if path.parent.name != "shared"]
CLASSES = [getattr(widgets, name) for name in widgets.__all__]
# These are made of runs, not of nothing.
OF_RUNS = (MapLab, OrderExplorer, RunExplorer)
# These are made by functions of their own, and are words where others are a picture.
OF_WORDS = (Prediction, Question)
EVERY_FIGURE = [cls for cls in CLASSES if issubclass(cls, Figure)]
FIGURES = [cls for cls in EVERY_FIGURE if cls not in OF_RUNS + OF_WORDS]


class Divs(HTMLParser):
    """The attributes of every `<div>`."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "div":
            self.found.append(dict(attributes))


def html_of(figure):
    data, _ = figure._repr_mimebundle_()
    return data["text/html"]


def svg_of(figure):
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", html_of(figure), re.DOTALL)[0])


@pytest.mark.parametrize("cls", FIGURES)
def test_a_figure_offers_the_widget_and_its_page_view(cls):
    data, _ = cls()._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "text/html",
        "text/plain",
    }


@pytest.mark.parametrize("cls", FIGURES)
def test_page_view_and_text_are_the_same_in_every_run(cls):
    one, other = cls(), cls()
    assert one.model_id != other.model_id
    assert html_of(one) == html_of(other)
    assert repr(one) == repr(other)
    assert eval(repr(one), {cls.__name__: cls}).settings == one.settings


@pytest.mark.parametrize("cls", FIGURES)
def test_page_view_names_a_module_and_carries_settings_with_their_limits(cls):
    figure = cls()
    [div] = Divs(html_of(figure)).found
    state = json.loads(div["data-state"])
    limits = state.pop("_limits")
    assert state.pop("_data", {}) == json.loads(json.dumps(figure.page_data()))
    assert div["class"] == "cnnlesson-figure"
    assert f"{div['data-module']}.js" in {path.name for path in SOURCES}
    assert state == json.loads(json.dumps(figure.settings))
    assert limits.keys() == state.keys()


@pytest.mark.parametrize("cls", FIGURES)
def test_page_view_is_readable_before_anything_runs(cls):
    svg = svg_of(cls())
    assert svg.get("role") == "img"
    assert len(svg.get("aria-label")) > 30
    [sentence] = re.findall(r"<p>(.+)</p>", html_of(cls()))
    assert sentence.endswith(".")
    assert len(html_of(cls())) < 10_000


@pytest.mark.parametrize("cls", FIGURES)
def test_in_colab_only_the_widget_is_offered(cls, monkeypatch):
    figure = cls()
    monkeypatch.setitem(sys.modules, "google.colab", object())
    data, _ = figure._repr_mimebundle_()
    assert "text/html" not in data


@pytest.mark.parametrize("cls", EVERY_FIGURE)
def test_the_live_module_is_self_contained(cls):
    source = cls._esm
    assert not re.search(r"^\s*import\b|\bimport\s*\(", source, re.MULTILINE)
    assert source.count("export default { render }") == 1
    assert "export function compute(" in source
    assert "http" not in re.sub(r'"http://www\.w3\.org/\S+"', "", source)


@pytest.mark.parametrize("path", [*SOURCES, *STYLES], ids=lambda path: path.name)
def test_no_line_is_too_long_to_read(path):
    long = [line for line in path.read_text("utf-8").splitlines() if len(line) > 100]
    assert long == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_modules_keep_the_shape_that_can_be_inlined(path):
    source = path.read_text("utf-8")
    assert " as " not in re.sub(r"//.*|/\*[\s\S]*?\*/|\".*?\"|`.*?`", "", source)
    exports = re.findall(r"^.*\bexport\b.*$", source, re.MULTILINE)
    allowed = r"export (const|function|class) \w+.*|export default \{ render \};"
    assert exports
    assert all(re.fullmatch(allowed, line) for line in exports)


def test_a_slider_s_message_sets_the_trait():
    explorer = MomentumExplorer()
    explorer.set_state({"lr": 2, "num_steps": 50, "start": [3, -1.5]})
    assert explorer.lr == 2.0
    assert isinstance(explorer.lr, float)
    assert explorer.num_steps == 50
    assert explorer.start == (3.0, -1.5)


def test_a_trait_set_in_python_is_sent():
    explorer = MomentumExplorer()
    explorer.momentum = 0.5
    assert explorer.get_state()["momentum"] == 0.5


def test_numpy_numbers_are_numbers():
    explorer = MomentumExplorer(
        lr=np.float32(0.5), num_steps=np.int64(7), start=np.array([1.0, 2.0])
    )
    assert repr(explorer) == (
        "MomentumExplorer(lr=0.5, momentum=0.8, condition_number=100.0, start=(1.0, 2.0), "
        "num_steps=7, landscape='bowl')"
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lr", 4.5, "lr: expected a number from 0.01 to 4, found 4.5"),
        ("lr", 0, "lr: expected a number from 0.01 to 4, found 0"),
        ("lr", "1", "lr: expected a number from 0.01 to 4, found '1'"),
        ("momentum", 1.0, "momentum: expected a number from 0 to 0.99, found 1.0"),
        ("momentum", float("nan"), "momentum: expected a number from 0 to 0.99, found nan"),
        ("momentum", True, "momentum: expected a number from 0 to 0.99, found True"),
        ("condition_number", 0.5, "condition_number: expected a number from 1 to 1000, found 0.5"),
        ("num_steps", 0, "num_steps: expected a whole number from 1 to 300, found 0"),
        ("num_steps", 2.5, "num_steps: expected a whole number from 1 to 300, found 2.5"),
        ("start", (11, 0), "x from -10 to 10 and y from -5 to 5, found (11, 0)"),
        ("start", (1, 2, 3), "x from -10 to 10 and y from -5 to 5, found (1, 2, 3)"),
        ("start", (0, float("nan")), "x from -10 to 10 and y from -5 to 5, found (0, nan)"),
        ("start", 3, "x from -10 to 10 and y from -5 to 5, found 3"),
        ("start", "12", "x from -10 to 10 and y from -5 to 5, found '12'"),
        ("start", ("1", "2"), "x from -10 to 10 and y from -5 to 5, found ('1', '2')"),
        ("start", (True, False), "x from -10 to 10 and y from -5 to 5, found (True, False)"),
        ("start", {1: 2, 3: 4}, "x from -10 to 10 and y from -5 to 5, found {1: 2, 3: 4}"),
        ("start", {1, 2}, "x from -10 to 10 and y from -5 to 5, found {1, 2}"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    explorer = MomentumExplorer()
    before = getattr(explorer, name)
    with pytest.raises(TraitError, match=re.escape(expected)):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    with pytest.raises(TraitError, match=re.escape(expected)):
        MomentumExplorer(**{name: value})


def test_an_unknown_setting_is_named():
    expected = "MomentumExplorer: expected settings among lr, .*, landscape, found leraning, steps"
    with pytest.raises(TypeError, match=expected):
        MomentumExplorer(lr=1.0, steps=3, leraning=3)


def test_what_every_widget_has_can_be_set_too():
    assert MomentumExplorer(layout={"width": "50%"}).layout.width == "50%"


@pytest.mark.parametrize("state", [{}, {"lr": 3.9, "momentum": 0.1}], ids=["tame", "diverging"])
def test_the_still_picture_shows_both_paths(state):
    explorer = MomentumExplorer(**state)
    paths = svg_of(explorer).iter("path")
    for path, momentum in zip(paths, (0.0, explorer.momentum), strict=True):
        drawn = np.array(re.findall(r"[-\d.]+", path.get("d")), dtype=float).reshape(-1, 2)
        expected = momentum_descent(
            lambda w: w * [1 / explorer.condition_number, 1],
            np.array(explorer.start),
            lr=explorer.lr,
            momentum=momentum,
            num_steps=explorer.num_steps,
        ).w
        assert len(drawn) > 2
        pixels = np.column_stack([320 + 32 * expected[:, 0], 160 - 32 * expected[:, 1]])
        np.testing.assert_allclose(drawn, pixels[: len(drawn)], atol=0.051)


def test_the_still_picture_shows_a_velocity():
    explorer = MomentumExplorer(num_steps=5)
    [arrow] = [g for g in svg_of(explorer).iter("g") if "rotate" in g.get("transform", "")]
    x, y, angle = map(float, re.findall(r"[-\d.]+", arrow.get("transform")))
    path = explorer.path()
    np.testing.assert_allclose([x, y], [320, 160] + path.w[5] * [32, -32], atol=0.051)
    length = float(arrow.find("line").get("x2"))
    turn = np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))])
    np.testing.assert_allclose(length * turn, 32 * path.v[5], atol=0.2)


def test_the_sentence_gives_the_loss_at_both_ends():
    explorer = MomentumExplorer(lr=1, momentum=0, condition_number=1, start=(3, 4), num_steps=1)
    assert "from a loss of 12.5 to 0, and gradient descent (dashed) to 0." in html_of(explorer)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_the_rules_of_a_figure_meet_no_other_figure(sheet):
    own = sheet.stem.replace("_", "-")
    outermost = re.findall(r"^([^\s/}].*?) [{]$", sheet.read_text("utf-8"), re.MULTILINE)
    assert outermost[0] == f".{own}"
    assert {rule.split()[0] for rule in outermost[1:]} <= {".cnnlesson-panel"}
    source = sheet.with_suffix(".js").read_text("utf-8")
    assert re.search(rf'classList\.add\("{own}"[,)]', source)

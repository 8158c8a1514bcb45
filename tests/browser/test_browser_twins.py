"""The still picture of each figure shows what the live one shows.

The live figure is drawn in a browser by the module that a notebook gets, and both pictures are read
back in the units of what they show. A twin may leave marks out; those it has lie where the live
ones lie, and are as many.
"""

import json
import math
import re
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from test_browser_off_the_scale import CASES as WILD
from test_map_lab import made_up_map
from test_order_explorer import made_up_runs

from cnnlesson import read_results, results_path, widgets
from cnnlesson.widgets import DigitReader, MapLab, OrderExplorer, RunExplorer, ShapeExplorer
from cnnlesson.widgets.shared.figure import Figure

WIDTH = 1400  # pixels: a network of the cases stands in one row
DRAW = """async ([source, css, state, width]) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { default: figure, compute } = await import(address);
    const style = Object.assign(document.createElement("style"), { textContent: css });
    const el = Object.assign(document.createElement("div"), { style: `width: ${width}px` });
    document.body.replaceChildren(style, el);
    const model = {
        get: (name) => state[name], set: (name, value) => (state[name] = value),
        on() {}, off() {}, save_changes() {},
    };
    figure.render({ model, el });
    el.firstElementChild.style.maxWidth = "none";
    await new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)));
    await new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)));
    for (const canvas of el.querySelectorAll("canvas")) {
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        canvas.dataset.reds = JSON.stringify([...data].filter((_, k) => k % 4 === 0));
    }
    return new XMLSerializer().serializeToString(el);
}"""


@pytest.fixture(scope="module")
def page(open_lasting_page):
    visit = open_lasting_page("about:blank", width=1500)
    yield visit.page
    assert visit.errors == []


def parse(svg):
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]
    return root


def live(page, figure):
    state = {**figure.settings, "_limits": figure._limits, "_data": figure.data()}
    state["_initial"] = figure.settings
    return parse(
        page.evaluate(DRAW, [figure._esm, figure._css, json.loads(json.dumps(state)), WIDTH])
    )


def of_class(root, name, tag="*"):
    """Return the elements below that have every class of ``name``."""
    wanted = set(name.split())
    return [
        e for e in root.iter() if wanted <= set(e.get("class", "").split()) and tag in ("*", e.tag)
    ]


def numbers(text):
    return np.array(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text), dtype=float)


def subpaths(d):
    """Return the points of each part of a path of absolute places."""
    return [numbers(part).reshape(-1, 2) for part in d.replace("h0", "").split("M")[1:]]


class Plot:
    """One of the live figure's plots, and what is in it, in the units of its axes."""

    def __init__(self, root, number, x, y):
        self.plot = of_class(root, "plot")[number]
        [self.inside] = [inside] = of_class(self.plot, "inside")
        self.left, self.top, self.width, self.height = (
            float(inside.get(name)) for name in ("x", "y", "width", "height")
        )
        self.x, self.y = x, y

    def units(self, points):
        part = (np.asarray(points) - [self.left, self.top]) / [self.width, self.height]
        (left, right), (bottom, top) = self.x, self.y
        return np.column_stack(
            [left + part[:, 0] * (right - left), top + part[:, 1] * (bottom - top)]
        )

    def paths(self, name):
        """Return the points of each part of the path of this class."""
        [path] = of_class(self.inside, name, "path")
        return [self.units(points) for points in subpaths(path.get("d", ""))]

    def radii(self):
        """Return both radii of each contour, in units of x."""
        unit = self.width / (self.x[1] - self.x[0])
        ellipses = of_class(self.plot, "contour")
        return sorted((float(e.get("rx")) / unit, float(e.get("ry")) / unit) for e in ellipses)

    def handle(self):
        [point] = of_class(self.plot, "point")
        return self.units(numbers(point.get("transform")).reshape(1, 2))


def twin_radii(svg, unit):
    ellipses = [e for e in svg.iter() if e.tag == "ellipse"]
    return sorted((float(e.get("rx")) / unit, float(e.get("ry")) / unit) for e in ellipses)


def turned(transform):
    """Return a place and an angle."""
    x, y, *angle = numbers(transform)
    return [x, y, *(angle or [0])]


def momentum_explorer(root, svg, figure):
    plot, middle, unit = Plot(root, 0, (-10, 10), (-5, 5)), [320, 160], 32
    lines = [
        plot.units(numbers(e.get("d")).reshape(-1, 2)) for e in of_class(plot.inside, "contour")
    ]
    *bent, plain, own = svg.iter("path")
    if bent:
        still = [(numbers(e.get("d")).reshape(-1, 2) - middle) / [unit, -unit] for e in bent]
        yield "contours", lines, still
    else:
        radii = [[float(e.get(r)) / unit for r in ("rx", "ry")] for e in svg.iter("ellipse")]
        on = [np.hypot(*(line / r).T) for line, r in zip(lines, radii, strict=True)]
        yield "contours", on, np.ones_like(on)
    for name, path in (("path plain", plain), ("path momentum", own)):
        [shown], [still] = plot.paths(name), subpaths(path.get("d"))
        yield name, shown, (still - middle) / [unit, -unit]
    [start, *_] = svg.iter("circle")
    still = [[float(start.get("cx")) / unit - 10, 5 - float(start.get("cy")) / unit]]
    yield "start", plot.handle(), still
    arrows = [g for g in svg.iter("g") if "rotate" in g.get("transform", "")]
    velocity = next(e for e in of_class(root, "velocity") if "halo" not in e.get("class"))
    if not velocity.get("d"):
        yield "no velocity", [], arrows
        return
    pixels = numbers(velocity.get("d"))[2]
    x, y, angle = numbers(velocity.get("transform"))
    [arrow] = arrows
    u, v, still_angle = numbers(arrow.get("transform"))
    length = float(arrow.find("line").get("x2"))
    yield "velocity begins", plot.units([[x, y]]), [[u / unit - 10, 5 - v / unit]]
    turn = lambda degrees: [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]  # noqa: E731
    shown = np.multiply(turn(angle), pixels * 20 / plot.width)
    yield "velocity", shown, np.multiply(turn(still_angle), length / unit)


def eigen_basis(root, svg, figure):
    plot, unit = Plot(root, 0, (-7, 7), (-7, 7)), 22
    inner = svg.find("svg")
    yield "contours", plot.radii(), twin_radii(inner, unit)
    bowl = inner.find("g")
    yield "angle", [-figure.angle], [turned(bowl.get("transform"))[2]]
    future, way = inner.findall("g")[1].findall("path")
    for name, path in (("path rest", future), ("path total", way)):
        [shown], [still] = plot.paths(name), subpaths(path.get("d"))
        yield name, shown, (still - 7 * unit) / [unit, -unit]
    start = inner.find("circle")
    yield (
        "start",
        plot.handle(),
        [[(float(start.get("cx"))) / unit - 7, 7 - float(start.get("cy")) / unit]],
    )
    paths = [
        [subpaths(e.get("d")) for e in list(window.find("g"))[:2]]
        for window in svg.findall("svg")[1:]
    ]
    for i, (hue, base) in enumerate((("first", 83), ("second", 237))):
        chart = Plot(root, 1 + i, (0, 60), (-7, 7))
        future, way = paths[i]
        for name, [still] in (("path rest", future), (f"along {hue}", way)):
            elements = [e for e in of_class(chart.plot, name) if e.get("class") == name]
            [path] = [
                e for e in elements if len(e.get("d", "")) > 9 and "rotate" not in e.get("d")
            ][-1:]
            shown = chart.units(numbers(path.get("d")).reshape(-1, 2))
            yield f"{name} of {hue}", shown, (still - [360, base]) * [60 / 270, -1 / 9]


def stability_map(root, svg, figure):
    plot = Plot(root, 0, (0, 4), (0, 1))
    units = lambda points: np.asarray(points) / [160, -320] + [0, 1]  # noqa: E731
    in_order = lambda corners: sorted(map(tuple, np.round(corners, 3)))  # noqa: E731
    shades, line = svg.find("g"), svg.find("path")
    shown = [
        e.get("d") for e in of_class(plot.plot, "inside")[0].findall("path") if not e.get("class")
    ]
    bands = {
        round(plot.units(subpaths(d)[0])[:, 0].max(), 2): plot.units(subpaths(d)[0]) for d in shown
    }
    for path in shades.findall("path"):
        [still] = map(units, subpaths(path.get("d")))
        right = round(still[:, 0].max(), 2)
        yield f"band to {right}", in_order(bands[right]), in_order(still)
    critical = zip(plot.paths("edge"), subpaths(line.get("d")), strict=True)
    for i, (shown_line, still) in enumerate(critical):
        yield f"line {i}", shown_line, units(still)
    names = {e.text: turned(e.get("transform")) for e in of_class(plot.plot, "note")}
    still_names = {
        e.text: turned(e.get("transform")) for e in svg.iter("text") if e.get("transform")
    }
    yield "names", sorted(names), sorted(still_names)
    for name in names:
        yield name, plot.units([names[name][:2]]), units([still_names[name][:2]])
        yield f"{name}, turned", names[name][2:], still_names[name][2:]
    [place] = svg.findall("circle")
    still = units([[float(place.get("cx")), float(place.get("cy"))]])
    yield "place", plot.handle(), still


def polynomial_fit(root, svg, figure):
    plot = Plot(root, 0, (-1, 1), (-2, 2))
    units = lambda points: (np.asarray(points) - [170, 150]) / [150, -65]  # noqa: E731
    circles = [[float(e.get("cx")), float(e.get("cy"))] for e in svg.iter("circle")]
    yield "points", np.concatenate(plot.paths("dots point-cloud")), units(circles)
    truth, *rest = svg.iter("path")
    yield "truth", plot.paths("path sum truth")[0][::2], units(subpaths(truth.get("d"))[0])
    fits = [plot.paths(f"path fit {kind}") for kind in ("momentum", "plain")]
    shown = [fit[0][::2] for fit in fits if fit]
    curves, bars = rest[: len(shown)], rest[len(shown) :]
    yield "fits", shown, [units(subpaths(e.get("d"))[0]) for e in curves]
    ends = [e for e in bars if "h" in e.get("d") and "z" not in e.get("d")]  # no mark of a cut
    marks = [e for e in bars if "v" in e.get("d")]
    [unit] = [float(e.get("x")) - 370 for e in svg.iter("text") if "learned" in e.text]
    right = 2 if max(figure.early_stopping()) > 1.2 else 1.2
    table = Plot(root, 1, (0, right), (0.5 - figure.degree - 1, 0.5))
    shown = [min(part[1][0], right) for part in table.paths("bar")]
    yield "bars", shown, [numbers(e.get("d"))[2] / unit for e in ends]
    shown = [part[0][0] for part in table.paths("edge")]
    yield "marks", shown, [(numbers(e.get("d"))[0] - 370) / unit for e in marks]


def error_milestones(root, svg, figure):
    steps = figure.num_steps
    plot = Plot(root, 0, (0, steps), (-0.8, 19.8))
    bars = [numbers(e.get("d")) for e in svg.iter("path")]
    for part in (0, 1, 2):
        shown = [[min(end, steps), round(row)] for _, (end, row) in plot.paths(f"bar part{part}")]
        still = [[(bar[2]) / 560 * steps, (288 - bar[1]) / 14] for bar in bars[2 - part :: 3]]
        yield f"milestone {part}", shown, still


def graph_descent(root, svg, figure):
    [graph] = of_class(root, "graph")
    shown = [[float(e.get("cx")), float(e.get("cy"))] for e in graph.iter("circle")]
    circles = list(svg.iter("circle"))
    still = [[float(e.get("cx")), float(e.get("cy"))] for e in circles]
    yield "nodes", shown, (np.array(still) - 20) / 40
    [ties] = of_class(graph, "tie")
    edges = np.array(subpaths(ties.get("d")))
    yield "edges", edges, (np.array(subpaths(svg.find("path").get("d"))) - 20) / 40
    radii = [[float(e.get("r")) for e in found] for found in (graph.iter("circle"), circles)]
    yield "radii", radii[0], np.array(radii[1]) / 40
    silent = ["silent" in e.get("class", "") for e in graph.iter("circle")]
    faint = {e for g in svg.iter("g") if g.get("stroke-opacity") for e in g}
    yield "silent", silent, [e in faint for e in circles]
    # The colour of ±2 and beyond is an end of the scale; between, the dots tell the weights.
    ends = {"103,0,31": 1.0, "5,48,97": 0.0}
    styles = [e.get("style").replace(" ", "") for e in graph.iter("circle")]
    colours = [re.findall(r"\((.*)\)", style)[0] for style in styles]
    wave = Plot(root, 0, (-0.5, figure.problem.distances.max() + 0.5), (-0.6, 2.2))
    dots = [weight for part in wave.paths("dots momentum") for _, weight in part]
    between = iter([weight for weight in dots if abs(weight) < 1.99])
    weights = [ends[c] if c in ends else np.clip(next(between), 0, 1) for c in colours]
    assert list(between) == []
    opacities = [float(e.get("fill-opacity")) for e in circles]
    yield "weights", weights, opacities


def run_explorer(root, svg, figure):
    columns = of_class(root, "plot")[0]
    [inside] = of_class(columns, "inside")
    left, top, width = (float(inside.get(name)) for name in ("x", "y", "width"))
    cells = [c for c in figure._cells if c[3] == figure.pixels]
    rates, momenta = (sorted({c[i] for c in cells}) for i in (0, 1))
    wide, still_wide = width / len(rates), 560 / len(rates)
    shown, still = {}, {}
    for rect in inside.find("g").findall("rect"):
        i = round((float(rect.get("x")) - 0.5 - left) / wide, 2)
        j = round((float(rect.get("y")) - 0.5 - top) / 28, 2)
        part = re.findall(r"--fast\) ([\d.]+)%", rect.get("style"))
        shown[i, j] = float(part[0]) / 100 if part else 0
    tiles = svg.findall("g")[0].findall("path")
    for path in tiles:
        x, y = numbers(path.get("d"))[:2]
        i, j = round((x - 1 - 72) / still_wide, 2), round((y - 1) / 28, 2)
        still[round(i, 1), j] = (float(path.get("fill-opacity")) - 0.05) / 0.75
    yield "cells", sorted(shown), sorted(still)
    yield "shades", [shown[at] for at in sorted(shown)], [still[at] for at in sorted(still)]
    drawn = [e.get("d", "") for e in inside.findall("path") if e.get("class") == "edge"]
    text = "".join(d for d in drawn if "l8,8m" in d or "a4,4" in d)
    signs = "".join(e.text for e in svg.iter("text") if set(e.text) <= {"×", "○"})
    yield "diverged", [text.count("l8,8m")], [signs.count("×")]
    yield "dead", [text.count("a4,4") // 2], [signs.count("○")]
    [cursor] = of_class(root, "run-cursor")
    [frame] = of_class(cursor, "edge")
    shown_at = [(float(frame.get("x")) - left) / wide, (float(frame.get("y")) - top) / 28]
    here = [numbers(e.get("d"))[:2] for e in svg.findall("path") if e.get("stroke-width") == "3"]
    yield "chosen", [shown_at], [[(x - 73) / still_wide, (y - 1) / 28] for x, y in here]
    lines = [e.get("d") for e in inside.findall("path")[1:4:2]]
    box = np.array([left + wide / 2, top])
    shown_lines = [(subpaths(line)[0] - box) / [wide, 28] for line in lines if line]
    still_lines = [
        (subpaths(e.get("d"))[0] - [still_wide / 2, 0]) / [still_wide, 28]
        for e in svg.iterfind("svg/path")
    ]
    yield "lines", shown_lines, still_lines
    words = {e.text for e in columns.iter("text")}
    rows = [e.text for e in svg.iter("text") if e.get("x") == "64"]
    yield "momenta", [text in words for text in rows], [True] * len(momenta)


def levels_of(group):
    """Return the shades of a still picture, -4 to 4 by sign of the colour, shape (n, n)."""
    size = round(float(group.find("rect").get("width")) / 10)
    found = np.zeros((size, size))
    for path in group.find("g").findall("path"):
        level = round(4 * float(path.get("stroke-opacity")))
        sign = -1 if path.get("stroke") == "#2166ac" else 1
        for start, row, length in re.findall(r"M(\d+),(\d+)h(\d+)", path.get("d")):
            found[int(row), int(start) : int(start) + int(length)] = sign * level
    return found


def canvas(root, number):
    element = list(root.iter("canvas"))[number]
    pixels = np.array(json.loads(element.get("data-reds")), dtype=float)
    return pixels.reshape(int(element.get("height")), int(element.get("width")))


def as_shades(values, levels):
    """Return the levels that a picture has where it may, and else the nearest level."""
    near = np.abs(4 * values - levels) <= 0.5 + 0.03  # levels of grey are 255
    return np.where(near, levels, np.round(4 * values))


def frames_of(root, name):
    return [[float(e.get(k)) for k in ("x", "y", "width")] for e in of_class(root, name)]


def convolution_explorer(root, svg, figure):
    levels = levels_of(svg)
    ink = canvas(root, 0) / 255
    yield "input", as_shades(ink, levels), levels
    [right] = [g for g in svg.findall("g") if g.find("rect") is not None]
    output = levels_of(right)
    size = canvas(root, 1).shape
    yield "size", size, output.shape
    # From white on, less red is blue; red itself grows dark late.
    values = figure.output().numpy() / (figure.limit or 1)
    yield "output", as_shades(values, output), output
    yield "blue", canvas(root, 1) < 90, (values < 0) & (canvas(root, 1) < 90)
    panes = frames_of(root, "window")
    still = [
        [float(e.get(k)) / 10 for k in ("x", "y", "width")]
        for part in (svg, right)
        for e in part.findall("rect")
        if e.get("stroke") == "#ffc400"
    ]
    yield "frames", panes, still


def digit_reader(root, svg, figure):
    levels = levels_of(svg)
    yield "image", as_shades(canvas(root, 1) / 255, levels), levels
    shares = [float(numbers(i.get("style"))[0]) / 100 for td in of_class(root, "share") for i in td]
    rects = [e for e in svg.findall("rect") if e.get("x") == "344"]
    yield "bars", shares, [(float(e.get("width")) - 1) / 200 for e in rects]
    table = next(root.iter("tbody"))
    texts = [row.findall("td")[1].text for row in table.findall("tr")]
    yield "percent", texts, [e.text for e in svg.iter("text") if "%" in e.text]


def shape_explorer(root, svg, figure):
    [diagram] = [e for e in root.iter("svg") if "stage" in {g.get("class") for g in e.iter("g")}]
    stages = [
        g for g in of_class(diagram, "stage") if g.find("text").text not in ("?", "impossible")
    ]
    squares = [1 + sum(e.get("d").count("M") for e in g.findall("path")) for g in stages]
    still = [g for g in svg.find("g").findall("g") if g.get("fill") != "none"]
    yield "labels", [g.find("text").text for g in stages], [g.find("text").text for g in still]
    yield "squares", squares, [g.find("path").get("d").count("Z") for g in still]
    sides = lambda values: np.divide(values, max(values))  # noqa: E731
    shown = [float(g.find("rect").get("height")) for g in stages]
    fronts = [subpaths(g.find("path").get("d").replace("Z", ""))[-1] for g in still]
    yield "heights", sides(shown), sides([np.ptp(front[:, 1]) for front in fronts])

    # What joins the stages, as shares of the maps that it begins and ends on.
    drawn = svg.find("g")
    maps = [corners_of(g.find("rect")) for g in stages]
    still_maps = [
        subpaths(g.find("path").get("d").replace("Z", ""))[-1] for g in drawn.findall("g")
    ]
    for name in ("seen", "pixel"):
        found = [corners_of(e) for e in of_class(diagram, name, "rect")]
        still = [subpaths(e.get("d").replace("Z", ""))[0] for e in of_class(drawn, name)]
        yield name, [shares(e, maps) for e in found], [shares(e, still_maps) for e in still]
    yield "joined", ends(diagram, maps), ends(drawn, still_maps)


def ends(picture, maps):
    """Return where each line that joins two stages begins and ends, as shares of their maps."""
    lines = [e.get("d") for e in picture.findall("path") if e.get("stroke-width") == "0.6"]
    points = [end for d in lines for line in subpaths(d.replace("L", " ")) for end in line]
    return [shares(point[None], maps) for point in points]


def corners_of(rect):
    """Return the top left and the bottom right corner of a ``<rect>``."""
    x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
    return np.array([(x, y), (x + width, y + height)])


def shares(points, maps):
    """Return the corners of what points enclose, as shares of the one map that they lie on."""
    corners = np.array([points.min(axis=0), points.max(axis=0)])
    boxes = [(place.min(axis=0), place.max(axis=0)) for place in maps]
    [(low, high)] = [
        (low, high)
        for low, high in boxes
        if np.all(corners > low - 0.2) and np.all(corners < high + 0.2)
    ]
    return (corners - low) / (high - low)


MAP = read_results(results_path("map"))
ORDERS = made_up_runs()


def map_lab(root, svg, figure):
    [inside] = of_class(of_class(root, "plot")[0], "inside")
    left, top, width = (float(inside.get(name)) for name in ("x", "y", "width"))
    tiles = inside.find("g").findall("rect")
    across, still_across = width / 12, 560 / 12
    shown, still = {}, {}
    for rect in tiles:
        i, j = (float(rect.get("x")) - left) // across, (float(rect.get("y")) - top) // 28
        shown[i, j] = float(re.findall(r"--fast\) ([\d.]+)%", rect.get("style"))[0]) / 100
    for path in svg.findall("g")[0].findall("path"):
        x, y = numbers(path.get("d"))[:2]
        still[(x - 72) // still_across, y // 28] = (float(path.get("fill-opacity")) - 0.05) / 0.75
    yield "cells", sorted(shown), sorted(still)
    yield "shades", [shown[at] for at in sorted(shown)], [still[at] for at in sorted(still)]
    signs = "".join(e.text for e in svg.iter("text") if set(e.text) <= {"×", "○"})
    [drawn] = [e for e in inside.findall("path") if e.get("class") == "edge"]
    yield "diverged", [drawn.get("d").count("l8,8m")], [signs.count("×")]
    yield "dead", [drawn.get("d").count("a4,4") // 2], [signs.count("○")]
    [frame] = [e for e in inside.findall("path") if e.get("class") == "edge frame"]
    x0, y0, x1, y1 = numbers(frame.get("d"))[:4]
    [outline] = [e for e in svg.findall("path") if e.get("stroke-width") == "3"]
    x, y, wide, tall = numbers(outline.get("d"))[:4]
    live_ends = ((x0 - left) / across, (x1 - left) / across, (y0 - top) / 28, (y1 - top) / 28)
    still_ends = ((x - 72) / still_across, (x - 72 + wide) / still_across, y / 28, (y + tall) / 28)
    yield "frame", [round(at) for at in live_ends], [round(at) for at in still_ends]


# What is made of runs, and not of settings alone.
OF_RUNS = {
    "MapLab": partial(MapLab, made_up_map()),
    "OrderExplorer": partial(OrderExplorer, ORDERS),
    "RunExplorer": partial(RunExplorer, MAP),
}


def order_explorer(root, svg, figure):
    table, run = figure.data()["runs"], figure.result.run
    low, high = np.log10([table["low"], table["high"]])
    losses, accuracies, strip = (
        Plot(root, number, (0, run.num_epochs), y)
        for number, y in enumerate([(low, high), (0, 1), (0, 1)])
    )
    _, boxes, curves, cursors, *_ = svg.findall("g")
    across = lambda x: (np.asarray(x) - 60) / 570 * run.num_epochs  # noqa: E731
    for plot, curve, bottom in zip((losses, accuracies), curves, (110, 230), strict=True):
        x, y = subpaths(curve.get("d"))[0].T
        up = plot.y[0] + (bottom - y) / 90 * (plot.y[1] - plot.y[0])
        yield "curve", plot.paths("path momentum")[0], np.column_stack([across(x), up])
    live_boxes = of_class(strip.inside, "answer")
    yield "colours", [e.get("fill") for e in live_boxes], [e.get("fill") for e in boxes]
    for one, other in zip(live_boxes, boxes, strict=True):
        shown, still = (numbers(e.get("d")).reshape(-1, 5) for e in (one, other))
        places = np.column_stack([across(still[:, 0]), (340 - still[:, 1]) / 90])
        yield "boxes", strip.units(shown[:, :2]), places
        yield "sizes", shown[:, 2:4] / [strip.width, 90], still[:, 2:4] / [570, 90]
    [line] = of_class(strip.inside, "edge")
    here = numbers(line.get("d"))[:2].reshape(1, 2)
    still = [across(numbers(e.get("d"))[0]) for e in cursors]
    yield "cursor", [strip.units(here)[0, 0]] * 3, still
    words = " ".join(of_class(root, f"order-{name}")[0].text for name in ("verdict", "ending"))
    said = figure.summary().split(": after", 1)[1]
    yield "words", [words], [f"After{said}"]


LENET, ALEXNET = (ShapeExplorer.networks[name] for name in ("LeNet-5", "AlexNet"))
CASES = {
    "MomentumExplorer": [
        {},
        {"lr": 3.9, "momentum": 0.1},
        {"condition_number": 1.0, "num_steps": 3, "start": (3.0, -2.0)},
        {"condition_number": 1000.0, "momentum": 0.0, "lr": 0.01},
        {"start": (10.0, 5.0), "momentum": 0.99, "lr": 4.0},
        {"lr": 0.05, "momentum": 0.3, "start": (1.0, 0.5)},
        {"landscape": "valley"},
        {"landscape": "valley", "momentum": 0.99, "start": (10.0, -5.0), "lr": 4.0},
        {"landscape": "valley", "condition_number": 1.0, "num_steps": 300},
        {"landscape": "valley", "condition_number": 1000.0, "momentum": 0.95},
    ],
    "EigenBasis": [
        {},
        {"angle": -90.0, "num_steps": 60, "condition_number": 1.0},
        {"lr": 4.0, "momentum": 0.0, "num_steps": 30},
        {"start": (6.0, -3.0), "angle": 77.0, "momentum": 0.99, "lr": 2.0, "num_steps": 13},
    ],
    "StabilityMap": [{}, {"scaled_lr": 4.0, "momentum": 0.0}, {"scaled_lr": 0.0, "momentum": 1.0}],
    "PolynomialFit": [
        {},
        {"shown": "Tikhonov", "degree": 2},
        {"shown": "early stopping", "degree": 4, "num_steps": 100_000},
        {"momentum": 0.99, "num_steps": 20, "degree": 5},
        {"momentum": 0.9, "num_steps": 12, "degree": 3},
    ],
    "ErrorMilestones": [
        {},
        {"lr": 4.0, "momentum": 0.0},
        {"momentum": 0.99, "num_steps": 50},
        {"condition_number": 1.0, "lr": 1.0, "momentum": 0.0},
    ],
    "GraphDescent": [
        {},
        {"graph": "expander", "num_steps": 2},
        {"graph": "path", "num_steps": 0},
        {"graph": "grid", "lr": 1.0, "momentum": 0.0, "num_steps": 5},
        {"graph": "expander", "lr": 1.0, "momentum": 0.99, "num_steps": 400},
    ],
    "ConvolutionExplorer": [
        {},
        {"stride": 3, "padding": 2, "digit": 0, "pixel": (29, 29), "activation": "ReLU"},
        {"kernel": (0.0,) * 9, "dilation": 2},
        {"kernel": tuple(range(-8, 8)), "dilation": 3, "padding": 3, "pixel": (33, 33)},
        {"drawing": "_.58ok-5a6b", "kernel": (0.111,) * 9, "padding": 1, "pixel": (0, 0)},
    ],
    "DigitReader": [
        {},
        {"drawing": ""},
        {"drawing": DigitReader.samples[8], "placing": "as drawn"},
    ],
    "ShapeExplorer": [
        {},
        {"stack": LENET},
        {"stack": ALEXNET},
        {"stack": "1x28x28 conv8k5 relu pool2 conv128k3 flatten linear3to4"},
        {"stack": "3x9x20 conv2k3 conv1k2 conv512k1 avgpool2 tanh flatten"},
        {"stack": "2x6x9 relu conv4k3s2p1 pool2s1p1 linear6to7 flatten linear84to9 relu"},
    ],
    "OrderExplorer": [
        {},
        {"order": "sorted", "pixels": "unit", "momentum": 0.9, "seed": 4, "step": 1},
        {"order": "shuffled", "pixels": "unit", "momentum": 0.8, "seed": 2, "step": 17},
    ],
    "RunExplorer": [
        {},
        {"lines": "both"},
        {"lines": "effective", "pixels": "raw"},
        {"lines": "quadratic", "batch_size": 32},
    ],
    "MapLab": [
        {},
        {"pixels": "raw", "left": 3, "right": 3, "top": 2},
        {"left": 9, "right": 2, "bottom": 7, "top": 5},
    ],
}
READ = {
    "MomentumExplorer": momentum_explorer,
    "EigenBasis": eigen_basis,
    "StabilityMap": stability_map,
    "PolynomialFit": polynomial_fit,
    "ErrorMilestones": error_milestones,
    "GraphDescent": graph_descent,
    "ConvolutionExplorer": convolution_explorer,
    "DigitReader": digit_reader,
    "ShapeExplorer": shape_explorer,
    "OrderExplorer": order_explorer,
    "RunExplorer": run_explorer,
    "MapLab": map_lab,
}


def test_every_figure_is_compared():
    classes = [getattr(widgets, name) for name in widgets.__all__]
    figures = {cls.__name__ for cls in classes if issubclass(cls, Figure)}
    # Alive, the first is empty until one trains; its twin shows trainings that were run once. The
    # other two are words.
    assert set(CASES) == figures - {"TrainingLab", "Question", "Prediction"}


@pytest.mark.parametrize(
    ("name", "settings"),
    [(name, settings) for name, cases in CASES.items() for settings in cases],
    ids=lambda part: part if isinstance(part, str) else str(part)[:40],
)
def test_the_twin_shows_what_the_live_figure_shows(page, name, settings):
    figure = OF_RUNS.get(name, getattr(widgets, name))(**settings)
    different = []
    for what, shown, still in READ[name](live(page, figure), parse(figure.picture()), figure):
        if len(shown) != len(still):
            different.append(f"{what}: {len(shown)} live, {len(still)} still")
        elif len(shown) and isinstance(shown[0], str | bool):
            if list(shown) != list(still):
                different.append(f"{what}: {shown} live, {still} still")
        else:
            pairs = (
                zip(shown, still, strict=True) if what in ("fits", "lines") else [(shown, still)]
            )
            for one, other in pairs:
                one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
                if one.shape != other.shape:
                    different.append(f"{what}: {one.shape} live, {other.shape} still")
                elif not np.allclose(one, other, rtol=2e-3, atol=0.02):
                    worst = np.abs(one - other).max()
                    different.append(f"{what}: up to {worst:.3g} apart")
    assert different == []


# Where the plots whose curves leave stand in the twin. Of the others it shows no such plot; how far
# their numbers go is in its sentence.
WINDOWS = {
    "eigen_basis": {1: (360, 20, 270, 126), 2: (360, 174, 270, 126)},
    "polynomial_fit": {0: (20, 20, 300, 260)},
}


def cut_in(path, words, box):
    """Return where the marks of a plot stand, as parts of it, and what is written beside them."""
    tips = re.findall(r"M([\d.-]+),([\d.-]+)l", path)
    places = (np.array(tips, dtype=float).reshape(-1, 2) - box[:2]) / box[2:]
    return sorted(map(tuple, places)), words


@pytest.mark.parametrize("module", WILD)
@pytest.mark.parametrize("is_wild", [False, True], ids=["within", "beyond"])
def test_both_say_the_same_where_curves_leave(page, module, is_wild):
    cls, settings, *_ = WILD[module]
    figure = cls(**settings if is_wild else {})
    root, svg = live(page, figure), parse(figure.picture())
    shown, still = {}, {}
    for number, box in WINDOWS.get(module, {}).items():
        [inside] = of_class(of_class(root, "plot")[number], "inside")
        path, words = (of_class(inside, "cut", tag)[0] for tag in ("path", "text"))
        around = [float(inside.get(name)) for name in ("x", "y", "width", "height")]
        shown[number] = cut_in(path.get("d", ""), words.text or "", np.array(around))
        near = [
            e
            for e in svg.iter("path")
            if e.get("d").endswith("h10z") and box[1] <= numbers(e.get("d"))[1] <= box[1] + box[3]
        ]
        said = [
            e.text
            for e in svg.iter("text")
            if "scale" in e.text and box[1] <= float(e.get("y")) <= box[1] + box[3]
        ]
        still[number] = cut_in("".join(e.get("d") for e in near), "".join(said), np.array(box))
    for number, (places, words) in shown.items():
        np.testing.assert_allclose(still[number][0], places, atol=0.01)
        assert still[number][1] == words
    for _, words in still.values():
        assert not words or f"{words.capitalize()}." in svg.get("aria-label")
    assert any(words for _, words in still.values()) == (is_wild and module in WINDOWS)
    assert ("scale" in figure.picture()) == (is_wild and module in WINDOWS)

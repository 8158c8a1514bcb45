"""Where a curve leaves its plot, a mark at the edge and words say how far it goes."""

import math
import re

import numpy as np
import pytest
from figure_page import computed, frames, go_to
from playwright.sync_api import expect

from cnnlesson.widgets import (
    EigenBasis,
    ErrorMilestones,
    GraphDescent,
    MomentumExplorer,
    PolynomialFit,
    StabilityMap,
)

WILD = {"lr": 2.6, "momentum": 0.1}


def momentum_curves(result):
    return [result[name]["loss"] for name in ("momentum", "plain")]


# A figure with settings at which curves leave, the values of these, the plot, its range of values,
# and whether the lower edge counts.
CASES = {
    "momentum_explorer": (MomentumExplorer, WILD, momentum_curves, 1, (0, 1e4)),
    "eigen_basis": (
        EigenBasis,
        {**WILD, "num_steps": 60},
        lambda result: [result["components"][1]],
        2,
        (-7, 7),
    ),
    "error_milestones": (
        ErrorMilestones,
        {**WILD, "num_steps": 50},
        lambda result: [np.add(result["deterministic"], result["stochastic"])],
        1,
        (0, 1e2),
    ),
    "graph_descent": (
        GraphDescent,
        {"graph": "grid", "lr": 1.0, "momentum": 0.9},
        lambda result: [result["errors"]],
        -1,
        (0, 10),
    ),
    "polynomial_fit": (
        PolynomialFit,
        {"momentum": 0.99, "num_steps": 100_000},
        lambda result: [result[kind]["curve"] for kind in ("early", "tikhonov")],
        0,
        (-2, 2),
    ),
    "stability_map": (
        StabilityMap,
        {"scaled_lr": 3.5, "momentum": 0.3},
        lambda result: [result["w"]],
        1,
        (-5.75, 5.75),
    ),
}
FIGURE_PAGES = {module: [cls] for module, (cls, *_) in CASES.items()}


def written(value):
    if abs(value) < 1e4:
        return f"{value:.3g}".replace("-", "−")
    power = str(round(math.log10(abs(value)))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{'−' if value < 0 else ''}10{power}"


@pytest.mark.parametrize("module", CASES)
def test_curves_that_leave_say_how_far_they_go(open_figure, module):
    cls, settings, values_of, plot, (low, high) = CASES[module]
    page = open_figure(figure=module)
    words, marks = page.get_by_text("off the scale: "), page.locator(".inside path.cut[d*=M]")
    assert words.filter(visible=True).count() == marks.count() == 0
    go_to(page, settings, module)
    frames(page)

    [result] = computed(page, [cls(**settings)])
    curves = [np.asarray(values, dtype=float) for values in values_of(result)]
    lost = [curve[(curve < low) | (curve > high)] for curve in curves]
    farthest = max((value for part in lost for value in part), key=abs)
    chart = page.locator(".plot").nth(plot)
    expect(chart.locator(".inside text.cut")).to_have_text(f"off the scale: {written(farthest)}")
    expect(page.get_by_role("status").first).to_contain_text(f"Off the scale: {written(farthest)}.")
    inside = chart.locator(".inside")
    left, top, width, height = (
        float(inside.get_attribute(name)) for name in ("x", "y", "width", "height")
    )
    tips = re.findall(r"M([\d.-]+),([\d.-]+)l", inside.locator("path.cut").get_attribute("d"))
    assert len(tips) == sum(map(bool, map(len, lost)))
    for x, y in np.array(tips, dtype=float):
        assert left <= x <= left + width
        assert y in (top, top + height)


def test_the_mark_stands_where_the_curve_crosses_the_edge(open_figure):
    page = open_figure(figure="momentum_explorer")
    go_to(page, WILD | {"num_steps": 12}, "momentum_explorer")
    frames(page)
    [result] = computed(page, [MomentumExplorer(**WILD, num_steps=12)])
    inside = page.locator(".plot").nth(1).locator(".inside")
    left, width = (float(inside.get_attribute(name)) for name in ("x", "width"))
    steps = [np.interp(math.log(1e4), np.log(loss), range(13)) for loss in momentum_curves(result)]
    tips = re.findall(r"M([\d.]+),", inside.locator("path.cut").get_attribute("d"))
    # Above the edge the curve is straight, in logarithms.
    expected = sorted(left + width * step / 12 for step in steps)
    np.testing.assert_allclose(sorted(map(float, tips)), expected, atol=0.06)

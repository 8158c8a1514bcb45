"""The error milestones in a real browser: what is drawn and said is what Python computes."""

import re

import numpy as np
import pytest
from figure_page import (
    HAND_AND_EYE,
    computed,
    contrast,
    luminance,
    seen_in,
    seen_on,
    slider,
    values_on,
    walk_sliders,
    written_rate,
)
from playwright.sync_api import expect

from cnnlesson.momentum.quadratic import optimal_lr, optimal_momentum
from cnnlesson.widgets import ErrorMilestones

FIGURE = ErrorMilestones
GOALS = {"lr": 0.4, "momentum": 0.6, "condition_number": 0.4, "noise": 0.8, "num_steps": 0.1}
LEAST, MOST = np.log10([1e-8, 1e2])


def shown(page):
    """Return the settings, as Python reads them off the sliders."""
    values = {name: float(value) for name, value in values_on(page).items()}
    values["condition_number"] = float(f"{10 ** values['condition_number']:.3g}")
    return {**values, "num_steps": int(values["num_steps"])}


def check_drawn(page, figure):
    """Compare the bars, the curves and the words with Python's."""
    on_page = seen_on(page)
    milestones, chart = on_page["plots"]
    ends = np.minimum(figure.milestones, 2 * figure.num_steps) / figure.num_steps
    heights = (np.arange(20) + 0.8) / 20.6
    for part in range(3):
        points, pixel = seen_in(milestones, f"bar part{part}")
        bars = points.reshape(20, 2, 2)
        np.testing.assert_allclose(bars[:, 0, 0], 0, atol=pixel)
        np.testing.assert_allclose(bars[:, 1, 0], ends[:, part], atol=pixel)
        np.testing.assert_allclose(bars[:, :, 1], np.stack([heights] * 2, axis=1), atol=pixel)

    deterministic, stochastic = figure.deterministic_error(), figure.stochastic_error()
    floor = np.full_like(stochastic, figure.noise_floor)
    for name, values in (
        ("path momentum", deterministic),
        ("path plain", stochastic),
        ("path sum", deterministic + stochastic),
        ("mode", floor),
    ):
        steps = np.flatnonzero((values > 0) & (values < 1e9))
        points, pixel = seen_in(chart, name)
        expected = np.column_stack(
            [steps / figure.num_steps, (np.log10(values[steps]) - LEAST) / (MOST - LEAST)]
        )
        assert points.shape == expected.shape
        np.testing.assert_allclose(points, expected, atol=pixel)

    slowest, noise = on_page["words"]
    rate = figure.rates.max()
    assert written_rate(rate) in slowest
    [number] = np.flatnonzero(figure.rates > rate - 1e-6)[:1]
    all_alike = np.ptp(figure.rates) < 1e-6
    subscripts = str(number + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    assert ("all components" if all_alike else f"λ{subscripts} = ") in slowest
    if rate > 1 + 1e-9:
        assert slowest.startswith("Divergence: ")
    elif rate < 1 - 1e-9:
        assert slowest.startswith("Slowest: ")
        after = figure.milestones[figure.rates > rate - 1e-6, 2].max()
        words = f"a thousandth after {after:.0f}." if after < np.inf else "no thousandth in 5000."
        assert words in slowest
    if figure.noise == 0:
        assert "All of the error is deterministic." in noise
    elif figure.noise_floor < np.inf:
        [floor] = re.findall(r"floor (\S+)", noise)
        assert float(floor) == pytest.approx(figure.noise_floor, rel=0.051)


@HAND_AND_EYE
def test_every_slider_by_mouse_and_by_keyboard(open_figure, width, theme, host):
    page = open_figure(width, theme, host)
    check_drawn(page, ErrorMilestones())
    walk_sliders(page, GOALS, shown, lambda page, now: check_drawn(page, ErrorMilestones(**now)))
    expect(page.get_by_role("slider", name="noise of the gradient σ")).to_have_count(1)


def test_the_buttons_name_who_is_slowest(open_figure):
    page = open_figure()
    cards = page.locator(".readouts p")
    expect(cards.first).to_contain_text("Slowest: λ₁ = 0.01")
    expect(cards.first).to_contain_text("The flattest: a thousandth after")
    page.get_by_role("button", name="Best α and μ").click()
    lr, momentum, rate = optimal_momentum(1 / 100, 1)
    check_drawn(page, ErrorMilestones(lr=lr, momentum=momentum))
    expect(cards.first).to_contain_text("Slowest: all components")
    expect(cards.first).to_contain_text(written_rate(rate))
    page.get_by_role("button", name="Best α, μ = 0").click()
    lr, rate = optimal_lr(1 / 100, 1)
    check_drawn(page, ErrorMilestones(lr=lr, momentum=0))
    expect(cards.first).to_contain_text("Slowest: λ₁ = 0.01 and λ₂₀ = 1")
    expect(cards.first).to_contain_text(written_rate(rate))
    expect(page.get_by_role("status").first).to_contain_text(
        "Slowest: λ₁ = 0.01 and λ₂₀ = 1. Error × ρ = 0.980 a step. "
        "The flattest and steepest: a thousandth after 346. Noise floor 0.0029."
    )
    page.get_by_role("button", name="Reset").click()
    check_drawn(page, ErrorMilestones())


def test_the_words_about_noise(open_figure):
    page = open_figure(settings={"num_steps": 400})
    figure = ErrorMilestones(num_steps=400)
    [step] = re.findall(r"part from step (\d+) on", page.locator(".readouts").inner_text())
    is_larger = figure.stochastic_error() > figure.deterministic_error()
    assert is_larger[int(step) :].all()
    assert not is_larger[int(step) - 1]
    slider(page, "lr").press("End")
    cards = page.locator(".readouts p")
    expect(cards.first.locator("b")).to_have_class("bad")
    expect(cards.last).to_contain_text("Its part of the error grows without bound.")
    page = open_figure(settings={"lr": 3.7, "num_steps": 100})
    expect(page.locator(".readouts p").last).to_contain_text("the smaller part up to step 100.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out(open_figure, theme):
    page = open_figure(theme=theme, settings={"lr": 4})

    def of(selector, style):
        return luminance(page.locator(selector).first, style)

    paper = of(".note", "stroke")
    for selector in (".path.momentum", ".path.plain", ".path.sum", ".mode", ".bar.part0"):
        assert contrast(of(selector, "stroke"), paper) >= 3, selector
    for part in (1, 2):  # each bar ends in a line
        assert contrast(of(".edge", "stroke"), of(f".part{part}", "stroke")) >= 3
    assert contrast(of(".bad", "color"), paper) >= 4.5
    assert contrast(of(".note", "fill"), paper) >= 4.5


def test_javascript_computes_what_python_computes(open_page):
    page = open_page("about:blank").page
    random = np.random.default_rng(0)
    figures = [
        ErrorMilestones(
            lr=random.uniform(0.01, 4),
            momentum=random.uniform(0, 0.99),
            condition_number=10 ** random.uniform(0, 3),
            noise=random.uniform(0, 0.1),
            num_steps=random.integers(10, 1001),
        )
        for _ in range(100)
    ]
    num_diverging = 0
    for figure, result in zip(figures, computed(page, figures), strict=True):
        num_diverging += figure.rates.max() > 1
        np.testing.assert_allclose(result["curvatures"], figure.curvatures, rtol=1e-9)
        np.testing.assert_allclose(result["rates"], figure.rates, rtol=1e-9)
        # What is infinite or no number in JavaScript is null in JSON.
        milestones = np.array(result["milestones"], dtype=float)
        np.testing.assert_array_equal(
            np.where(np.isnan(milestones), np.inf, milestones), figure.milestones
        )
        for name, expected in (
            ("deterministic", figure.deterministic_error()),
            ("stochastic", figure.stochastic_error()),
        ):
            values = np.array(result[name], dtype=float)
            # Close to the largest float64 one sum may be too large for it, and the other not.
            is_held = expected < 1e300
            np.testing.assert_allclose(values[is_held], expected[is_held], rtol=1e-9)
            assert not (values[~is_held] < 1e299).any()
        floor = np.inf if result["floor"] is None else result["floor"]
        assert floor == pytest.approx(figure.noise_floor, rel=1e-9)
        best = optimal_momentum(1 / figure.condition_number, 1)
        assert list(result["optimum"].values()) == pytest.approx(best[:2], rel=1e-9)
        assert result["plain"]["lr"] == pytest.approx(
            optimal_lr(1 / figure.condition_number, 1).lr, rel=1e-9
        )
    assert 10 < num_diverging < 90

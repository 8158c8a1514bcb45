"""The stability map against the library's momentum, and against its matrix's eigenvalues."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from traitlets import TraitError

from cnnlesson.momentum.descent import momentum_descent
from cnnlesson.momentum.quadratic import max_stable_lr, spectral_radius
from cnnlesson.widgets import StabilityMap


def random_maps(count):
    random = np.random.default_rng(1)
    return [
        StabilityMap(
            scaled_lr=random.uniform(0.01, 4),
            momentum=random.uniform(0, 0.99),
            num_steps=random.integers(1, 201),
        )
        for _ in range(count)
    ]


def test_path_and_rate_are_the_library_s():
    for figure in random_maps(100):
        a, momentum = figure.scaled_lr, figure.momentum
        curvature = 0.3  # only the product αλ matters
        expected = momentum_descent(
            lambda w: 0.3 * w,
            [1.0],
            lr=a / curvature,
            momentum=momentum,
            num_steps=figure.num_steps,
        )
        np.testing.assert_allclose(figure.path().w, expected.w, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(figure.path().v, expected.v, rtol=1e-9, atol=1e-9)
        rate = spectral_radius(curvature, a / curvature, momentum)
        assert figure.rate == pytest.approx(rate, rel=1e-9)


def test_regimes_are_told_by_the_eigenvalues():
    seen = set()
    for figure in random_maps(300):
        values = np.linalg.eigvals(figure.matrix)
        if max(abs(values)) > 1:
            expected = "divergence"
            assert figure.scaled_lr > max_stable_lr(1, figure.momentum)
        elif np.iscomplex(values).any():
            expected = "ripples"
        else:
            expected = "monotone" if min(values) > 0 else "zigzag"
        assert figure.regime == expected
        seen.add(expected)
    assert seen == {"divergence", "ripples", "monotone", "zigzag"}


def test_regimes_show_in_the_weights():
    for figure in random_maps(300):
        figure.num_steps = 60
        w = figure.path().w[:, 0]
        if figure.regime == "monotone":
            assert (w > 0).all()
            assert (np.diff(w) < 0).all()
        elif figure.regime == "zigzag":
            assert (w[1:] * w[:-1] < 0).all()
        elif figure.regime == "divergence":
            assert abs(w[60]) > abs(w[30]) > abs(w[0])


@pytest.mark.parametrize(
    ("place", "regime", "rate"),
    [
        ((0.25, 0.25), "critical", 0.5),
        ((2.25, 0.25), "critical", 0.5),
        ((1, 0), "critical", 0),
        ((3, 0.5), "boundary", 1),
        ((0, 0.5), "boundary", 1),
        ((2, 1), "boundary", 1),
        ((0, 1), "boundary", 1),
        ((4, 1), "boundary", 1),
        ((0.5, 0), "monotone", 0.5),
        ((1.5, 0), "zigzag", 0.5),
        ((4, 0), "divergence", 3),
    ],
)
def test_places_on_a_line(place, regime, rate):
    figure = StabilityMap(scaled_lr=place[0], momentum=place[1])
    assert figure.regime == regime
    assert figure.rate == pytest.approx(rate, abs=1e-12)
    assert f"ρ = {rate:.3f}." in figure.summary()


@pytest.mark.parametrize("scaled_lr", [0.09, 0.5, 1.7, 3.2])
def test_no_momentum_is_faster_than_the_critical_one(scaled_lr):
    rates = [
        StabilityMap(scaled_lr=scaled_lr, momentum=momentum).rate
        for momentum in np.linspace(0, 1, 101)
    ]
    critical = StabilityMap(scaled_lr=scaled_lr, momentum=(1 - scaled_lr**0.5) ** 2)
    assert critical.regime == "critical"
    assert critical.rate <= min(rates) + 1e-12


def test_the_still_picture_s_bands_have_the_spectral_radius_at_their_edges():
    svg = ElementTree.fromstring(StabilityMap().picture())
    bands = svg.find("g").findall("path")
    assert len(bands) == 10
    for band, rate in zip(bands, np.arange(10, 0, -1) / 10, strict=True):
        corners = np.array(re.findall(r"[-\d.]+", band.get("d")), dtype=float).reshape(-1, 2)
        after = np.roll(corners, -1, axis=0)
        for x, y in (0.3 * corners + 0.7 * after)[1:]:  # the first edge is the axis μ = 0
            figure = StabilityMap(scaled_lr=x / 160, momentum=1 - y / 320)
            assert figure.rate == pytest.approx(rate, abs=0.002)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("scaled_lr", 4.5, "scaled_lr: expected a number from 0 to 4, found 4.5"),
        ("momentum", -0.1, "momentum: expected a number from 0 to 1, found -0.1"),
        ("num_steps", 201, "num_steps: expected a whole number from 1 to 200, found 201"),
        ("num_steps", 2.5, "num_steps: expected a whole number from 1 to 200, found 2.5"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    with pytest.raises(TraitError, match=re.escape(expected)):
        StabilityMap(**{name: value})

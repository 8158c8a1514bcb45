"""What OrderExplorer shows, computed in Python and in the browser."""

import numpy as np
import pytest
from figure_page import computed
from traitlets import TraitError

from cnnlesson.widgets import OrderExplorer


def test_it_begins_and_ends_at_rest():
    points = OrderExplorer(frequency=2).points
    np.testing.assert_allclose(points[[0, -1], 1], 0, atol=1e-12)


def test_javascript_and_python_agree(browser):
    figures = [OrderExplorer(frequency=f) for f in np.random.default_rng(0).uniform(0, 5, 20)]
    with browser.new_page() as page:
        results = computed(page, figures)
    for figure, points in zip(figures, results, strict=True):
        np.testing.assert_allclose(points, figure.points, atol=1e-9)


def test_settings_have_limits():
    with pytest.raises(TraitError, match="frequency: expected a number from 0 to 5, found 6"):
        OrderExplorer(frequency=6)


def test_the_static_twin_says_what_it_shows():
    html = OrderExplorer(frequency=3).to_html()
    assert 'data-module="order_explorer"' in html
    assert "<p>A wave of frequency 3.</p>" in html

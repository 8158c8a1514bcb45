"""A figure keeps its height while a slider is dragged: nothing jumps under a finger."""

import pytest

from cnnlesson import read_results, results_path, widgets
from cnnlesson.widgets.figure import Figure

CLASSES = [cls for cls in map(vars(widgets).get, widgets.__all__) if issubclass(cls, Figure)]
HEIGHTS = """async (module) => {
    const root = document.querySelector(`[data-module="${module}"] > .is-live`);
    const painted = () => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)));
    const heights = {};
    for (const slider of root.querySelectorAll("input[type=range]")) {
        const [was, low, high] = [slider.value, slider.min, slider.max].map(Number);
        const put = async (value) => {
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
            await painted();
            return root.getBoundingClientRect().height;
        };
        const seen = new Set();
        for (let i = 0; i <= 40; i++) seen.add(await put(low + ((high - low) * i) / 40));
        await put(was);
        heights[slider.name || slider.dataset.name] = [...seen];
    }
    return heights;
}"""


@pytest.fixture(scope="module")
def book(figure_book):
    """A page that holds every figure."""
    arguments = {widgets.RunExplorer: [read_results(results_path("map"))]}
    return figure_book(*(cls(*arguments.get(cls, [])) for cls in CLASSES))


@pytest.mark.parametrize("width", [1280, 768, 390])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_no_slider_changes_the_height(open_figure, cls, width):
    heights = open_figure(width).evaluate(HEIGHTS, cls.module)
    assert {name: seen for name, seen in heights.items() if len(seen) > 1} == {}

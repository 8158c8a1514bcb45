"""Every figure keeps its height while a slider is dragged, and its words within its width."""

from functools import partial

import pytest
from test_order_explorer import made_up_runs

from cnnlesson import read_results, results_path, widgets
from cnnlesson.widgets.shared.figure import Figure

NAMED = [getattr(widgets, name) for name in widgets.__all__]
CLASSES = [cls for cls in NAMED if issubclass(cls, Figure)]
RUNS = {
    widgets.OrderExplorer: [made_up_runs()],
    widgets.RunExplorer: [read_results(results_path("map"))],
}
FIGURE_PAGES = {"index": [partial(cls, *RUNS.get(cls, [])) for cls in CLASSES]}
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


WORDS_OUTSIDE = """(module) => {
    const root = document.querySelector(`[data-module="${module}"] > .is-live`);
    const { left, right } = root.getBoundingClientRect();
    return [...root.querySelectorAll(".plot > g text")].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.left < left - 1 || box.right > right + 1;
    }).map((text) => text.textContent);
}"""


@pytest.mark.parametrize("width", [1280, 768, 390])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_no_slider_changes_the_height(open_figure, cls, width):
    heights = open_figure(width).evaluate(HEIGHTS, cls.module)
    assert {name: seen for name, seen in heights.items() if len(seen) > 1} == {}


@pytest.mark.parametrize("width", [1280, 360, 320])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_axes_and_legends_are_whole(open_figure, cls, width):
    assert open_figure(width).evaluate(WORDS_OUTSIDE, cls.module) == []


def test_a_legend_shrinks_and_grows_with_its_plot(open_figure):
    page = open_figure(1280)
    page.set_viewport_size({"width": 320, "height": 800})
    page.wait_for_function("document.querySelector('[transform^=\"scale(0\"]')")
    assert page.evaluate(WORDS_OUTSIDE, widgets.ErrorMilestones.module) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_function("!document.querySelector('[transform^=\"scale(0\"]')")

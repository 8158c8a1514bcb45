"""The figures in JupyterLab, with a kernel behind them: what a hand moves, Python reads."""

import json
import os
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from cnnlesson import widgets

MAP = """[
    run_experiment(
        Run(lr=lr, momentum=momentum, num_images=100, num_test_images=50),
        load_digits("sklearn"),
    )
    for lr in (0.001, 0.002, 0.004)
    for momentum in (0.0, 0.5)
]"""
# What a class is made with, where that is not nothing.
ARGUMENTS = {
    "MapLab": MAP,
    "OrderExplorer": """[
        run_experiment(
            Run(momentum=momentum, num_images=320, num_test_images=50, measure_every=2),
            load_digits("sklearn"),
        )
        for momentum in (0.0, 0.5)
    ]""",
    "RunExplorer": MAP,
    "TrainingPanel": 'load_digits("sklearn"), num_images=640',
}
# These are made by functions of their own, and what is told to them is no setting.
ASKED = {
    "Prediction": """Prediction.choose("00-word", "Lower?", ["lower", "higher"])""",
    "Question": """Question.choose(
        "00-max", "Which?", right="a", wrong={"b": "No."}, because="So.", at="Here")""",
}
SHOWN = [name for name in widgets.__all__ if name != "Goal"]  # that is a part of a figure
FIGURES = [name for name in SHOWN if name != "TrainingPanel" and name not in ASKED]
PYTHON = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
TRACKER = "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"  # would ask another host


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A JupyterLab with a notebook that shows every figure, each under its class's name."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [
        "from cnnlesson import Run, load_digits, run_experiment\n"
        "from cnnlesson.widgets import *\n"
        "shown, at_first = {}, {}"
    ]
    for name in SHOWN:
        cells.append(
            f"shown['{name}'] = {ASKED.get(name) or f'{name}({ARGUMENTS.get(name, str())})'}\n"
            f"at_first['{name}'] = shown['{name}'].settings\n"
            f"shown['{name}']"
        )
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=PYTHON)
    (folder / "root").mkdir()
    nbformat.write(notebook, folder / "root" / "figures.ipynb")
    for path, content in (
        ("config/labconfig/page_config.json", {"disabledExtensions": {ANNOUNCEMENTS: True}}),
        # Else JupyterLab takes cells out of the page that are out of sight.
        (f"settings/{TRACKER}", {"windowingMode": "none"}),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content))
    # Port 0 lets the system choose; the server writes down which one it got.
    options = {
        "--IdentityProvider.token": "figures",
        "--ServerApp.root_dir": folder / "root",
        "--ServerApp.port": 0,
        "--LabApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command + [f"{name}={value}" for name, value in options.items()],
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            for _ in range(600):
                [found] = [
                    json.loads(path.read_text())["url"]
                    for path in (folder / "runtime").glob("jpserver-*.json")
                ] or [None]
                try:
                    if found and urlopen(f"{found}api"):
                        break
                except URLError:
                    pass
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
            yield f"{found}lab/tree/figures.ipynb?token=figures"
        finally:
            server.terminate()
            server.wait(timeout=20)


@pytest.fixture(scope="module")
def visit(address, open_lasting_page):
    """The notebook, all its cells run."""
    visit = open_lasting_page(address)
    page = visit.page
    page.set_default_timeout(60_000)
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady && "
        "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
    )
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    return visit


@pytest.fixture
def page(visit):
    yield visit.page
    assert visit.foreign == []
    assert visit.errors == []


def cell(page, name):
    """Return the output that shows a figure."""
    number = 1 + SHOWN.index(name)
    return page.locator(".jp-Cell").nth(number).locator(".jp-Cell-outputArea")


def python(page, code):
    """Run code in the notebook's kernel, beside its cells; returns what it printed."""
    return page.evaluate(
        """async (code) => {
            const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
            const future = kernel.requestExecute({ code });
            const printed = [];
            future.onIOPub = ({ content }) => printed.push(content.text ?? content.evalue ?? "");
            await future.done;
            return printed.join("");
        }""",
        code,
    )


def settings_of(page, name):
    return python(page, f"print(shown['{name}'].settings)")


def restore(page, name):
    python(page, f"for pair in at_first['{name}'].items(): setattr(shown['{name}'], *pair)")


def wait_for(is_so, seconds=20):
    """Wait until a function of no arguments returns something true."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn(page, name):
    figure = cell(page, name).locator(".is-live")
    figure.wait_for()
    assert figure.get_attribute("role") == "group"
    drawn = figure.locator("svg, canvas").first
    drawn.scroll_into_view_if_needed()
    box = drawn.bounding_box()
    assert min(box["width"], box["height"]) > 50
    assert not cell(page, name).get_by_text("Traceback").count()


def drag(page, slider):
    """Drag a slider towards its farther end, then step back by a key."""
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    now = slider.evaluate("(e) => (e.value - e.min) / (e.max - e.min)")
    start, end = (
        box["x"] + 10 + part * (box["width"] - 20) for part in (now, 0.1 if now > 0.5 else 0.9)
    )
    page.mouse.move(start, y)
    page.mouse.down()
    page.mouse.move(end, y, steps=4)
    page.mouse.up()
    dragged = float(slider.input_value())
    slider.press("ArrowRight" if now > 0.5 else "ArrowLeft")
    assert (float(slider.input_value()) > dragged) == (now > 0.5)


def moved_and_settled(page, name, before):
    """Say whether all of a drag is in Python: a late word of it would undo what follows."""
    now = settings_of(page, name)
    page.wait_for_timeout(200)
    return now != before and settings_of(page, name) == now


@pytest.mark.parametrize("name", FIGURES)
def test_python_and_a_control_move_each_other(page, name):
    figure = cell(page, name).locator(".is-live")
    # A slider without a name belongs to the view alone.
    controls = figure.locator("input[type=range][name]"), figure.locator("input[type=number]")
    is_slider = bool(controls[0].count())
    control = controls[0 if is_slider else 1].first
    control.scroll_into_view_if_needed()
    before, in_python = control.input_value(), settings_of(page, name)
    if is_slider:
        drag(page, control)
    else:
        control.press("ArrowUp")
    assert control.input_value() != before
    wait_for(lambda: moved_and_settled(page, name, in_python))
    restore(page, name)
    expect(control).to_have_value(before, timeout=20_000)
    assert settings_of(page, name) == in_python


def test_arrow_keys_move_the_point_of_a_figure_not_the_notebook(page):
    figure = cell(page, "MomentumExplorer")
    point = figure.locator(".point")
    point.scroll_into_view_if_needed()
    point.press("ArrowDown")
    wait_for(lambda: "'start': (-8.0, 2.4)" in settings_of(page, "MomentumExplorer"))
    expect(point).to_be_focused()
    python(page, "shown['MomentumExplorer'].num_steps = 7")
    count = "(e) => e.getAttribute('d').split('L').length === 8"
    page.wait_for_function(count, arg=figure.locator(".path.momentum").first.element_handle())


def test_a_question_answers_back_and_knows_no_place_that_a_link_could_lead_to(page):
    question = cell(page, "Question").locator(".is-live")
    question.get_by_role("button", name="b").click()
    reply = question.get_by_role("status").last
    expect(reply).to_have_text("Not yet. No.Look again at Here.")
    expect(reply.get_by_role("link")).to_have_count(0)
    question.get_by_role("button", name="a").click()
    expect(reply).to_have_text("Right. So.")


def test_a_prediction_is_kept_by_the_browser(page):
    prediction = cell(page, "Prediction").locator(".is-live")
    prediction.get_by_role("button", name="lower").click()
    expect(prediction.get_by_role("status").last).to_contain_text("Kept.")
    stored = page.evaluate("localStorage.getItem('cnnlesson.answers')")
    assert json.loads(stored)["answers"]["00-word"] == {"given": "lower"}


# The panel


@pytest.fixture
def panel(page):
    """The panel as it was at first."""
    panel = cell(page, "TrainingPanel")
    panel.locator("svg.plot").wait_for()
    panel.scroll_into_view_if_needed()
    python(page, "panel = shown['TrainingPanel']; panel.stop(); panel.wait(); panel.clear()")
    restore(page, "TrainingPanel")
    return panel


def button(panel, label):
    return panel.get_by_role("button", name=label)


FIRST_POINT = """(button) => new Promise((resolve) => {
    const start = performance.now();
    const panel = button.closest(".cnnlesson-panel");
    const look = () => {
        const isDrawn = panel.querySelector(".plot .line")?.getAttribute("d");
        if (isDrawn) resolve(performance.now() - start);
        else requestAnimationFrame(look);
    };
    button.click();
    look();
})"""


def test_the_panel_trains_and_the_first_point_comes_within_two_seconds(page, panel):
    assert button(panel, "Train").evaluate(FIRST_POINT) < 2000
    expect(button(panel, "Train")).to_be_disabled()
    expect(panel.locator(".result")).to_contain_text("Training", timeout=20_000)
    expect(panel.locator(".result")).to_contain_text("is complete", timeout=60_000)
    expect(button(panel, "Train")).to_be_enabled()
    result = json.loads(python(page, "import json; print(json.dumps(panel.results[0].to_dict()))"))
    accuracy = f"{100 * result['test_accuracy']:.1f}%"
    expect(panel.locator("tbody td").first).to_have_text(accuracy)
    expect(panel.get_by_role("status").first).to_contain_text(f"{accuracy} of 540 test images")
    # What is drawn: the last point of the line, where the last of the images is.
    right = panel.locator(".axes rect").evaluate("(e) => e.x.baseVal.value + e.width.baseVal.value")
    line = panel.locator(".plot .line").get_attribute("d")
    assert float(line.split("L")[-1].split(",")[0]) == pytest.approx(right, abs=0.01)
    assert line.count("L") == 19


def test_stop_stops_and_the_notebook_goes_on_meanwhile(page, panel):
    python(page, "panel.num_epochs = 20")
    button(panel, "Train").click()
    panel.locator(".plot .line").wait_for(state="attached")
    assert python(page, "print(6 * 7, panel.is_training)") == "42 True\n"
    button(panel, "Stop").click()
    expect(panel.locator(".result")).to_contain_text("was stopped at step", timeout=20_000)
    expect(button(panel, "Stop")).to_be_disabled()
    assert "interrupted" in python(page, "print(panel.results[-1].status)")


def test_an_interrupt_of_the_kernel_stops_the_training(page, panel):
    python(page, "panel.num_epochs = 20")
    button(panel, "Train").click()
    panel.locator(".plot .line").wait_for(state="attached")
    page.evaluate(
        """async () => {
            const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
            const future = kernel.requestExecute({ code: "import time; time.sleep(60)" });
            setTimeout(() => kernel.interrupt(), 500);
            await future.done;
        }"""
    )
    expect(panel.locator(".result")).to_contain_text("was stopped at step", timeout=20_000)


def test_two_trainings_lie_over_each_other_with_what_differs_in_words(page, panel):
    for key in (None, "ArrowRight"):
        if key:
            handle = panel.get_by_role("slider", name="momentum μ")
            handle.focus()
            handle.press(key)
            wait_for(lambda: "'momentum': 0.81" in settings_of(page, "TrainingPanel"))
        button(panel, "Train").press("Enter")
        expect(button(panel, "Train")).to_be_disabled(timeout=20_000)
        expect(button(panel, "Train")).to_be_enabled(timeout=60_000)
    rows = panel.locator("tbody th")
    expect(rows).to_have_count(2)
    assert [text.split(": ")[1] for text in rows.all_inner_texts()] == ["μ = 0.8", "μ = 0.81"]
    lines = panel.locator(".plot .line")
    expect(lines).to_have_count(2)
    colours = {line.evaluate("(e) => getComputedStyle(e).stroke") for line in lines.all()}
    assert len(colours) == 2
    button(panel, "Clear").click()
    expect(lines).to_have_count(0)
    expect(panel.locator("table")).to_be_hidden()


def test_python_moves_the_panel_s_controls_and_keeps_a_value_between_two(page, panel):
    python(page, "panel.lr = 0.0123; panel.pixels = 'unit'")
    row = panel.locator(".widget-inline-hbox").filter(has_text="step size α")
    expect(row.locator(".widget-readout")).to_have_text("0.0123", timeout=20_000)
    select = panel.get_by_label("pixels")
    expect(select).to_have_value("unit", timeout=20_000)
    select.select_option("standardized")
    wait_for(lambda: "standardized" in settings_of(page, "TrainingPanel"))
    assert "'lr': 0.0123" in settings_of(page, "TrainingPanel")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_panel_is_accessible_in_both_themes(page, panel, theme):
    python(page, "panel.train(); panel.wait()")
    panel.locator(".plot .line").wait_for(state="attached")
    page.evaluate(
        "(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
    )
    dark = str(theme == "JupyterLab Light").lower()
    page.wait_for_function("(dark) => document.body.dataset.jpThemeLight === dark", arg=dark)
    options = {"resultTypes": ["violations"], "preload": False}
    results = Axe().run(page, context=".cnnlesson-panel", options=options)
    assert results.violations_count == 0, results.generate_report()
    for target in panel.locator("button, .widget-inline-hbox:has(select, .noUi-handle)").all():
        assert target.bounding_box()["height"] >= 44


def test_a_notebook_offers_pictures_and_no_link(page):
    menu = cell(page, "StabilityMap").locator(".share-menu")
    menu.locator("summary").press("Enter")
    expect(menu.get_by_role("button")).to_have_text(["Save as SVG", "Save as PNG"])
    with page.expect_download() as download:
        button(menu, "Save as PNG").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    page.keyboard.press("Escape")
    expect(menu.get_by_role("button")).to_have_count(0)

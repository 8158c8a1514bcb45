"""The laboratory's JavaScript against PyTorch, and its Python side."""

import base64
import re

import numpy as np
import pytest
import torch
from torch import nn
from traitlets import TraitError

from cnnlesson import ConvNet, Run, load_digits, run_experiment, standardize
from cnnlesson._support.sample import SAMPLE
from cnnlesson._support.seeding import Seeded
from cnnlesson.widgets import TrainingLab
from cnnlesson.widgets.shared.bundle import bundle
from cnnlesson.widgets.shared.parcel import parcel, worker_script
from cnnlesson.widgets.shared.sources import sources_of
from cnnlesson.widgets.training_panel.loss_plot import Curve

LOAD = """async ([worker, record, kernel, digits]) => {
    const load = (source) =>
        import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const names = "mersenne, initialise, permutation, shadesOf, stepSize, networkOf, trainingOf";
    // The script that goes to the worker, and nothing else.
    const make = new Function(worker.replace("listen(self);", `return { ${names} };`));
    Object.assign(window, make(), await load(record));
    const stream = new Blob([bytes(digits)]).stream().pipeThrough(new DecompressionStream("gzip"));
    const content = await new Response(stream).arrayBuffer();
    window.digits = {
        pixels: new Uint8Array(content, 0, 8000 * 784),
        labels: new Uint8Array(content, 8000 * 784),
        numTrain: 6000,
    };
    window.kernel = await WebAssembly.compile(bytes(kernel));
}"""
TRAIN = """([settings, seed]) => {
    const network = networkOf(new WebAssembly.Instance(kernel));
    const training = trainingOf(network, digits, settings, seed);
    while (training.status === "running") training.advance();
    const { status, losses, measurements } = training;
    return { status, losses, last: measurements.at(-1) };
}"""


@pytest.fixture(scope="module")
def page(browser):
    with browser.new_page() as page:
        record = bundle("record", sources_of("record", "training_lab"))
        files = [base64.b64encode(part).decode() for part in (parcel()[0], SAMPLE.read_bytes())]
        page.evaluate(LOAD, [worker_script(), record, *files])
        yield page


@pytest.mark.parametrize("seed", [0, 99])
def test_a_network_starts_with_the_weights_of_pytorch(page, seed):
    script = """(seed) => {
        const weights = new Float32Array(34826);
        initialise(weights, mersenne(seed));
        return Array.from(weights);
    }"""
    with Seeded(seed):
        expected = nn.utils.parameters_to_vector(ConvNet().parameters()).detach()
    # A processor that multiplies and adds in two steps rounds twice.
    np.testing.assert_allclose(page.evaluate(script, seed), expected, rtol=0, atol=3e-8)


@pytest.mark.parametrize(("seed", "n"), [(0, 6000), (3, 100), (99, 1)])
def test_the_order_is_that_of_pytorch(page, seed, n):
    script = """([seed, n]) => {
        const random = mersenne(seed);
        return [permutation(n, random), permutation(n, random)].map((order) => Array.from(order));
    }"""
    generator = torch.Generator().manual_seed(seed)
    expected = [torch.randperm(n, generator=generator).tolist() for _ in range(2)]
    assert page.evaluate(script, [seed, n]) == expected


def test_pixels_are_scaled_as_standardize_does(page):
    shades = torch.arange(256.0)
    for pixels, expected in (
        ("raw", shades),
        ("unit", shades / 255),
        ("standardized", standardize(shades)),
    ):
        found = page.evaluate("(pixels) => Array.from(shadesOf(pixels))", pixels)
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-7)


@pytest.mark.parametrize("steps", [4, 50])
def test_one_cycle_is_that_of_pytorch(page, steps):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.05)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.05, total_steps=steps, cycle_momentum=False
    )
    expected = []
    for _ in range(steps):
        expected += cycle.get_last_lr()
        optimizer.step()
        if len(expected) < steps:
            cycle.step()
    script = '(n) => Array.from({ length: n }, (_, i) => stepSize("one-cycle", 0.05, i, n))'
    np.testing.assert_allclose(page.evaluate(script, steps), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": "standardized", "lr": 0.02, "num_epochs": 2},
        {"pixels": "unit", "lr": 0.02, "order": "sorted", "batch_size": 50},
        {"pixels": "standardized", "optimizer": "nesterov", "schedule": "one-cycle", "lr": 0.05},
        {"pixels": "unit", "lr": 0.02, "activation": "leaky-relu"},
        {"pixels": "raw", "lr": 0.05, "momentum": 0.9},
        {"pixels": "raw", "lr": 0.05, "momentum": 0.9, "activation": "leaky-relu"},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_a_whole_training_is_that_of_run_experiment(page, changes):
    run = Run(**{"num_images": 480, "seed": 3} | changes)
    expected = run_experiment(run, load_digits("sample"))
    names = [*(set(TrainingLab().settings) - {"rule", "num_seeds", "drawing"})]
    settings = {name: getattr(run, name) for name in names}
    rule = "nesterov" if run.optimizer == "nesterov" else "pytorch"
    found = page.evaluate(TRAIN, [settings | {"rule": rule}, run.seed])
    assert found["status"] == expected.status
    if expected.status == "completed":
        per_epoch = len(found["losses"]) // run.num_epochs
        means = [np.mean(found["losses"][-per_epoch:])]
        assert means[-1] == pytest.approx(expected.train_loss, rel=1e-3)
        assert found["last"]["accuracy"] == pytest.approx(expected.test_accuracy, abs=0.003)
    assert sum(found["last"]["answers"] if found["last"] else [2000]) == 2000


@pytest.mark.parametrize("n", [1, 7, 200, 201, 1500])
def test_a_curve_is_that_of_the_panel(page, n):
    losses = np.random.default_rng(n).exponential(size=n).tolist()
    settings = {"num_images": 650, "batch_size": 32}
    found = page.evaluate("([s, losses]) => curveOf(s, losses)", [settings, losses])
    expected = Curve(1, 32, 650, 99, losses).to_dict()
    np.testing.assert_allclose(found["points"], expected["points"])
    np.testing.assert_allclose(found["line"], expected["line"])


def test_the_parcel_holds_the_kernel_and_the_digits():
    kernel, script, *digits = parcel()
    assert kernel.startswith(b"\0asm")
    assert script.decode() == worker_script()
    assert not re.search(r"^\s*(import|export)\b", worker_script(), re.MULTILINE)
    assert b"".join(digits) == SAMPLE.read_bytes()
    assert TrainingLab().data()["num_parts"] == len(parcel())


def test_a_notebook_gets_the_part_that_it_asks_for(monkeypatch):
    lab, sent = TrainingLab(), []
    monkeypatch.setattr(lab, "send", lambda content, buffers: sent.append((content, buffers)))
    for message in ({"part": 2}, {"part": 99}, {"part": -1}, {"part": "0"}, "part", {}):
        lab._handle_custom_msg(message, [])
    assert sent == [({"part": 2}, [parcel()[2]])]


def test_presets_are_checked_as_settings_are():
    lab = TrainingLab(presets={"the first": {"lr": 0.01}})
    assert lab.data()["presets"] == [["the first", {"lr": 0.01}]]
    with pytest.raises(TraitError, match="lr: expected a number from 1e-05 to 1, found 2"):
        TrainingLab(presets={"too large": {"lr": 2}})
    with pytest.raises(TypeError, match="found alpha"):
        TrainingLab(presets={"misspelt": {"alpha": 1}})


def test_the_static_twin_says_what_it_shows():
    html = TrainingLab().to_html()
    assert 'data-module="training_lab"' in html
    assert "test images are right" in html
    assert len(html) < 20_000  # neither the digits nor the kernel

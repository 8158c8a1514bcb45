"""Time the laboratory's kernel in a browser's worker beside ``train_model`` and the original loop.

All of them train the same network on the sample's digits, standardised, from the same weights. They
take turns, so that whatever else the machine does falls on all of them alike. PyTorch has one
thread, as each worker has. Needs Chromium.

    python tests/benchmarks/lab_speed.py
"""

import argparse
import base64
import platform
import shutil
import statistics
import time
from collections.abc import Callable

import torch
from original_loop import original_loop
from playwright.sync_api import Page, sync_playwright
from torch import nn

from cnnlesson import ConvNet, load_digits, standardize, train_model
from cnnlesson._support.sample import SAMPLE
from cnnlesson._support.seeding import Seeded
from cnnlesson.widgets.shared.parcel import parcel, worker_script

LR, MOMENTUM = 0.02, 0.9
PREPARE = """async ([source, code, packed]) => {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const load = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const stream = new Blob([bytes(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
    const content = await new Response(stream).arrayBuffer();
    const digits = {
        pixels: new Uint8Array(content, 0, 8000 * 784),
        labels: new Uint8Array(content, 8000 * 784),
        numTrain: 6000,
    };
    const kernel = await WebAssembly.compile(bytes(code));
    const work = `onmessage = ({ data }) => {
        const network = networkOf(new WebAssembly.Instance(data.kernel, {}));
        const training = trainingOf(network, data.digits, data.settings, 0);
        training.examine = () => {}; // the training alone
        const run = () => {
            const started = performance.now();
            for (let i = 0; i < data.steps; i++) training.advance();
            postMessage((performance.now() - started) / 1000);
        };
        onmessage = run;
        run();
    };`;
    const address = load(source.replace("listen(self);", work));
    const crews = {};
    const ask = (worker, message) => new Promise((done) => {
        worker.onmessage = ({ data }) => done(data);
        worker.postMessage(message);
    });
    // The first call of each size makes its workers, and lets the browser compile.
    window.train = (count, settings, steps) => {
        const key = `${count} ${settings.batch_size}`;
        crews[key] ??= Array.from({ length: count }, () => new Worker(address));
        const message = { kernel, digits, settings, steps };
        return Promise.all(crews[key].map((worker) => ask(worker, message)));
    };
}"""


def browser_loop(page: Page, workers: int, batch_size: int, images: int) -> Callable[[], float]:
    """Return what trains in so many workers, and says the images a second of all together."""
    settings = {
        **{"lr": LR, "momentum": MOMENTUM, "batch_size": batch_size, "num_epochs": 1000},
        **{"num_images": images, "pixels": "standardized", "order": "shuffled"},
        **{"rule": "pytorch", "activation": "relu", "schedule": "constant"},
    }
    steps = images // batch_size
    script = "([count, settings, steps]) => train(count, settings, steps)"

    def run() -> float:
        seconds = page.evaluate(script, [workers, settings, steps])
        return workers * steps * batch_size / max(seconds)

    return run


def torch_loop(loop: Callable, batch_size: int, images: int) -> Callable[[], float]:
    """Return what trains in PyTorch, and says the images a second."""
    digits = load_digits("sample")
    x, y = standardize(digits.images[:images]), digits.labels[:images]

    def run() -> float:
        with Seeded(0):
            model = ConvNet()
        optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
        started = time.perf_counter()
        loop(model, optimizer, nn.CrossEntropyLoss(), x, y, batch_size)
        return images / (time.perf_counter() - started)

    return run


def course_loop(*arguments: object) -> None:
    """Train as the course does."""
    *others, batch_size = arguments
    train_model(*others, batch_size=batch_size, num_epochs=1, progress=False)


def first_loop(*arguments: object) -> None:
    """Train as the original notebook does."""
    original_loop(*arguments, num_epochs=1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2048, help="images a round (2048)")
    parser.add_argument("--rounds", type=int, default=10, help="rounds (10)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = [base64.b64encode(part).decode() for part in (parcel()[0], SAMPLE.read_bytes())]
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.evaluate(PREPARE, [worker_script(), *files])
        loops = {
            (name, size): make(size)
            for size in (32, 128)
            for name, make in (
                ("kernel", lambda size: browser_loop(page, 1, size, options.images)),
                ("kernel, two workers", lambda size: browser_loop(page, 2, size, options.images)),
                ("train_model", lambda size: torch_loop(course_loop, size, options.images)),
                ("original loop", lambda size: torch_loop(first_loop, size, options.images)),
            )
        }
        for run in loops.values():  # warm-up
            run()
        pace: dict[tuple[str, int], list[float]] = {key: [] for key in loops}
        for turn in range(options.rounds):
            first = turn % len(loops)
            for key in [*loops][first:] + [*loops][:first]:
                pace[key].append(loops[key]())
        version = browser.version
        browser.close()
    print(
        f"\nMedian of {options.rounds} rounds of {options.images:,} images, images a second.\n"
        f"{platform.platform()}, {platform.machine()}, Chromium {version}, "
        f"PyTorch {torch.__version__}, one thread.\n"
    )
    print(f"{'batches of':<22}{'images/s':>10}   of train_model, round by round")
    for (name, size), values in pace.items():
        ratios = [a / b for a, b in zip(values, pace["train_model", size], strict=True)]
        print(
            f"{size:>4} {name:<17}{statistics.median(values):>10,.0f}"
            f"   median {statistics.median(ratios):.2f}, min {min(ratios):.2f}"
        )


if __name__ == "__main__":
    main()

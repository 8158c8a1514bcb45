"""Time the laboratory: its kernel beside PyTorch and the processor's peak, and its page.

The kernel runs in workers of Chromium. It, ``train_model`` and the original loop train the same
network on the sample's digits, standardised, from the same weights. They take turns, so that
whatever else the machine does falls on all of them alike. PyTorch has one thread, as each worker
has. The peak is what four numbers at a time can be multiplied and added, each rounded by itself.

Then a page of the built book: its memory before and while five seeds train, and how long another
figure of it takes from hand to picture while one trains, as `figure_speed.py` times it.

    python tests/benchmarks/lab_speed.py [--book _build/html] [--write book/laboratory_speed.csv]
"""

import argparse
import base64
import csv
import datetime
import os
import platform
import re
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from figure_speed import MEDIAN, exercise, live
from original_loop import original_loop
from playwright.sync_api import Browser, Page, sync_playwright
from torch import nn
from wasmtime import wat2wasm

from cnnlesson import ConvNet, load_digits, standardize, train_model
from cnnlesson._support.sample import SAMPLE
from cnnlesson._support.seeding import Seeded
from cnnlesson.widgets.shared.parcel import parcel, worker_script

LR, MOMENTUM = 0.02, 0.9
# Of one image, in the kernel: three layers forward, and of each its own way back.
MULTIPLY_ADDS = (26 * 26 * 32 * 9 + 10 * 10 * 64 * 288 + 1600 * 10) + (
    13 * 13 * 32 * 9 + 2 * 5 * 5 * 64 * 288 + 2 * 1600 * 10
)
CONVNETJS = 38  # images a second of this library: measured once, on another machine of two cores
MOST_MEMORY = 80  # megabytes
NAMES = {
    "kernel": "the page",
    "kernel, two workers": "the page, two workers together",
    "train_model": "`train_model`",
    "original loop": "the original notebook’s loop",
}
CHAINS, TURNS = 12, 20_000_000  # sums that do not wait for each other, and how often each grows
_ALL = range(CHAINS)
PEAK = "".join(
    [
        '(module (func (export "run") (param $n i32) (param $a f32) (result f32) (local $k v128)',
        *(f"(local $x{i} v128)" for i in _ALL),
        "(local.set $k (f32x4.splat (local.get $a))) (loop $again",
        *(
            f"(local.set $x{i} (f32x4.add (f32x4.mul (local.get $x{i}) (local.get $k))"
            "(local.get $k)))"
            for i in _ALL
        ),
        "(br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (f32.const 0)",
        *(f"(f32.add (f32x4.extract_lane 0 (local.get $x{i})))" for i in _ALL),
        "))",
    ]
)
PREPARE = """async ([source, code, packed, peakCode]) => {
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
    const peak = new WebAssembly.Instance(await WebAssembly.compile(bytes(peakCode))).exports;
    window.reach = (turns) => {
        const started = performance.now();
        peak.run(turns, 0.5);
        return (performance.now() - started) / 1000;
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


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*: (.+)", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def private_memory(browser: Browser) -> float:
    """Return the megabytes that the browser's pages have for themselves, their workers included."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    rollups = [Path(f"/proc/{page}/smaps_rollup").read_text("utf-8") for page in pages]
    kilobytes = (re.findall(r"^Private_\w+: +(\d+)", text, re.MULTILINE) for text in rollups)
    return sum(int(number) for numbers in kilobytes for number in numbers) / 1000


def open_lab(browser: Browser, book: Path, **settings: object) -> Page:
    """Open a page of the book on which the laboratory stands beside another figure."""
    query = "&".join(f"training_lab.{name}={value}" for name, value in settings.items())
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    file = book / "notebooks" / "06_momentum.html"
    page.goto(f"{file.resolve().as_uri()}?{query}")
    page.locator(".training-lab").wait_for()
    return page


def press_train(page: Page) -> None:
    """Have it train, and return once it does."""
    page.locator(".training-lab button.main").click()
    words = "document.querySelector('.training-lab > .result').innerText"
    page.wait_for_function(f"() => /step \\d/.test({words})", timeout=120_000)


def memory_of_five_seeds(browser: Browser, book: Path) -> float:
    """Return by how many megabytes a page grows while it trains five seeds, at the most."""
    page = open_lab(browser, book, num_seeds=5, num_epochs=20)
    time.sleep(2)
    before = private_memory(browser)
    press_train(page)
    most = 0.0
    for _ in range(20):
        most = max(most, private_memory(browser))
        time.sleep(0.5)
    page.close()
    return most - before


def hand_to_picture(browser: Browser, book: Path, events: int) -> float:
    """Return the median milliseconds of another figure of the page, while the laboratory trains."""
    page = open_lab(browser, book, num_epochs=20)
    press_train(page)
    times = exercise(page, live(page, "momentum_explorer"), events)
    page.close()
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2048, help="images a round (2048)")
    parser.add_argument("--rounds", type=int, default=10, help="rounds (10)")
    parser.add_argument("--events", type=int, default=200, help="events of a hand (200)")
    parser.add_argument("--book", type=Path, default=Path("_build/html"), help="the built book")
    parser.add_argument("--write", type=Path, help="the file that the book shows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parts = (parcel()[0], SAMPLE.read_bytes(), wat2wasm(PEAK))
    files = [base64.b64encode(part).decode() for part in parts]
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.evaluate(PREPARE, [worker_script(), *files])
        loops: dict[tuple[str, int], Callable[[], float]] = {
            (name, size): make(size)
            for size in (32, 128)
            for name, make in (
                ("kernel", lambda size: browser_loop(page, 1, size, options.images)),
                ("kernel, two workers", lambda size: browser_loop(page, 2, size, options.images)),
                ("train_model", lambda size: torch_loop(course_loop, size, options.images)),
                ("original loop", lambda size: torch_loop(first_loop, size, options.images)),
            )
        }
        # As images a second too: as many as could be trained if nothing else took time.
        work = 4 * CHAINS * TURNS / MULTIPLY_ADDS
        loops["peak", 32] = lambda: work / page.evaluate("(turns) => reach(turns)", TURNS)
        for run in loops.values():  # warm-up
            run()
        pace: dict[tuple[str, int], list[float]] = {key: [] for key in loops}
        for turn in range(options.rounds):
            first = turn % len(loops)
            for key in [*loops][first:] + [*loops][:first]:
                pace[key].append(loops[key]())
        page.close()
        memory = memory_of_five_seeds(browser, options.book)
        delay = hand_to_picture(browser, options.book, options.events)
        version = browser.version
        browser.close()

    def ratio(of: str, to: str, size: int = 32) -> float:
        pairs = zip(pace[of, size], pace[to, size], strict=True)
        return statistics.median(a / b for a, b in pairs)

    rows = [("images a second", "batches of 32", "batches of 128")]
    for name in ("kernel", "kernel, two workers", "train_model", "original loop"):
        medians = [statistics.median(pace[name, size]) for size in (32, 128)]
        rows.append((NAMES[name], *(f"{value:,.0f}" for value in medians)))
    rows += [
        (
            "the page beside `train_model`, round by round",
            *(f"{ratio('kernel', 'train_model', size):.2f} times" for size in (32, 128)),
        ),
        (
            "the page beside ConvNetJS, which did 38 a second on another machine",
            f"{statistics.median(pace['kernel', 32]) / CONVNETJS:.0f} times",
            "",
        ),
        (
            "share of what the processor can multiply and add, four numbers at a time",
            f"{ratio('kernel', 'peak'):.0%}",
            "",
        ),
        ("memory that the page takes for five seeds", f"{memory:.0f} MB", ""),
        ("another figure, from hand to picture, while one trains", f"{delay:.1f} ms", ""),
        ("medians of", f"{options.rounds} rounds of {options.images:,} images", ""),
        ("measured", f"{datetime.date.today():%d %B %Y}".lstrip("0"), ""),
        ("on", f"{processor()}, {os.cpu_count()} cores", ""),
        ("with", f"Chromium {version}, PyTorch {torch.__version__}", ""),
    ]
    for label, *values in rows:
        print(f"{label:<74}" + "".join(f"{value:>16}" for value in values))
    if options.write:
        with options.write.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    if memory > MOST_MEMORY or delay > MEDIAN:
        print(f"\nexpected up to {MOST_MEMORY} MB and {MEDIAN:.0f} ms")


if __name__ == "__main__":
    main()

"""Time the interactive figures of the built book: from a real input event to the painted frame.

Chromium opens the page that holds a figure, and gets mouse moves and key presses as from hardware,
one at a time, for every slider, number, point and map of pixels. A page that was scrolled to one of
them has come to rest before the first. A hand does not keep step with the screen: before each event
passes a random time of up to a frame, so that events fall evenly over the frames. A time starts
with the event's own ``timeStamp``. It ends in the first task after the frame in which the figure
changed, more than the control itself: after the animation callbacks, style, layout and paint. The
wait for the screen's next frame is part of it, half a frame on average.

A busy machine lengthens these times. The last column does not feel that: the processor time that
the page's main thread spent, all told, per event.

    python tests/benchmarks/figure_speed.py [--book _build/html] [--events 200] [figure ...]

The exit status is 1 where a median lies above 16 ms or a single event above 50 ms.
"""

import argparse
import math
import platform
import random
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import CDPSession, Locator, Page, sync_playwright

from cnnlesson import widgets
from cnnlesson.widgets.shared.figure import Figure

MEDIAN, WORST = 16.0, 50.0  # milliseconds
FRAME = 1 / 60  # seconds
REST = 0.2  # seconds, for the parts that scrolling has uncovered to be painted
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
CONTROLS = "input[type=range], input[type=number], [role=slider]"

# `times.wait()` resolves once the event in flight is painted, or has changed nothing.
WATCH = """(root) => {
    let pending = null;
    const isOutside = ({ target }) => !(target.nodeType === 1 ? target : target.parentElement)
        ?.closest(".slider, [role=status]");
    const observer = new MutationObserver((records) => {
        if (pending && records.some(isOutside)) pending.hasChanged = true;
    });
    const every = { attributes: true, childList: true, characterData: true, subtree: true };
    observer.observe(root, every);
    const afterFrame = (task) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = task;
        port2.postMessage(0);
    });
    const times = { all: [], wait: async () => pending && (await pending.end) };
    window.times = times;
    const begin = (event) => {
        if (pending) return;
        const own = (pending = { hasChanged: false });
        let frames = 0;
        own.end = new Promise((resolve) => {
            const look = () => {
                const now = performance.now();
                if (own.hasChanged) times.all.push(now - event.timeStamp);
                else if (++frames < 6) return afterFrame(look);
                pending = null;
                resolve();
            };
            afterFrame(look);
        });
    };
    for (const type of ["pointermove", "keydown"]) window.addEventListener(type, begin, true);
}"""


def sweep(control: Locator, count: int) -> Iterator[tuple[float, float]]:
    """Yield places on the screen for a pressed mouse: to and fro on a slider, around elsewhere."""
    box = control.bounding_box()
    if box is None:
        return
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    is_range = control.evaluate("(element) => element.type === 'range'")
    across, up = (box["width"] / 2 - 10, 0.0) if is_range else (60.0, 40.0)
    for i in range(count):
        turn = 2 * math.pi * i / 60
        yield x + across * math.sin(turn), y + up * math.sin(2 * turn)


def exercise(page: Page, figure: Locator, num_events: int) -> list[float]:
    """Return the milliseconds of at least so many events that changed the figure."""
    figure.evaluate(WATCH)
    hand = random.Random(0)

    def pause() -> None:
        time.sleep(hand.uniform(0, FRAME))

    def times() -> list[float]:
        page.evaluate("times.wait()")
        return page.evaluate("times.all")

    figure.locator("details").evaluate_all("(all) => all.forEach((e) => { e.open = true; })")
    controls = figure.locator(CONTROLS).all()
    each = math.ceil(num_events / len(controls) / 2)
    for _ in range(8):
        for control in controls:
            control.scroll_into_view_if_needed()
            time.sleep(REST)
            places = sweep(control, each + 1)
            page.mouse.move(*next(places))
            page.evaluate("times.wait()")
            page.mouse.down()
            for place in places:
                pause()
                page.mouse.move(*place)
                page.evaluate("times.wait()")
            page.mouse.up()
            control.focus()
            is_number = control.evaluate("(element) => element.type === 'number'")
            forth, back = ("ArrowUp", "ArrowDown") if is_number else ("ArrowLeft", "ArrowRight")
            for i in range(each):
                pause()
                page.keyboard.press(back if i // 10 % 2 else forth)
                page.evaluate("times.wait()")
        if len(times()) >= num_events:
            break
    return times()


def live(page: Page, module: str) -> Locator:
    """Go to the first figure of a module, which is set up when it is near, and return it."""
    place = page.locator(f'[data-module="{module}"]').first
    place.scroll_into_view_if_needed()
    return place.locator("> .is-live")


def main_thread(session: CDPSession) -> float:
    """Return the milliseconds of processor time that the page's main thread has used."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(1000 * m["value"] for m in metrics if m["name"] == "TaskDuration")


def page_of(module: str, book: Path) -> Path | None:
    """Return the first page of the book that holds a figure of this module."""
    mark = f'data-module="{module}"'
    pages = (path for path in sorted(book.rglob("*.html")) if mark in path.read_text("utf-8"))
    return next(pages, None)


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--book", type=Path, default=Path("_build/html"), help="the built book")
    parser.add_argument("--events", type=int, default=200, help="events a figure, at least (200)")
    classes = [getattr(widgets, name) for name in widgets.__all__]
    figures = [cls for cls in classes if issubclass(cls, Figure)]
    # Those that ask have buttons, which draw nothing.
    modules = {
        c.__name__: c.module for c in figures if c not in (widgets.Question, widgets.Prediction)
    }
    parser.add_argument("figures", nargs="*", metavar="figure", help="some of them (default: all)")
    options = parser.parse_args()
    if unknown := set(options.figures) - set(modules):
        parser.error(f"expected some of {', '.join(modules)}; found {', '.join(sorted(unknown))}")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    print(
        f"{platform.platform()}, {platform.machine()}; milliseconds from input to painted frame\n"
    )
    print(f"{'':<22}{'events':>7}{'median':>9}{'95%':>9}{'worst':>9}{'processor':>12}")
    print("─" * 68)
    is_slow = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name in options.figures or modules:
            module = modules[name]
            file = page_of(module, options.book)
            if file is None:
                print(f"{name:<22}on no page of {options.book}")
                is_slow = True
                continue
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(file.resolve().as_uri())
            figure = live(page, module)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = main_thread(session)
            times = sorted(exercise(page, figure, options.events))
            busy = (main_thread(session) - before) / len(times)
            median, worst = statistics.median(times), times[-1]
            late = times[math.ceil(0.95 * len(times)) - 1]
            is_slow |= median > MEDIAN or worst > WORST or len(times) < options.events
            numbers = f"{len(times):>7}{median:>9.1f}{late:>9.1f}{worst:>9.1f}{busy:>12.1f}"
            print(f"{name:<22}{numbers}", flush=True)
            page.close()
        browser.close()
    if is_slow:
        print(f"\nexpected on a page, with a median up to {MEDIAN:.0f} ms, none above {WORST:.0f}")
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())

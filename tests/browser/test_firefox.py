"""Firefox shows every page, moves every figure, and trains to the same digits as Chromium.

Firefox speaks WebDriver BiDi over a socket by itself: no driver stands between.
"""

import json
import os
import re
import shutil
import subprocess
import time
from functools import partial
from itertools import count

import pytest
import websocket
from building import PAGES, ROOT, build
from test_browser_training_lab import FIGURE, losses_of, trained

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        not any(map(shutil.which, ("firefox", "firefox-esr"))), reason="Firefox is not installed"
    ),
]
PATIENCE = 120  # seconds
FIGURE_PAGES = {"index": [FIGURE]}
TRAIN = """async () => {
    const rest = () => new Promise((done) => setTimeout(done, 50));
    while (!document.querySelector(".is-live")) await rest();
    const root = document.querySelector(".is-live");
    const words = root.querySelector(".result");
    const press = (name) => [...root.querySelectorAll("button")].find(
        (button) => button.textContent === name).click();
    press("Train");
    while (!/^Training 1 (learned|diverged|ended)/.test(words.textContent))
        await rest();
    const saved = new Promise((done) => {
        URL.createObjectURL = (file) => file.text().then(done) && "#";
        HTMLAnchorElement.prototype.click = () => {};
    });
    root.querySelector(".share-menu").open = true;
    while (!root.querySelector(".share-menu button")) await rest();
    press("Save as CSV");
    return JSON.stringify([words.textContent, await saved, navigator.userAgent]);
}"""


class Firefox:
    """A browser without a window, asked over its own socket."""

    def __init__(self, folder):
        (folder / "user.js").write_text('user_pref("privacy.reduceTimerPrecision", false);\n')
        name = next(filter(None, map(shutil.which, ("firefox", "firefox-esr"))))
        self._log = folder / "log"
        options = ["--headless", "--no-remote", "--remote-debugging-port", "0"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [name, *options, "--profile", str(folder)],
                stderr=log,
                stdout=log,
                env=os.environ | {"HOME": str(folder)},
            )
        self._numbers = count(1)
        self._socket = websocket.create_connection(
            f"{self._address()}/session", timeout=PATIENCE, suppress_origin=True
        )
        self.ask("session.new", capabilities={})
        self._page = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def _address(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = re.search(rb"WebDriver BiDi listening on (ws://\S+)", self._log.read_bytes())
            if found:
                return found[1].decode()
            time.sleep(0.1)
        raise TimeoutError(self._log.read_text("utf-8", errors="replace"))

    def ask(self, method, **params):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._socket.recv())).get("id") != number:
            pass
        assert answer["type"] == "success", answer
        return answer["result"]

    def open(self, address):
        self.ask("browsingContext.navigate", context=self._page, url=address, wait="complete")

    def call(self, script):
        found = self.ask(
            "script.callFunction",
            functionDeclaration=script,
            target={"context": self._page},
            awaitPromise=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def close(self):
        self._socket.close()
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    browser = Firefox(tmp_path_factory.mktemp("firefox"))
    yield browser
    browser.close()


# Where something went wrong on a page, what its figures are like, and whether one follows a slider.
SHOW = """async () => {
    const rest = () => new Promise((done) => setTimeout(done, 50));
    const wrong = [];
    for (const figure of document.querySelectorAll(".cnnlesson-figure[data-module]")) {
        figure.scrollIntoView();
        for (let i = 0; i < 1200 && !figure.querySelector(".is-live"); i++) await rest();
        const controls = "input:is([type=range], [type=number]):not([disabled])";
        let moved = false;
        for (const slider of figure.querySelectorAll(controls)) {
            const before = figure.innerHTML;
            slider.value = Number(slider.value) > Number(slider.min) ? slider.min : slider.max;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            for (let i = 0; i < 100 && figure.innerHTML === before; i++) await rest();
            moved ||= figure.innerHTML !== before;
            if (moved) break;
        }
        const asks = ["question", "prediction", "paths", "reader_record"].includes(
            figure.dataset.module);
        const works = asks ? figure.querySelector(".is-live") : moved;
        if (!works) wrong.push(figure.dataset.module);
    }
    const wide = document.documentElement.scrollWidth > innerWidth;
    const empty = [...document.images].filter((image) => image.complete && !image.naturalWidth);
    return JSON.stringify({ wrong, wide, empty: empty.map((image) => image.src),
        formulas: [...document.querySelectorAll("math")].filter(
            (math) => math.checkVisibility() && !math.getBoundingClientRect().width).length });
}"""


@pytest.mark.parametrize("page", PAGES)
def test_it_shows_every_page_and_moves_every_figure(firefox, whole_book, serve, page):
    firefox.open(f"{serve(whole_book)}/{page}.html")
    assert firefox.call(SHOW) == {"wrong": [], "wide": False, "empty": [], "formulas": 0}


@pytest.fixture(scope="module")
def whole_book(build_once):
    folder = build_once("book", partial(build, ROOT, ["-W", "--keep-going", "-n"]))
    return folder / "_build" / "html"


@pytest.mark.parametrize("host", ["file", "server"])
def test_it_learns_the_same_to_the_last_digit(firefox, addresses, open_figure, host):
    firefox.open(f"{addresses[host]}/index.html")
    words, table, agent = firefox.call(TRAIN)
    assert "Firefox/" in agent
    assert float(re.search(r"learned: ([\d.]+)% of 2,000", words)[1]) > 93
    lines = [line.split(",") for line in table.splitlines()[1:]]
    page = open_figure(host="server")
    trained(page)
    assert {"1/0": [float(loss) for _, _, _, _, loss, *_ in lines]} == losses_of(page)

"""Firefox trains the network too, and comes to the same digits of the loss as Chromium.

Firefox speaks WebDriver BiDi over a socket by itself: no driver stands between.
"""

import json
import os
import re
import shutil
import subprocess
import time
from itertools import count

import pytest
import websocket
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
    const root = document.querySelector(".is-live");
    const words = root.querySelector(".result");
    const press = (name) => [...root.querySelectorAll("button")].find(
        (button) => button.textContent === name).click();
    press("Train");
    while (!/^Training 1 (learned|diverged|ended)/.test(words.textContent))
        await new Promise((done) => setTimeout(done, 50));
    const link = HTMLAnchorElement.prototype;
    const saved = new Promise((done) => {
        link.click = function () {
            fetch(this.href).then((file) => file.text()).then(done);
        };
    });
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

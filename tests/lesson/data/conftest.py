"""No test of the digits touches the network, or the reader's cache."""

import threading
from http.server import ThreadingHTTPServer

import pooch
import pytest
from mirror import Mirror
from tiny_mnist import TINY

from cnnlesson._support import mnist


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A cache of this test's own, no network, and an MNIST of five images."""
    folder = tmp_path / "cache"
    monkeypatch.delenv("CNNLESSON_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch, "os_cache", lambda _: folder)
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/a/", "http://127.0.0.1:9/b/"))
    monkeypatch.setattr(mnist, "MNIST", {"mnist": TINY, "mnist-test": TINY})
    return folder


@pytest.fixture
def server(monkeypatch):
    handler = type(
        "Handler",
        (Mirror,),
        {"asked": [], "half_sent": threading.Event(), "released": threading.Event()},
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        def mirrors(*behaviours):
            urls = tuple(f"http://127.0.0.1:{running.server_port}/{b}/" for b in behaviours)
            monkeypatch.setattr(mnist, "MIRRORS", urls)
            return urls

        handler.mirrors = staticmethod(mirrors)
        yield handler
        handler.released.set()
        running.shutdown()
        thread.join()

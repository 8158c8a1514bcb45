"""Mirrors that trickle, stall or flood, and a cache that cannot be written: each is given up."""

import gzip
import hashlib
import logging
import os
import re
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest

from cnnlesson._support import mnist
from cnnlesson._support.idx import IdxFile
from cnnlesson.data import load_digits

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
# Random pixels: they stay as large when packed, some 160 kB.
pixels = np.random.default_rng(0).integers(0, 256, (200, 28, 28), dtype=np.uint8)
digits = (np.arange(200) % 7).astype(np.uint8)


def packed(array):
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return header + array.tobytes()


CONTENT = {IMAGES: packed(pixels), LABELS: packed(digits)}
GZIPPED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in CONTENT.items()}
BOMB = gzip.compress(bytes(10**8), 1)
SMALL = tuple(
    IdxFile(
        name,
        array.shape,
        hashlib.sha256(CONTENT[name]).hexdigest(),
        hashlib.sha256(GZIPPED[f"{name}.gz"]).hexdigest(),
    )
    for name, array in ((IMAGES, pixels), (LABELS, digits))
)


class Mirror(BaseHTTPRequestHandler):
    """A mirror whose first folder says how it behaves."""

    asked: list[str]
    sent: list[int]
    released: threading.Event

    def do_GET(self):
        _, behaviour, name = self.path.split("/")
        self.asked.append(self.path)
        with suppress(OSError):  # nobody listens any more
            getattr(self, behaviour)(GZIPPED[name])

    def begin(self, length=None, **headers):
        self.send_response(200)
        for header, value in headers.items():
            self.send_header(header.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def put(self, chunk):
        self.wfile.write(chunk)
        self.wfile.flush()
        self.sent.append(len(chunk))

    def good(self, content):
        self.begin(len(content))
        self.put(content)

    def steady(self, content):
        """Slow, but going on: 16 kB every fifteenth of a second."""
        self.begin(len(content))
        for start in range(0, len(content), 2**14):
            self.put(content[start : start + 2**14])
            time.sleep(1 / 15)

    def silent(self, _):
        self.released.wait(30)

    def stalled(self, content):
        """Say that it has the file, and no more."""
        self.begin(len(content))
        self.released.wait(30)

    def stalled_midway(self, content):
        self.begin(len(content))
        self.put(content[:70_000] if len(content) > 70_000 else content[:10])
        self.released.wait(30)

    def trickling(self, content):
        self.begin(len(content))
        for i in range(len(content)):
            self.put(content[i : i + 1])
            if self.released.wait(0.02):
                return

    def trickling_headers(self, _):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n")
        for i in range(1000):
            self.put(b"X-%d: 1\r\n" % i)
            if self.released.wait(0.05):
                return

    def flooding(self, _):
        """An endless body."""
        self.begin()
        self.flood()

    def flooding_honestly(self, _):
        self.begin(10**12)
        self.flood()

    def flood(self):
        while not self.released.is_set():
            self.put(bytes(2**16))

    def bomb(self, _):
        """A body that grows when it is unpacked, as a browser would."""
        self.begin(len(BOMB), Content_Encoding="gzip")
        self.put(BOMB)

    def going_round(self, _):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    handler = type("Handler", (Mirror,), {"asked": [], "sent": [], "released": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        def mirrors(*behaviours):
            urls = tuple(f"http://127.0.0.1:{running.server_port}/{b}/" for b in behaviours)
            monkeypatch.setattr(mnist, "MIRRORS", urls)

        handler.mirrors = staticmethod(mirrors)
        yield handler
        handler.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.delenv("CNNLESSON_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(pooch, "os_cache", lambda _: folder)
    monkeypatch.setattr(mnist, "MNIST", {"mnist": SMALL})
    monkeypatch.setattr(mnist, "PATIENCE", 1.0)
    monkeypatch.setattr(mnist, "LULL", 0.5)
    monkeypatch.setattr(mnist, "LEAST", 2**14)
    return folder


def held(cache):
    return {path.name: path.read_bytes() for path in cache.iterdir()} if cache.exists() else {}


def check(loaded):
    assert np.array_equal(loaded.images[:, 0].numpy(), pixels)
    assert loaded.labels.tolist() == digits.tolist()


BAD = {
    "silent": r"no answer \(TimeoutError\)",
    "trickling_headers": r"no answer \(TimeoutError\)",
    "stalled": "0 bytes in 0.5 seconds, too few",
    "stalled_midway": r"[\d,]+ bytes in 0.5 seconds, too few",
    "trickling": r"\d+ bytes in 0.5 seconds, too few",
    "flooding": r"expected 157,840 bytes at most, found more",
    "flooding_honestly": r"expected 157,840 bytes at most, found more",
    "bomb": r"expected 157,840 bytes at most, found more",
    "going_round": "Exceeded 30 redirects",
}


@pytest.mark.parametrize("behaviour", BAD)
def test_a_bad_mirror_is_given_up_for_the_next_one(server, cache, behaviour):
    server.mirrors(behaviour, "good")
    start = time.perf_counter()
    check(load_digits("mnist"))
    assert time.perf_counter() - start < 6
    assert held(cache) == GZIPPED


@pytest.mark.parametrize("behaviour", BAD)
def test_two_bad_mirrors_are_one_clear_error_and_nothing_is_kept(server, cache, behaviour):
    server.mirrors(behaviour, behaviour)
    start = time.perf_counter()
    with pytest.raises(ConnectionError, match=f"^{IMAGES}.gz: expected it from") as caught:
        load_digits("mnist")
    assert time.perf_counter() - start < 6
    assert len(re.findall(BAD[behaviour], str(caught.value))) == 2
    assert "0x" not in str(caught.value)
    assert held(cache) == {}


@pytest.mark.parametrize("behaviour", ["flooding", "flooding_honestly"])
def test_a_flood_ends_soon_after_the_size_of_the_file(server, behaviour):
    server.mirrors(behaviour, "good")
    check(load_digits("mnist"))
    time.sleep(0.3)
    sent = sum(server.sent)
    assert sent < 5e7  # what was under way in the system's buffers, not what a disk holds
    time.sleep(0.3)
    assert sum(server.sent) == sent


def test_a_slow_line_that_goes_on_gets_its_files(server, cache):
    server.mirrors("steady", "good")
    start = time.perf_counter()
    check(load_digits("mnist"))
    assert time.perf_counter() - start > mnist.LULL  # longer than any one pause may be
    assert not any("/good/" in path for path in server.asked)
    assert held(cache) == GZIPPED


def test_the_published_patience_suits_slow_lines_and_people(monkeypatch):
    monkeypatch.undo()
    least = mnist.LEAST / mnist.LULL  # bytes a second
    assert least < 50_000 / 4
    assert 11.6e6 / least < 30 * 60
    assert mnist.PATIENCE < mnist.LULL < 15


def test_a_mirror_that_was_given_up_costs_no_thread_for_long(server):
    server.mirrors("trickling", "good")
    before = threading.active_count()
    load_digits("mnist")
    server.released.set()
    for _ in range(50):
        time.sleep(0.1)
        if threading.active_count() <= before:
            return
    pytest.fail(f"{threading.active_count()} threads, {before} before")


# The cache


def refused_cache(cache, kind):
    with pytest.raises(kind) as caught:
        load_digits("mnist")
    message = str(caught.value)
    assert message.startswith(f"{cache}: expected a folder to keep MNIST in, found: ")
    assert "mirror" not in message
    assert "data_dir" in message
    assert "CNNLESSON_DATA" in message
    assert "\n" not in message
    with pytest.warns(UserWarning, match="8,000") as warned:
        assert load_digits().source == "sample"
    assert str(cache) in str(warned[0].message)
    assert "mirror" not in str(warned[0].message)
    return message


def test_a_file_in_the_caches_place_is_named(server, cache):
    server.mirrors("good", "good")
    cache.write_bytes(b"a file in its place")
    message = refused_cache(cache, NotADirectoryError)
    assert "found: Not a directory. To get MNIST" in message
    assert server.asked == []


@pytest.mark.parametrize("is_there", [False, True])
def test_a_cache_one_may_not_write_is_named(server, cache, monkeypatch, is_there):
    """Pooch tries to write there before it asks a mirror; root may write anywhere."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(cache))

    server.mirrors("good", "good")
    if is_there:
        cache.mkdir()
        monkeypatch.setattr(pooch.utils.tempfile, "NamedTemporaryFile", refuse)
    else:
        monkeypatch.setattr(os, "makedirs", refuse)
    message = refused_cache(cache, PermissionError)
    assert "found: Permission denied. To get MNIST" in message
    assert server.asked == []


def test_a_full_disk_is_no_failure_of_a_mirror(server, cache, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    server.mirrors("good", "good")
    monkeypatch.setattr(Path, "write_bytes", fail)
    message = refused_cache(cache, OSError)
    assert "found: No space left on device. To get MNIST" in message
    assert held(cache) == {}


# Threads


def test_threads_that_all_want_mnist_fetch_it_once(server, cache):
    server.mirrors("good", "good")
    pooch.get_logger().setLevel(logging.INFO)
    with ThreadPoolExecutor(6) as pool:
        for loaded in pool.map(lambda _: load_digits("mnist"), range(12)):
            check(loaded)
    assert sorted(server.asked) == [f"/good/{name}" for name in sorted(GZIPPED)]
    assert pooch.get_logger().level == logging.INFO
    assert held(cache) == GZIPPED

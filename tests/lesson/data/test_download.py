"""The download: which mirror serves, what is kept, and what is said when none does."""

import logging.handlers
import socket
import subprocess
import sys
import threading
import time
import warnings
from functools import partial

import pooch
import pytest
import torch
from tiny_mnist import GZIPPED, IMAGES, IMG_GZ, LAB_GZ, LABELS, assert_tiny, flip, write

from cnnlesson._support import mnist
from cnnlesson.data import load_digits


def held(cache):
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_a_download_is_kept_and_used_again(server, cache):
    server.mirrors("good", "403")
    assert_tiny(load_digits("mnist"))
    assert server.asked == [f"/good/{IMAGES}.gz", f"/good/{LABELS}.gz"]  # and no others
    assert {name: (cache / name).read_bytes() for name in held(cache)} == GZIPPED

    server.mirrors("404", "404")
    assert_tiny(load_digits("mnist"))
    assert len(server.asked) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_tiny(load_digits("auto"))


REASONS = {
    "damaged": "does not match the known hash",
    "truncated": "IncompleteRead",
    "html": "does not match the known hash",
    "403": "403",
    "404": "404",
    "500": "500",
}


@pytest.mark.parametrize("bad", REASONS)
def test_the_second_mirror_serves_when_the_first_does_not(server, cache, bad):
    server.mirrors(bad, "good")
    assert_tiny(load_digits("mnist"))
    assert {name: (cache / name).read_bytes() for name in held(cache)} == GZIPPED


def test_mirrors_may_each_have_one_of_the_files(server):
    server.mirrors("labels-missing", "good")
    assert_tiny(load_digits("mnist"))
    assert server.asked[-1] == f"/good/{LABELS}.gz"


@pytest.mark.parametrize("second", ["403", "html"])
@pytest.mark.parametrize("first", REASONS)
def test_two_bad_mirrors_are_both_named_and_nothing_is_kept(server, cache, first, second):
    mirrors = server.mirrors(first, second)
    with pytest.raises(ConnectionError, match=f"^{IMAGES}.gz: expected") as caught:
        load_digits("mnist")
    message = str(caught.value)
    _, after_first = message.split(mirrors[0], 1)
    reason, after_second = after_first.split(f"; {mirrors[1]}", 1)
    assert REASONS[first] in reason
    assert REASONS[second] in after_second
    assert "data_dir" in message
    assert "CNNLESSON_DATA" in message
    assert "\n" not in message
    assert held(cache) == []


def test_a_damaged_cache_is_fetched_anew(server, cache):
    server.mirrors("good", "good")
    write(cache, {f"{IMAGES}.gz": flip(IMG_GZ, 50), f"{LABELS}.gz": LAB_GZ[:10]})
    assert_tiny(load_digits("mnist"))
    assert {name: (cache / name).read_bytes() for name in held(cache)} == GZIPPED


def test_a_damaged_cache_without_network_is_an_error(cache):
    write(cache, {f"{IMAGES}.gz": flip(IMG_GZ, 50), f"{LABELS}.gz": LAB_GZ})
    with pytest.raises(ConnectionError, match=IMAGES):
        load_digits("mnist")


def test_an_interrupted_download_leaves_nothing(server, cache, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    server.mirrors("good", "good")
    monkeypatch.setattr(mnist.tqdm, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_digits("mnist")
    assert held(cache) == []


def test_a_download_killed_midway_is_not_used(server, cache):
    server.mirrors("stalled", "stalled")
    child = f"""
import pooch
from pathlib import Path
from cnnlesson import data
from cnnlesson._support import mnist
from cnnlesson._support.idx import IdxFile
pooch.os_cache = lambda _: Path({str(cache)!r})
mnist.MIRRORS = {mnist.MIRRORS!r}
mnist.MNIST = {mnist.MNIST!r}
data.load_digits("mnist")
"""
    with subprocess.Popen([sys.executable, "-c", child]) as process:
        assert server.half_sent.wait(60)
        process.kill()
    server.released.set()
    assert not {f"{IMAGES}.gz", f"{LABELS}.gz"} & set(held(cache))

    server.mirrors("good", "good")
    assert_tiny(load_digits("mnist"))


def test_no_network_is_one_clear_error():
    with pytest.raises(ConnectionError, match=f"^{IMAGES}.gz: expected") as caught:
        load_digits("mnist")
    message = str(caught.value)
    assert message.count("no answer") == 2
    assert all(mirror in message for mirror in mnist.MIRRORS)
    assert "0x" not in message  # no address of an object
    assert "data_dir" in message


def test_auto_without_network_warns_once_and_is_the_sample():
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded = load_digits()
        assert loaded.source == "sample"
        assert torch.equal(loaded.images, load_digits("sample").images)
        (warning,) = caught
        assert warning.category is UserWarning
        assert warning.filename == __file__  # the reader's line, not ours
        for word in ("8,000", "MNIST", "data_dir", "CNNLESSON_DATA", "no answer"):
            assert word in str(warning.message)


def test_a_fallback_writes_nothing_but_the_warning(capfd, monkeypatch):
    logged = logging.handlers.BufferingHandler(100)
    monkeypatch.setattr(pooch.get_logger(), "handlers", [logged])
    pooch.get_logger().setLevel(logging.INFO)
    with pytest.warns(UserWarning, match="8,000"):
        load_digits()
    assert capfd.readouterr() == ("", "")
    assert logged.buffer == []
    assert pooch.get_logger().level == logging.INFO  # as it was


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def refused():
    with pytest.raises(ConnectionError, match="Timeout"):
        load_digits("mnist")


def test_both_mirrors_are_given_up_within_ten_seconds():
    assert 2 * mnist.PATIENCE < 10


def test_a_silent_mirror_is_given_up(server, monkeypatch):
    monkeypatch.setattr(mnist, "PATIENCE", 0.2)
    server.mirrors("silent", "silent")
    assert seconds(refused) < 5  # the mirror itself would take 20 each


def test_a_name_that_is_looked_up_for_ever_is_given_up(monkeypatch):
    monkeypatch.setattr(mnist, "PATIENCE", 0.2)
    release = threading.Event()

    def look_up(*_, **__):
        release.wait(20)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(mnist, "MIRRORS", ("http://a.invalid/", "http://b.invalid/"))
    assert seconds(refused) < 5  # the look-up itself would take 20 each
    release.set()


def test_the_progress_bar_names_the_file_and_goes(server, capsys, monkeypatch):
    monkeypatch.setattr(mnist, "tqdm", partial(mnist.tqdm, disable=False))  # even if bars are off
    server.mirrors("good", "good")
    load_digits("mnist")
    shown = capsys.readouterr().err
    assert f"{IMAGES}.gz" in shown
    assert shown.endswith("\r")

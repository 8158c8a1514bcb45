"""Digits in: what is loaded, every way in which it can be broken, and the download."""

import gzip
import hashlib
import io
import logging.handlers
import math
import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from sklearn import datasets

from cnnlesson._support import mnist
from cnnlesson._support.mnist import IdxFile
from cnnlesson.data import Digits, load_arrays, load_digits, standardize

PUBLISHED = mnist.MNIST

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
NUM = 5

pixels = np.random.default_rng(0).integers(0, 256, (NUM, 28, 28), dtype=np.uint8)
digits = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


def idx(array, kind=0x08):
    return (
        struct.pack(f">{1 + array.ndim}I", kind << 8 | array.ndim, *array.shape) + array.tobytes()
    )


CONTENT = {IMAGES: idx(pixels), LABELS: idx(digits)}
GZIPPED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in CONTENT.items()}
TINY = tuple(
    IdxFile(
        name,
        array.shape,
        hashlib.sha256(CONTENT[name]).hexdigest(),
        hashlib.sha256(GZIPPED[f"{name}.gz"]).hexdigest(),
    )
    for name, array in ((IMAGES, pixels), (LABELS, digits))
)


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


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def assert_tiny(loaded, source="mnist"):
    assert loaded.images.dtype == torch.float32
    assert loaded.images.shape == (NUM, 1, 28, 28)
    assert loaded.labels.dtype == torch.int64
    assert np.array_equal(loaded.images[:, 0].numpy(), pixels)
    assert loaded.labels.tolist() == digits.tolist()
    assert loaded.source == source


@contextmanager
def one_error(kind, file, expected, found):
    """Exactly one error, no warning beside it, that says which file, what should be, what is."""
    with warnings.catch_warnings(), pytest.raises(Exception) as caught:  # noqa: PT011, PT012
        warnings.simplefilter("error")
        yield
    error = caught.value
    assert type(error) is kind
    assert error.__suppress_context__ or error.__context__ is None
    message = str(error)
    assert "\n" not in message
    before, separator, after = message.partition("expected")
    assert separator
    assert file in before
    wanted, separator, got = after.partition("found")
    assert separator
    assert expected in wanted
    assert found in got


# What is loaded


def test_digits_unpack_and_have_a_short_repr():
    images, labels, source = Digits(torch.zeros(60_000, 1, 28, 28), torch.zeros(60_000), "mnist")
    assert images.shape == (60_000, 1, 28, 28)
    assert labels.shape == (60_000,)
    shown = repr(Digits(images, labels, source))
    assert shown == "Digits(60,000 images of 1×28×28, source='mnist')"


@pytest.mark.parametrize("source", ["mnist", "mnist-test"])
@pytest.mark.parametrize("files", [CONTENT, GZIPPED], ids=["plain", "gzipped"])
def test_a_folder_is_used_as_it_is(tmp_path, files, source):
    folder = write(tmp_path / "mine", files)
    before = sorted(tmp_path.rglob("*"))
    assert_tiny(load_digits(source, data_dir=folder), source)
    assert_tiny(load_digits(source, data_dir=str(folder)), source)
    assert sorted(tmp_path.rglob("*")) == before


def test_auto_prefers_the_folder_and_does_not_warn(tmp_path):
    folder = write(tmp_path / "mine", CONTENT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_tiny(load_digits(data_dir=folder))


def test_a_gzip_header_unlike_the_published_one_is_welcome(tmp_path):
    files = {f"{n}.gz": gzip.compress(c, 1, mtime=7) for n, c in CONTENT.items()}
    assert files != GZIPPED
    assert_tiny(load_digits("mnist", data_dir=write(tmp_path / "mine", files)))


def test_the_folder_may_be_relative_in_the_home_or_in_the_environment(monkeypatch, tmp_path):
    folder = write(tmp_path / "mine", CONTENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("mine", "./mine/", "~/mine", str(folder)):
        assert_tiny(load_digits("mnist", data_dir=name))
        monkeypatch.setenv("CNNLESSON_DATA", name)
        assert_tiny(load_digits("mnist"))
        monkeypatch.delenv("CNNLESSON_DATA")


def test_the_argument_comes_before_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNLESSON_DATA", str(tmp_path / "nothing here"))
    assert_tiny(load_digits("mnist", data_dir=write(tmp_path / "mine", CONTENT)))


@pytest.mark.parametrize("source", ["fashion", "MNIST", "", None, 3, ["mnist"]])
def test_an_unknown_source_is_refused(source):
    with one_error(ValueError, "source", "auto, mnist, mnist-test, sklearn", repr(source)):
        load_digits(source)


def test_sklearn_digits_are_those_of_sklearn_enlarged():
    small, labels = datasets.load_digits(return_X_y=True)
    images, loaded_labels, source = load_digits("sklearn")
    assert source == "sklearn"
    assert images.shape == (1797, 1, 28, 28)
    assert images.dtype == torch.float32
    assert loaded_labels.dtype == torch.int64
    assert np.array_equal(loaded_labels.numpy(), labels)
    assert images.min() == 0
    assert 250 < images.max() <= 255

    middle = images[:, 0, 4:24, 4:24]
    assert images.count_nonzero() == middle.count_nonzero()  # MNIST's frame of empty pixels
    # Bilinear enlargement, pixel centres at 2½ per original pixel, is the same matrix on each axis.
    centres = (np.arange(20) + 0.5) / 2.5 - 0.5
    weights = np.stack([np.interp(centres, np.arange(8), row) for row in np.eye(8)], axis=1)
    enlarged = weights @ small.reshape(-1, 8, 8) @ weights.T * 255 / 16
    np.testing.assert_allclose(middle, enlarged, atol=1e-4)
    assert torch.equal(images, load_digits("sklearn").images)


@pytest.fixture(scope="module")  # for it to come before the cache of a test's own
def real_mnist(request):
    """Return the folder with MNIST: a reader's own, or the cache."""
    if not request.config.has_mnist:
        pytest.skip("MNIST is not there")
    if folder := os.environ.get("CNNLESSON_DATA"):
        return mnist.expand(folder)
    load_digits("mnist")
    return Path(pooch.os_cache("cnnlesson"))


class TestRealMNIST:
    @pytest.fixture(autouse=True)
    def use_it(self, real_mnist, monkeypatch):
        monkeypatch.setattr(mnist, "MNIST", PUBLISHED)
        monkeypatch.setenv("CNNLESSON_DATA", str(real_mnist))
        self.folder = real_mnist

    def bytes_of(self, name, skip):
        plain = self.folder / name
        content = (
            plain.read_bytes()
            if plain.exists()
            else gzip.decompress(plain.with_name(f"{name}.gz").read_bytes())
        )
        return np.frombuffer(content, np.uint8)[skip:]

    def test_training_images(self):
        tracemalloc.start()
        images, labels, source = load_digits("auto")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert source == "mnist"
        assert images.shape == (60_000, 1, 28, 28)
        assert images.is_contiguous()
        assert np.array_equal(images.numpy().ravel(), self.bytes_of(IMAGES, 16))
        assert np.array_equal(labels.numpy(), self.bytes_of(LABELS, 8))
        counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        assert labels.bincount().tolist() == counts
        assert peak < images.nbytes * 1.26 + 2e6  # the result, and the bytes it is made of

        scaled = standardize(images)
        assert scaled.mean().item() == pytest.approx(0, abs=2e-4)
        assert scaled.std().item() == pytest.approx(1, abs=2e-4)

    def test_test_images(self):
        images, labels, source = load_digits("mnist-test")
        assert source == "mnist-test"
        assert np.array_equal(images.numpy().ravel(), self.bytes_of("t10k-images-idx3-ubyte", 16))
        assert np.array_equal(labels.numpy(), self.bytes_of("t10k-labels-idx1-ubyte", 8))
        assert labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]

    def test_one_flipped_bit_in_47_million_bytes(self, tmp_path):
        content = bytearray(struct.pack(">4I", 0x803, 60_000, 28, 28))
        content += self.bytes_of(IMAGES, 16).tobytes()
        content[30_000_000] ^= 1
        labels = struct.pack(">2I", 0x801, 60_000) + self.bytes_of(LABELS, 8).tobytes()
        folder = write(tmp_path / "mine", {IMAGES: content, LABELS: labels})
        with one_error(ValueError, IMAGES, "SHA-256 ba891046", "Fashion-MNIST"):
            load_digits("mnist", data_dir=folder)


def test_the_published_table_is_that_of_four_different_files():
    files = [file for part in PUBLISHED.values() for file in part]
    assert len({file.name for file in files}) == 4
    hashes = {h for file in files for h in (file.sha256, file.gzip_sha256)}
    assert len(hashes) == 8
    assert all(len(bytes.fromhex(h)) == 32 for h in hashes)


# Broken IDX files: the file, the name under which it lies, what is expected, what is found


def flip(content, position, bit=1):
    changed = bytearray(content)
    changed[position] ^= bit
    return bytes(changed)


def zipped(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


HTML = b"<!DOCTYPE html>\n<html><body>403 Forbidden</body></html>\n" * 20
IMG, LAB = CONTENT[IMAGES], CONTENT[LABELS]
IMG_GZ, LAB_GZ = GZIPPED[f"{IMAGES}.gz"], GZIPPED[f"{LABELS}.gz"]

BROKEN_CONTENT = {
    # name of the case: (file name, its content, expected, found)
    "a flipped bit in a pixel": (IMAGES, flip(IMG, 999), TINY[0].sha256, "damaged"),
    "a flipped bit in a label": (LABELS, flip(LAB, 9), TINY[1].sha256, "damaged"),
    "a label above 9": (LABELS, idx(digits + 10), TINY[1].sha256, "damaged"),
    "blank images": (IMAGES, idx(pixels * 0), TINY[0].sha256, "damaged"),
    "another data set": (IMAGES, idx(255 - pixels), TINY[0].sha256, "Fashion-MNIST"),
    "images in another order": (IMAGES, idx(pixels[::-1]), TINY[0].sha256, "damaged"),
    "labels in the images' place": (IMAGES, LAB + IMG, "0x00000803", "0x00000801"),
    "images in the labels' place": (LABELS, IMG, "0x00000801", "0x00000803"),
    "a wrong magic number": (IMAGES, flip(IMG, 3, 8), "0x00000803", "0x0000080b"),
    "signed bytes": (IMAGES, idx(pixels, 0x09), "0x00000803", "0x00000903"),
    "floats": (IMAGES, idx(pixels.astype(">f4"), 0x0D), "0x00000803", "0x00000d03"),
    "one axis too many": (IMAGES, idx(pixels[:, None]), "0x00000803", "0x00000804"),
    "little-endian": (IMAGES, struct.pack("<4I", 0x803, 5, 28, 28) + IMG[16:], "0x0000", "0x0308"),
    "no header": (IMAGES, IMG[16:], "0x00000803", repr(IMG[16:20])),
    "html instead of images": (IMAGES, HTML, "0x00000803", "b'<!DO'"),
    "html instead of labels": (LABELS, HTML, "0x00000801", "b'<!DO'"),
    "a git-lfs pointer": (IMAGES, b"version https://git-lfs.git", "0x00000803", "b'vers'"),
    "an array of numpy": (IMAGES, b"\x93NUMPY" + IMG, "0x00000803", r"b'\x93NUM'"),
    "too few images": (IMAGES, idx(pixels[:4]), "(5, 28, 28)", "(4, 28, 28)"),
    "the other part": (IMAGES, idx(np.tile(pixels, (2, 1, 1))), "(5, 28, 28)", "(10, 28, 28)"),
    "images of another size": (IMAGES, idx(pixels[:, :20]), "(5, 28, 28)", "(5, 20, 28)"),
    "too few labels": (LABELS, idx(digits[:4]), "(5,)", "(4,)"),
    "a size no file has": (LABELS, LAB[:4] + b"\xff" * 4, "(5,)", "(4294967295,)"),
    "an empty file": (IMAGES, b"", "16 bytes", "0 bytes"),
    "no labels at all": (LABELS, b"", "8 bytes", "0 bytes"),
    "truncated in the magic number": (IMAGES, IMG[:3], "16 bytes", "3 bytes"),
    "truncated in the header": (IMAGES, IMG[:15], "16 bytes", "15 bytes"),
    "truncated after the header": (IMAGES, IMG[:16], "3,936 bytes", "16"),
    "truncated by one byte": (IMAGES, IMG[:-1], "3,936 bytes", "3,935"),
    "truncated labels": (LABELS, LAB[:-2], "13 bytes", "11"),
    "a byte too many": (IMAGES, IMG + b"\0", "3,936 bytes", "more"),
    "a label too many": (LABELS, LAB + b"\1", "13 bytes", "more"),
    "the file twice": (IMAGES, IMG + IMG, "3,936 bytes", "more"),
    "newlines rewritten": (IMAGES, IMG.replace(b"\n", b"\r\n"), "3,936 bytes", "more"),
    "html named .gz": (f"{IMAGES}.gz", HTML, "gzip", "Not a gzipped file (b'<!')"),
    "a zip named .gz": (f"{IMAGES}.gz", zipped(IMAGES, IMG), "gzip", "(b'PK')"),
    "gzipped twice": (f"{IMAGES}.gz", gzip.compress(IMG_GZ), "0x00000803", "0x1f8b0800"),
    "an empty .gz": (f"{IMAGES}.gz", b"", "16 bytes", "0 bytes"),
    "nothing, gzipped": (f"{IMAGES}.gz", gzip.compress(b""), "16 bytes", "0 bytes"),
    "html, gzipped": (f"{LABELS}.gz", gzip.compress(HTML), "0x00000801", "b'<!DO'"),
    "a gzip header cut off": (f"{IMAGES}.gz", IMG_GZ[:5], "gzip", "ended before"),
    "a gzip stream cut off": (f"{IMAGES}.gz", IMG_GZ[:2000], "gzip", "ended before"),
    "a gzip checksum cut off": (f"{LABELS}.gz", LAB_GZ[:-8], "gzip", "ended before"),
    "a flipped bit in a gzip checksum": (f"{LABELS}.gz", flip(LAB_GZ, -8), "gzip", "CRC check"),
    "a wrong length in gzip": (f"{IMAGES}.gz", flip(IMG_GZ, -2), "gzip", "Incorrect length"),
    "garbage after gzip": (f"{IMAGES}.gz", IMG_GZ + b"junk", "gzip", "Not a gzipped file (b'ju')"),
    "a second gzip member": (f"{IMAGES}.gz", IMG_GZ + LAB_GZ, "3,936 bytes", "more"),
    "an unknown gzip method": (f"{IMAGES}.gz", flip(IMG_GZ, 2), "gzip", "Unknown compression"),
    "a broken deflate block": (f"{LABELS}.gz", flip(LAB_GZ, 10, 6), "gzip", "Error -3"),
    "a gzip bomb": (f"{LABELS}.gz", gzip.compress(LAB + bytes(10**6)), "13 bytes", "more"),
}


@pytest.mark.parametrize("source", ["mnist", "auto"])
@pytest.mark.parametrize("case", BROKEN_CONTENT)
def test_broken_idx_content(tmp_path, case, source):
    name, content, expected, found = BROKEN_CONTENT[case]
    intact = {n: c for n, c in CONTENT.items() if not name.startswith(n)}
    folder = write(tmp_path / "mine", {**intact, name: content})
    with one_error(ValueError, str(folder / name), expected, found):
        load_digits(source, data_dir=folder)


@pytest.mark.parametrize("by_environment", [False, True], ids=["argument", "environment"])
@pytest.mark.parametrize("source", ["mnist", "auto"])
class TestFilesThatAreNotThere:
    @pytest.fixture
    def load(self, monkeypatch, source, by_environment):
        def load(folder):
            if not by_environment:
                return load_digits(source, data_dir=folder)
            monkeypatch.setenv("CNNLESSON_DATA", str(folder))
            return load_digits(source)

        return load

    def test_no_images(self, tmp_path, load):
        folder = write(tmp_path / "mine", {LABELS: LAB})
        with one_error(FileNotFoundError, str(folder), f"{IMAGES} or {IMAGES}.gz", LABELS):
            load(folder)

    def test_no_labels(self, tmp_path, load):
        folder = write(tmp_path / "mine", {f"{IMAGES}.gz": IMG_GZ})
        with one_error(FileNotFoundError, str(folder), f"{LABELS} or {LABELS}.gz", IMAGES):
            load(folder)

    def test_a_crowded_folder(self, tmp_path, load):
        folder = write(tmp_path / "mine", {f"{i:03}.png": b"" for i in range(200)})
        with one_error(FileNotFoundError, str(folder), IMAGES, "006.png, 007.png, …"):
            load(folder)

    def test_an_empty_folder(self, tmp_path, load):
        with one_error(FileNotFoundError, "mine", IMAGES, "an empty folder"):
            load(write(tmp_path / "mine", {}))

    def test_no_folder(self, tmp_path, load):
        with one_error(FileNotFoundError, "mine", f"a folder with {IMAGES}", "No such file"):
            load(tmp_path / "mine")

    def test_an_unknown_home(self, load):
        with one_error(FileNotFoundError, "~nobody-here/mine", "a folder", "No such file"):
            load("~nobody-here/mine")

    def test_a_file_in_the_folders_place(self, tmp_path, load):
        (tmp_path / "mine").write_bytes(IMG)
        with one_error(NotADirectoryError, "mine", f"a folder with {IMAGES}", "Not a directory"):
            load(tmp_path / "mine")

    @pytest.mark.parametrize("ending", ["", ".gz"])
    def test_a_folder_in_the_files_place(self, tmp_path, load, ending):
        (tmp_path / "mine" / (IMAGES + ending)).mkdir(parents=True)
        write(tmp_path / "mine", {LABELS: LAB})
        with one_error(IsADirectoryError, IMAGES + ending, "a readable file", "Is a directory"):
            load(tmp_path / "mine")

    def test_a_link_to_nothing(self, tmp_path, load):
        (write(tmp_path / "mine", {LABELS: LAB}) / IMAGES).symlink_to(tmp_path / "gone")
        with one_error(FileNotFoundError, IMAGES, "a readable file", "No such file"):
            load(tmp_path / "mine")

    def test_a_file_one_may_not_read(self, tmp_path, load, monkeypatch):
        def refuse(path, *_):
            raise PermissionError(13, "Permission denied", str(path))

        folder = write(tmp_path / "mine", CONTENT)
        monkeypatch.setattr(Path, "open", refuse)
        with one_error(PermissionError, LABELS, "a readable file", "Permission denied"):
            load(folder)

    def test_a_folder_one_may_not_list(self, tmp_path, load, monkeypatch):
        def refuse(path):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "iterdir", refuse)
        with one_error(PermissionError, "mine", f"a folder with {IMAGES}", "Permission denied"):
            load(tmp_path / "mine")

    def test_a_disk_that_fails(self, tmp_path, load, monkeypatch):
        def fail(path, *_):
            raise OSError("the disk is gone")

        folder = write(tmp_path / "mine", CONTENT)
        monkeypatch.setattr(Path, "open", fail)
        with one_error(OSError, LABELS, "a readable file", "the disk is gone"):
            load(folder)


def test_a_gzip_bomb_is_never_unpacked(tmp_path):
    bomb = gzip.compress(bytes(3 * 10**7), 1)
    folder = write(tmp_path / "mine", {f"{IMAGES}.gz": bomb, LABELS: LAB})
    tracemalloc.start()
    with one_error(ValueError, IMAGES, "0x00000803", "0x00000000"):
        load_digits("mnist", data_dir=folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6


anywhere = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def gzip_content(stream):
    try:
        return gzip.decompress(stream)
    except (OSError, EOFError, zlib.error):
        return None


@anywhere
@given(
    name=st.sampled_from([*CONTENT, *GZIPPED]),
    position=st.integers(0, 10**6),
    bit=st.integers(1, 255),
)
def test_a_changed_byte_anywhere_is_noticed(tmp_path, name, position, bit):
    files = {**CONTENT, **GZIPPED}
    del files[name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"]
    files[name] = flip(files[name], position % len(files[name]), bit)
    folder = tmp_path / "mine"
    for old in folder.glob("*"):
        old.unlink()
    write(folder, files)
    if name.endswith(".gz") and gzip_content(files[name]) == CONTENT[name.removesuffix(".gz")]:
        assert_tiny(load_digits("mnist", data_dir=folder))  # only the date changed, say
    else:
        with one_error(ValueError, str(folder / name), "", ""):
            load_digits("mnist", data_dir=folder)


# The user's own arrays


def save(folder, images=pixels, labels=digits):
    paths = folder / "images_array.npy", folder / "labels_array.npy"
    for path, content in zip(paths, (images, labels), strict=True):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content, allow_pickle=True)
    return paths


REAL_DTYPES = (
    "uint8 uint16 >i2 int16 <i4 >i4 uint32 int64 >i8 uint64 float16 >f2 float32 >f4 float64 >f8"
)


@pytest.mark.parametrize("dtype", [*REAL_DTYPES.split(), "longdouble"])
@pytest.mark.parametrize("shape", [(784,), (28, 28), (1, 28, 28)], ids=str)
def test_arrays_of_every_real_dtype_and_shape(tmp_path, dtype, shape):
    images = pixels.reshape(-1, *shape).astype(dtype)
    loaded = load_arrays(*save(tmp_path, images, digits.astype(dtype)))
    assert_tiny(loaded, "arrays")
    assert loaded.images.is_contiguous()
    loaded.images.add_(1)  # writable, and not the file
    assert np.array_equal(np.load(tmp_path / "images_array.npy"), images)


def test_arrays_in_fortran_order_column_labels_and_paths_as_text(tmp_path, monkeypatch):
    paths = save(tmp_path, np.asfortranarray(pixels), digits[:, None].astype(float))
    assert_tiny(load_arrays(*map(str, paths)), "arrays")
    monkeypatch.chdir(tmp_path)
    assert_tiny(load_arrays("images_array.npy", "labels_array.npy"), "arrays")


def test_float_pixels_between_whole_numbers_are_kept(tmp_path):
    images = np.random.default_rng(1).uniform(0, 255, (NUM, 784))
    loaded = load_arrays(*save(tmp_path, images)).images
    assert np.array_equal(loaded.numpy().reshape(NUM, 784), images.astype(np.float32))


def test_blank_images_are_not_mistaken_for_scaled_ones(tmp_path):
    assert load_arrays(*save(tmp_path, pixels * 0.0)).images.sum() == 0
    assert load_arrays(*save(tmp_path, pixels // 128)).images.max() == 1  # whole numbers


def npz():
    buffer = io.BytesIO()
    np.savez(buffer, images=pixels)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def claiming(shape):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return buffer.getvalue()


overlong = b"\x93NUMPY\2\0" + struct.pack("<I", 20_000) + b" " * 20_000


def torch_file():
    buffer = io.BytesIO()
    torch.save(torch.zeros(2), buffer)
    return buffer.getvalue()


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was loaded",))


def with_value(value, array=pixels, dtype=np.float64):
    changed = array.astype(dtype)
    changed.flat[3] = value
    return changed


ragged = np.array([[1, 2], [3]], dtype=object)
fields = np.zeros(NUM, dtype=[("image", "u1", (28, 28)), ("label", "i8")])

BROKEN_IMAGES = {
    "empty": (b"", ".npy", "got 0"),
    "text": (b"0 0 0 255 0 0\n" * 9, ".npy", "b'0 0 0 "),
    "csv": (b"label,pixel0,pixel1\n5,0,0\n", ".npy", "b'label,"),
    "html": (HTML, ".npy", "b'<!DOCT'"),
    "npz": (npz(), ".npy", "PK"),
    "a torch file": (torch_file(), ".npy", "PK"),
    "a pickle": (pickle.dumps(pixels), ".npy", r"b'\x80"),
    "a pickle that runs code": (pickle.dumps(Bomb()), ".npy", r"b'\x80"),
    "gzipped npy": (gzip.compress(npy(pixels)), ".npy", r"\x1f\x8b"),
    "an IDX file": (IMG, ".npy", r"\x08\x03"),
    "objects": (ragged, ".npy", "Python objects"),
    "pickled objects": (np.array([Bomb()] * NUM), ".npy", "Python objects"),
    "truncated in the magic": (npy(pixels)[:5], ".npy", "got 5"),
    "truncated in the header": (npy(pixels)[:40], ".npy", "EOF"),
    "truncated after the header": (npy(pixels)[:128], ".npy", "mmap length"),
    "truncated by one byte": (npy(pixels)[:-1], ".npy", "mmap length"),
    "an unknown version": (flip(npy(pixels), 6, 8), ".npy", "format version"),
    "a broken header": (flip(npy(pixels), 10, 1), ".npy", "NumPy cannot read"),
    "an overlong header": (overlong, ".npy", "is large and may not be safe"),
    "a header larger than the file": (claiming((10**13, 784)), ".npy", "mmap length"),
    "a header larger than memory": (claiming((10**30, 784)), ".npy", ""),
    "a negative size": (claiming((-5, 784)), ".npy", ""),
    "two arrays in one file": (npy(pixels) * 2, "4,048 bytes", "8,096"),
    "a trailing byte": (npy(pixels) + b"\n", "4,048 bytes", "4,049"),
    "complex": (pixels.astype(complex), "real numbers", "complex128"),
    "booleans": (pixels > 9, "real numbers", "bool"),
    "strings": (pixels.astype(str), "real numbers", "<U3"),
    "bytes": (pixels.astype("S3"), "real numbers", "|S3"),
    "dates": (pixels.astype("M8[D]"), "real numbers", "datetime64"),
    "durations": (pixels.astype("m8[s]"), "real numbers", "timedelta64"),
    "fields": (fields, "real numbers", "image"),
    "NaN": (with_value(np.nan), "[0, 255]", "nan"),
    "NaN as float32": (with_value(np.nan, dtype="f4"), "[0, 255]", "nan"),
    "NaN as float16": (with_value(np.nan, dtype="f2"), "[0, 255]", "nan"),
    "all NaN": (pixels * np.nan, "[0, 255]", "nan"),
    "infinity": (with_value(np.inf), "[0, 255]", "to inf"),
    "minus infinity": (with_value(-np.inf), "[0, 255]", "from -inf"),
    "negative": (with_value(-1, dtype="i2"), "[0, 255]", "from -1"),
    "above 255": (with_value(256, dtype="i2"), "[0, 255]", "to 256"),
    "a little above 255": (with_value(255.001), "[0, 255]", "to 255.001"),
    "enormous": (with_value(2**63, dtype="u8"), "[0, 255]", "to 9223372036854775808"),
    "scaled to [0, 1]": (pixels / 255, "[0, 255]", "scaled already"),
    "scaled to half": (pixels.astype("f4") / 510, "[0, 255]", "multiply by 255"),
    "standardised": ((pixels / 255 - 0.1307) / 0.3081, "[0, 255]", "from -0.42"),
    "a number": (np.array(7), "(n, 784)", "shape ()"),
    "a vector": (pixels.ravel(), "(n, 28, 28)", "shape (3920,)"),
    "one image alone": (pixels[0], "(n, 28, 28)", "shape (28, 28)"),
    "no images": (pixels[:0], "n at least 1", "shape (0, 28, 28)"),
    "a column too few": (pixels.reshape(NUM, 784)[:, 1:], "(n, 784)", "(5, 783)"),
    "transposed": (pixels.reshape(NUM, 784).T, "(n, 784)", "(784, 5)"),
    "three channels": (pixels[:, None].repeat(3, 1), "(n, 1, 28, 28)", "(5, 3, 28, 28)"),
    "images of 8×8": (pixels[:, :8, :8], "(n, 28, 28)", "(5, 8, 8)"),
    "labels instead": (digits, "(n, 784)", "shape (5,)"),
}

BROKEN_LABELS = {
    "empty": (b"", ".npy", "got 0"),
    "text": (b"5 0 4 1 9\n", ".npy", "b'5 0 4"),
    "objects": (ragged, ".npy", "Python objects"),
    "truncated": (npy(digits)[:-3], ".npy", "mmap length"),
    "strings": (digits.astype(str), "real numbers", "<U3"),
    "booleans": (digits > 3, "real numbers", "bool"),
    "one label short": (digits[:-1], "5 labels", "(4,)"),
    "one label over": (np.append(digits, 9), "5 labels", "(6,)"),
    "none": (digits[:0], "5 labels", "(0,)"),
    "a number": (np.array(5), "5 labels", "shape ()"),
    "a row": (digits[None], "5 labels", "(1, 5)"),
    "images instead": (pixels, "5 labels", "(5, 28, 28)"),
    "ten": (with_value(10, digits, "i8"), "0 to 9", "10 (1 of 5"),
    "minus one": (with_value(-1, digits, "i8"), "0 to 9", "-1 (1 of 5"),
    "255 for minus one": (with_value(255, digits, "u1"), "0 to 9", "255"),
    "enormous": (with_value(2**64 - 1, digits, "u8"), "0 to 9", "18446744073709551615"),
    "a half": (with_value(3.5, digits), "whole numbers", "3.5"),
    "nearly whole": (with_value(3 + 1e-9, digits), "whole numbers", "3.000000001"),
    "NaN": (with_value(np.nan, digits), "whole numbers", "nan"),
    "infinity": (with_value(np.inf, digits), "whole numbers", "inf"),
    "letters as numbers": (digits + 97, "0 to 9", "100 (5 of 5"),
}


@pytest.mark.parametrize("case", BROKEN_IMAGES)
def test_broken_image_arrays(tmp_path, case):
    content, expected, found = BROKEN_IMAGES[case]
    paths = save(tmp_path, images=content)
    with one_error(ValueError, str(paths[0]), expected, found):
        load_arrays(*paths)


@pytest.mark.parametrize("case", BROKEN_LABELS)
def test_broken_label_arrays(tmp_path, case):
    content, expected, found = BROKEN_LABELS[case]
    paths = save(tmp_path, labels=content)
    with one_error(ValueError, str(paths[1]), expected, found):
        load_arrays(*paths)


@pytest.mark.parametrize("broken", [0, 1], ids=["images", "labels"])
def test_array_files_that_are_not_there(tmp_path, broken):
    paths = save(tmp_path)
    paths[broken].unlink()
    with one_error(FileNotFoundError, str(paths[broken]), "a readable file", "No such file"):
        load_arrays(*paths)
    paths[broken].mkdir()
    with one_error(IsADirectoryError, str(paths[broken]), "a readable file", "Is a directory"):
        load_arrays(*paths)


def readable(content):
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception:
        return False
    return array.dtype == np.uint8 and array.shape == pixels.shape


@anywhere
@given(position=st.integers(0, 200), byte=st.integers(0, 255), length=st.integers(0, 4048))
def test_a_damaged_npy_never_shows_numpys_insides(tmp_path, position, byte, length):
    content = bytearray(npy(pixels))
    content[position] = byte
    for damaged in (bytes(content), bytes(content[:length])):
        paths = save(tmp_path, images=damaged)
        if readable(damaged):
            assert load_arrays(*paths).images.shape == (NUM, 1, 28, 28)
        else:
            with one_error(ValueError, str(paths[0]), "", ""):
                load_arrays(*paths)


# standardize


@given(st.integers(0, 2**32 - 1), st.sampled_from([(1,), (3, 1, 28, 28), (28, 28), (2, 784)]))
def test_standardize_is_the_published_formula(seed, shape):
    images = torch.from_numpy(
        np.random.default_rng(seed).uniform(1.01, 255, shape).astype(np.float32)
    )
    before = images.clone()
    scaled = standardize(images)
    assert scaled.dtype == torch.float32
    assert scaled.shape == images.shape
    assert torch.equal(images, before)
    exact = (images.double().numpy() / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(scaled, exact, atol=1e-6)


def test_standardize_at_its_ends():
    ends = standardize(torch.tensor([0.0, 255.0]))
    assert ends.tolist() == pytest.approx([-0.4242129, 2.8214867], abs=1e-6)
    assert standardize(torch.zeros(2, 1, 28, 28)).unique().numel() == 1  # blank is not scaled
    assert standardize(torch.zeros(0, 1, 28, 28)).shape == (0, 1, 28, 28)


def test_standardize_passes_gradients():
    images = torch.full((1, 1, 28, 28), 128.0, requires_grad=True)
    standardize(images).sum().backward()
    assert images.grad.unique().tolist() == pytest.approx([1 / 255 / 0.3081])


BROKEN_TENSORS = {
    "bytes": (torch.zeros(2, dtype=torch.uint8), "float32", "torch.uint8"),
    "double": (torch.zeros(2, dtype=torch.float64), "float32", "torch.float64"),
    "half": (torch.zeros(2, dtype=torch.float16), "float32", "torch.float16"),
    "a numpy array": (np.zeros(2, np.float64), "float32 tensor", "float64"),
    "a list": ([0.0, 255.0], "float32 tensor", "list"),
    "NaN": (torch.tensor([0, math.nan, 255]), "[0, 255]", "nan"),
    "infinity": (torch.tensor([0, math.inf]), "[0, 255]", "inf"),
    "negative": (torch.tensor([-0.5, 200]), "[0, 255]", "-0.5"),
    "above 255": (torch.tensor([0, 256.0]), "[0, 255]", "256"),
    "in [0, 1]": (torch.tensor([0, 0.25, 1.0]), "[0, 255]", "scaled already"),
    "standardised before": (standardize(torch.tensor([0.0, 255])), "[0, 255]", "-0.42"),
}


@pytest.mark.parametrize("case", BROKEN_TENSORS)
def test_standardize_refuses(case):
    images, expected, found = BROKEN_TENSORS[case]
    with one_error(ValueError, "images", expected, found):
        standardize(images)


# The download


class Mirror(BaseHTTPRequestHandler):
    """A mirror whose first folder says how it behaves."""

    protocol_version = "HTTP/1.0"
    asked: list[str]
    half_sent: threading.Event
    released: threading.Event

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.asked.append(self.path)
        self.answer(with_body=True)

    def answer(self, with_body):
        _, behaviour, name = self.path.split("/")
        content = GZIPPED[name]
        claimed = len(content)
        status = int(behaviour) if behaviour.isdigit() else 200
        if behaviour == "damaged":
            content = flip(content, 20)
        elif behaviour == "truncated":
            content = content[: len(content) // 2]
        elif behaviour == "html" or status != 200:
            content = HTML
            claimed = len(HTML)
        elif behaviour == "labels-missing" and name.startswith(LABELS):
            status, content, claimed = 404, b"", 0
        elif behaviour == "silent":
            self.released.wait(20)
            return
        self.send_response(status)
        self.send_header("Content-Length", str(claimed))
        self.end_headers()
        if not with_body:
            return
        if behaviour == "stalled":
            self.wfile.write(content[:100])
            self.wfile.flush()
            self.half_sent.set()
            self.released.wait(20)
            return
        self.wfile.write(content)

    def log_message(self, *_):
        pass


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
from cnnlesson._support.mnist import IdxFile
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


def test_auto_without_network_warns_once_and_is_sklearn():
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded = load_digits()
        assert loaded.source == "sklearn"
        assert torch.equal(loaded.images, load_digits("sklearn").images)
        (warning,) = caught
        assert warning.category is UserWarning
        assert warning.filename == __file__  # the reader's line, not ours
        for word in ("scikit-learn", "MNIST", "data_dir", "CNNLESSON_DATA", "no answer"):
            assert word in str(warning.message)


def test_a_fallback_writes_nothing_but_the_warning(capfd, monkeypatch):
    logged = logging.handlers.BufferingHandler(100)
    monkeypatch.setattr(pooch.get_logger(), "handlers", [logged])
    pooch.get_logger().setLevel(logging.INFO)
    with pytest.warns(UserWarning, match="scikit-learn"):
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

"""MNIST itself, if it is there: a reader's own files, or the cache."""

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pooch
import pytest
from tiny_mnist import IMAGES, LABELS, one_error, write

from cnnlesson._support import mnist
from cnnlesson.data import load_digits, standardize

PUBLISHED = mnist.MNIST


@pytest.fixture(scope="module")  # for it to come before the cache of a test's own
def real_mnist(request):
    """Return the folder with MNIST: a reader's own, or the cache."""
    if not request.config.has_mnist:
        pytest.skip("MNIST is not there")
    if folder := os.environ.get("CNNLESSON_DATA"):
        return mnist.expand("CNNLESSON_DATA", folder)
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

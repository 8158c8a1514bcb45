"""The digits that come with the package: MNIST's own, and those of a measured training."""

import gzip
import warnings

import numpy as np
import pytest
import torch
from tiny_mnist import one_error

from cnnlesson import load_digits
from cnnlesson._support.sample import NUM_TEST, NUM_TRAIN, SAMPLE, pack, read_sample


def test_it_is_small_intact_and_loaded_as_mnist_is():
    assert SAMPLE.stat().st_size < 1_400_000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images, labels, source = load_digits("sample")  # its checksum is verified
    assert source == "sample"
    assert images.shape == (NUM_TRAIN + NUM_TEST, 1, 28, 28)
    assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
    assert (images.min(), images.max()) == (0, 255)
    assert set(labels.tolist()) == set(range(10))
    assert images.mean() / 255 == pytest.approx(0.1307, abs=1e-3)  # MNIST's


@pytest.mark.parametrize("damage", ["cut", "altered", "no gzip", "other digits"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    content = bytearray(SAMPLE.read_bytes())
    if damage == "cut":
        del content[-1000:]
    elif damage == "altered":
        content[100_000] ^= 1
    elif damage == "no gzip":
        content[0] = 0
    else:
        content = pack(np.zeros((8000, 28, 28), np.uint8), np.zeros(8000, np.uint8))
        assert len(gzip.decompress(content)) == 8000 * 785
    path = tmp_path / "sample.gz"
    path.write_bytes(content)
    with one_error(ValueError, str(path), "the sample of MNIST", "install the package again"):
        read_sample(path)


def test_a_missing_file_is_named(tmp_path):
    with one_error(
        FileNotFoundError, str(tmp_path / "gone"), "the sample of MNIST", "No such file"
    ):
        read_sample(tmp_path / "gone")

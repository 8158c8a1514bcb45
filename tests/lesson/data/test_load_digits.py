"""What is loaded, and from where."""

import gzip
import warnings

import numpy as np
import pytest
import torch
from sklearn import datasets
from tiny_mnist import CONTENT, GZIPPED, assert_tiny, one_error, write

from cnnlesson.data import Digits, load_digits


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
    with one_error(ValueError, "source", "auto, mnist, mnist-test, sample, sklearn", repr(source)):
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

"""A reader's own arrays: what is welcome."""

import numpy as np
import pytest
from tiny_mnist import NUM, assert_tiny, digits, pixels, save

from cnnlesson.data import load_arrays

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

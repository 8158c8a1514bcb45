"""An MNIST of five images, as files and as arrays, and what a test says of what was loaded."""

import gzip
import hashlib
import struct
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

from cnnlesson._support.idx import IdxFile

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


def flip(content, position, bit=1):
    changed = bytearray(content)
    changed[position] ^= bit
    return bytes(changed)


HTML = b"<!DOCTYPE html>\n<html><body>403 Forbidden</body></html>\n" * 20
IMG, LAB = CONTENT[IMAGES], CONTENT[LABELS]
IMG_GZ, LAB_GZ = GZIPPED[f"{IMAGES}.gz"], GZIPPED[f"{LABELS}.gz"]


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


def save(folder, images=pixels, labels=digits):
    paths = folder / "images_array.npy", folder / "labels_array.npy"
    for path, content in zip(paths, (images, labels), strict=True):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content, allow_pickle=True)
    return paths


anywhere = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

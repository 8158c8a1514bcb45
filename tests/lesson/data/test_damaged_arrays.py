"""A reader's own arrays: what is refused, and in which words."""

import gzip
import io
import pickle
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from tiny_mnist import HTML, IMG, NUM, anywhere, digits, flip, one_error, pixels, save

from cnnlesson.data import load_arrays


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

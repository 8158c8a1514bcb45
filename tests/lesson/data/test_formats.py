"""Digits as people have them: other folders, other names, other files; and what is not MNIST."""

import gzip
import hashlib
import io
import os
import re
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from cnnlesson._support import idx, memory, mnist
from cnnlesson._support.idx import IdxFile
from cnnlesson.data import load_arrays, load_digits

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
pixels = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
digits = np.array([*range(9), 1] * 2, dtype=np.uint8)


def packed(array):
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return header + array.tobytes()


CONTENT = {IMAGES: packed(pixels), LABELS: packed(digits)}
TINY = tuple(
    IdxFile(name, array.shape, hashlib.sha256(CONTENT[name]).hexdigest(), "")
    for name, array in ((IMAGES, pixels), (LABELS, digits))
)


@pytest.fixture(autouse=True)
def small_mnist(monkeypatch):
    monkeypatch.delenv("CNNLESSON_DATA", raising=False)
    monkeypatch.setattr(mnist, "MNIST", {"mnist": TINY, "mnist-test": TINY})


def dotted(name):
    return name.replace("-idx", ".idx")


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def check(loaded, source):
    assert loaded.source == source
    assert loaded.images.dtype == torch.float32
    assert loaded.images.shape == (20, 1, 28, 28)
    assert np.array_equal(loaded.images[:, 0].numpy(), pixels)
    assert loaded.labels.dtype == torch.int64
    assert loaded.labels.tolist() == digits.tolist()


# Folders of MNIST


PLACES = {"as it is": "", "torchvision's root": "MNIST/raw", "its MNIST folder": "raw"}
NAMES = {
    "published": lambda name, content: (f"{name}.gz", gzip.compress(content)),
    "unpacked": lambda name, content: (name, content),
    "dotted": lambda name, content: (dotted(name), content),
    "dotted and gzipped": lambda name, content: (f"{dotted(name)}.gz", gzip.compress(content)),
    "unpacked, but the name": lambda name, content: (f"{name}.gz", content),
    "dotted, unpacked but the name": lambda name, content: (f"{dotted(name)}.gz", content),
    "gzipped, but the name": lambda name, content: (name, gzip.compress(content)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("names", NAMES)
def test_mnist_is_read_wherever_and_however_programs_put_it(tmp_path, place, names):
    files = dict(NAMES[names](*file) for file in CONTENT.items())
    write(tmp_path / PLACES[place], files)
    before = sorted(tmp_path.rglob("*"))
    check(load_digits("mnist", data_dir=tmp_path), "mnist")
    assert sorted(tmp_path.rglob("*")) == before


def test_each_file_may_have_a_name_of_its_own_kind(tmp_path):
    write(tmp_path, {dotted(IMAGES): CONTENT[IMAGES]})
    write(tmp_path / "raw", {f"{LABELS}.gz": gzip.compress(CONTENT[LABELS])})
    check(load_digits(data_dir=tmp_path), "mnist")


def test_a_folder_of_the_files_name_beside_the_file(tmp_path):
    """As an archive on Kaggle unpacks."""
    for name, content in CONTENT.items():
        write(tmp_path, {dotted(name): content})
        write(tmp_path / name, {name: content})
    check(load_digits("mnist", data_dir=tmp_path), "mnist")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"mnist.npz": b""}, "mnist.npz; load_arrays reads mnist.npz"),
        ({"train.csv": b"", "a": b""}, "a, train.csv; load_arrays reads train.csv"),
        (
            {"emnist-digits-train-images-idx3-ubyte": b""},
            "emnist-digits-train-images-idx3-ubyte; EMNIST is another data set",
        ),
        ({"FashionMNIST": b""}, "FashionMNIST; Fashion-MNIST is another data set"),
    ],
)
def test_a_folder_without_mnist_says_what_is_there(tmp_path, files, found):
    expected = f"{tmp_path}: expected {IMAGES} or {IMAGES}.gz, found {found}"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(expected)}$"):
        load_digits("mnist", data_dir=write(tmp_path, files))


def test_a_file_in_the_folders_place_names_the_function_that_reads_it(tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match=r"Not a directory; load_arrays reads such a file"):
        load_digits("mnist", data_dir=tmp_path / "mnist.npz")


def test_a_file_of_mnist_in_the_place_of_its_folder_or_of_an_array(tmp_path):
    write(tmp_path, CONTENT)
    with pytest.raises(NotADirectoryError, match=r"; give the folder that the file is in$"):
        load_digits("mnist", data_dir=tmp_path / IMAGES)
    with pytest.raises(ValueError, match=r"^/.* one of MNIST's own files; load_digits reads them"):
        load_arrays(tmp_path / IMAGES, tmp_path / IMAGES)
    with pytest.raises(
        ValueError, match=r"^source: expected one of .*; a folder is given as data_"
    ):
        load_digits(str(tmp_path))


def test_what_is_no_path_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"^data_dir: expected a path, .* found int$"):
        load_digits("mnist", data_dir=3)
    with pytest.raises(TypeError, match=r"^images_path: expected a path, .* found NoneType$"):
        load_arrays(None)
    with pytest.raises(TypeError, match=r"^labels_path: expected a path, .* found ndarray$"):
        load_arrays(tmp_path / "a.npy", np.zeros(3))


# Files that are another data set's


def message_of(folder, images=CONTENT[IMAGES], labels=CONTENT[LABELS], ending=""):
    write(folder, {IMAGES + ending: images, LABELS + ending: labels})
    with pytest.raises(ValueError, match=r"^.*: expected ") as caught:
        load_digits("mnist", data_dir=folder)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_a_published_label_file_is_known_by_its_checksum(tmp_path, monkeypatch):
    others = gzip.compress(packed(digits[::-1].copy()), mtime=0)
    md5 = hashlib.md5(others).hexdigest()
    monkeypatch.setitem(idx.LABELS_MD5, md5, "Fashion-MNIST")
    message = message_of(tmp_path, packed(255 - pixels), others, ".gz")
    assert message.endswith("; this is a file of Fashion-MNIST, another data set")
    assert TINY[1].sha256 in message


def test_equally_frequent_labels_are_not_those_of_mnist(tmp_path):
    equal = np.arange(20, dtype=np.uint8) % 10
    message = message_of(tmp_path, packed(255 - pixels), packed(equal))
    assert "as in Fashion-MNIST, KMNIST and EMNIST, other data sets" in message


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("FashionMNIST/raw", "Fashion-MNIST"),
        ("fashion-mnist", "Fashion-MNIST"),
        ("fashion_mnist", "Fashion-MNIST"),
        ("KMNIST/raw", "KMNIST"),
        ("emnist", "EMNIST"),
    ],
)
def test_a_folder_that_names_another_data_set_is_believed(tmp_path, folder, name):
    message = message_of(tmp_path / folder, images=packed(255 - pixels))
    assert message.endswith(f"that of {name}, another data set, as its path says")
    check(load_digits("mnist", data_dir=write(tmp_path / folder, CONTENT)), "mnist")  # MNIST is it


def test_emnist_has_other_numbers_of_images(tmp_path):
    labels = struct.pack(">2I", 0x801, 240_000) + bytes(240_000)
    message = message_of(tmp_path, labels=labels)
    assert message.endswith("found (240000,), as in EMNIST, another data set")


def test_what_is_not_recognised_may_be_damaged(tmp_path):
    message = message_of(tmp_path, images=packed(255 - pixels))
    assert "damaged, or another data set's (Fashion-MNIST and KMNIST have the same file" in message


# Arrays


def npz(**members):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **members)
    return buffer.getvalue()


TEST = {"x_test": pixels[::-1], "y_test": digits[::-1]}
KERAS = npz(x_train=pixels, y_train=digits, **TEST)


def csv(header=True, label="label", at=0, first=0):
    table = pd.DataFrame(pixels.reshape(-1, 784))
    table.columns = [f"pixel{i + first}" for i in range(784)]
    table.insert(at, label, digits)
    return table.to_csv(index=False, header=header).encode()


FILES = {
    "Keras' mnist.npz": ("mnist.npz", KERAS),
    "its images of four axes": ("MNIST.NPZ", npz(x_train=pixels[..., None], y_train=digits)),
    "its labels one-hot": ("a.npz", npz(x_train=pixels, y_train=np.eye(10)[digits])),
    "Kaggle's train.csv": ("train.csv", csv()),
    "Kaggle's train.csv, quoted": ("t.csv", csv().replace(b"label", b'"label"')),
    "with a mark of byte order": ("t.csv", b"\xef\xbb\xbf" + csv()),
    "with the ends of lines of Windows": ("t.csv", csv().replace(b"\n", b"\r\n")),
    "mnist_train.csv": ("mnist_train.csv", csv(header=False)),
    "OpenML's, the label last": ("mnist.csv", csv(label="class", at=784, first=1)),
}


@pytest.mark.parametrize("case", FILES)
def test_one_file_with_images_and_labels(tmp_path, case):
    name, content = FILES[case]
    (tmp_path / name).write_bytes(content)
    check(load_arrays(tmp_path / name), "arrays")
    check(load_arrays(str(tmp_path / name)), "arrays")


def test_the_test_part_of_a_npz_file(tmp_path):
    (tmp_path / "mnist.npz").write_bytes(KERAS)
    images, labels, _ = load_arrays(tmp_path / "mnist.npz", part="test")
    assert np.array_equal(images[:, 0].numpy(), pixels[::-1])
    assert labels.tolist() == digits[::-1].tolist()


def saved(folder, images=pixels, labels=digits):
    paths = folder / "images.npy", folder / "labels.npy"
    np.save(paths[0], images)
    np.save(paths[1], labels)
    return paths


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28), (784,), (1, 28, 28)])
def test_the_axis_of_the_channel_may_be_last(tmp_path, shape):
    check(load_arrays(*saved(tmp_path, pixels.reshape(-1, *shape))), "arrays")


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8"])
def test_one_hot_labels(tmp_path, dtype):
    check(load_arrays(*saved(tmp_path, labels=np.eye(10, dtype=dtype)[digits])), "arrays")


NOT_ONE_HOT = {
    "two ones": np.eye(10)[digits] + np.eye(10)[digits[::-1]],
    "a two": 2 * np.eye(10)[digits],
    "none": np.zeros((20, 10)),
    "probabilities": np.full((20, 10), 0.1),
    "NaN": np.full((20, 10), np.nan),
    "minus": np.eye(10)[digits] - np.eye(10)[(digits + 1) % 10],
}


@pytest.mark.parametrize("case", NOT_ONE_HOT)
def test_ten_columns_that_are_not_one_hot(tmp_path, case):
    paths = saved(tmp_path, labels=NOT_ONE_HOT[case])
    message = f"expected 20 labels, one for each image in {paths[0]}, found shape (20, 10), not one"
    with pytest.raises(ValueError, match=re.escape(message)):
        load_arrays(*paths)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was loaded",))


def flipped(content):
    changed = bytearray(content)
    changed[100] ^= 255
    return bytes(changed)


def claiming(shape):
    """Return a .npz file whose first array claims more than it holds."""
    header, buffer = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x_train.npy", header.getvalue())
        archive.writestr("y_train.npy", header.getvalue())
    return buffer.getvalue()


def with_cell(content, cell):
    return content.replace(b",254,", b"," + cell + b",", 1)


objects = np.array([Bomb()] * 20)
BROKEN = {
    "empty": ("a.npz", b"", "an intact .npz archive", "not a zip file"),
    "cut off": ("a.npz", KERAS[:-30], "an intact .npz archive", "not a zip file"),
    "a flipped byte": ("a.npz", flipped(KERAS), "an intact array x_train", "NumPy cannot read"),
    "html": ("a.npz", b"<html>", "an intact .npz archive", "not a zip file"),
    "another npz": ("a.npz", npz(weights=pixels), "arrays x_train and y_train", "weights"),
    "one part only": ("a.npz", npz(**TEST), "the arrays x_train and y_train", "x_test, y_test"),
    "objects": ("a.npz", npz(x_train=objects, y_train=digits), "array x_train", "Object arrays"),
    "words": ("a.npz", npz(x_train=pixels.astype(str), y_train=digits), "real numbers", "<U3"),
    "too few labels": ("a.npz", npz(x_train=pixels, y_train=digits[1:]), "20 labels", "(19,)"),
    "CIFAR": (
        "a.npz",
        npz(x_train=pixels[:, None].repeat(3, 1), y_train=digits),
        "(n, 784)",
        "(20, 3",
    ),
    "scaled": ("a.npz", npz(x_train=pixels / 255, y_train=digits), "[0, 255]", "scaled already"),
    "less than it claims": ("a.npz", claiming((99, 28, 28)), "intact array x_train", "128 bytes"),
    "an empty table": ("a.csv", b"", "785 columns", "1"),
    "Kaggle's test.csv": (
        "test.csv",
        b",".join(b"pixel%d" % i for i in range(784)) + b"\n",
        "785 columns",
        "784, as without labels (Kaggle's test.csv has none",
    ),
    "semicolons": ("a.csv", csv().replace(b",", b";"), "785 columns", "1"),
    "no column of labels": ("a.csv", csv(label="digit"), "one column named label", "0"),
    "two of them": ("a.csv", csv().replace(b"pixel7,", b"class,"), "one column named label", "2"),
    "a word": ("a.csv", with_cell(csv(), b"ink"), "a table of numbers", "pandas cannot read"),
    "an empty cell": (
        *("a.csv", with_cell(csv(), b""), "a number in each cell"),
        "1 empty ones, the first in line 2; is the file cut short?",
    ),
    "a large number": ("a.csv", with_cell(csv(), b"256"), "[0, 255]", "to 256"),
    "a line too long": ("a.csv", csv() + b"1," * 790, "a table of numbers", "pandas cannot read"),
    "a line too short": ("a.csv", csv() + b"1,2\n", "a number in each cell", "783 empty ones"),
    "no lines": ("a.csv", csv().split(b"\n")[0], "n at least 1", "(0, 784)"),
    "a wrong label": ("a.csv", csv().replace(b"\n8,", b"\n18,"), "0 to 9", "18"),
    "bytes": ("a.csv", bytes(range(256)) * 20, "785 columns", ""),
    "an array": ("a.npy", b"", "the labels of", "none; only a .npz or .csv file holds both"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_one_file_that_does_not_hold_them(tmp_path, case):
    name, content, expected, found = BROKEN[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"expected .*found") as caught:
        load_arrays(tmp_path / name)
    message = str(caught.value)
    before, _, after = message.partition("found")
    assert "\n" not in message
    assert str(tmp_path / name) in message
    assert expected in before
    assert found in after


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_one_file_that_is_not_there(tmp_path, name):
    message = f"^{re.escape(str(tmp_path / name))}: expected a readable file, found: "
    with pytest.raises(FileNotFoundError, match=f"{message}No such file"):
        load_arrays(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match=f"{message}Is a directory"):
        load_arrays(tmp_path / name)


def test_a_part_is_one_of_a_npz_file(tmp_path):
    (tmp_path / "train.csv").write_bytes(csv())
    (tmp_path / "mnist.npz").write_bytes(KERAS)
    for given_paths, part in (
        ((tmp_path / "train.csv",), "test"),
        (saved(tmp_path), "test"),
        ((tmp_path / "mnist.npz",), "validation"),
    ):
        message = rf"^part: expected 'train', or 'test' for a .npz file alone, found '{part}' for"
        with pytest.raises(ValueError, match=message):
            load_arrays(*given_paths, part=part)


@pytest.mark.parametrize("name", ["mnist.npz", "train.csv"])
def test_one_file_given_twice_says_that_once_is_enough(tmp_path, name):
    (tmp_path / name).write_bytes(KERAS if name.endswith("npz") else csv())
    with pytest.raises(ValueError, match=r"is given alone: load_arrays\(path\)$"):
        load_arrays(tmp_path / name, tmp_path / name)


@given(st.sampled_from([KERAS, csv()]), st.integers(0, 10**6), st.binary(max_size=3))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_is_one_clear_error_or_harmless(tmp_path, content, position, patch):
    position %= len(content)
    path = tmp_path / ("a.npz" if content is KERAS else "a.csv")
    path.write_bytes(content[:position] + patch + content[position + len(patch) :])
    try:
        loaded = load_arrays(path)
    except ValueError as error:
        message = str(error)
    else:
        message = None
        assert loaded.images.shape[1:] == (1, 28, 28)
    assert message is None or re.match(rf"{re.escape(str(path))}: expected [^\n]*found", message)


# What may never end, and what does not fit


def finished_within(seconds, function):
    """Run a function in a thread, and fail if it does not end; return what it raises."""
    raised = []

    def run():
        try:
            function()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive()
    return raised[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("kind", ["idx", "idx.gz", "npy", "npz", "csv"])
def test_a_pipe_is_not_waited_for(tmp_path, kind):
    path = tmp_path / (LABELS + kind.removeprefix("idx") if "idx" in kind else f"a.{kind}")
    os.mkfifo(path)
    write(tmp_path, {IMAGES: CONTENT[IMAGES]})
    call = {
        "npy": lambda: load_arrays(path, path),
        "npz": lambda: load_arrays(path),
        "csv": lambda: load_arrays(path),
    }.get(kind, lambda: load_digits("mnist", data_dir=tmp_path))
    error = finished_within(5, call)
    assert type(error) is OSError
    assert str(error) == f"{path}: expected a file, found a pipe, which may never end"


def test_a_device_is_not_read():
    if not Path("/dev/zero").is_char_device():
        pytest.skip("there is no such device")
    error = finished_within(5, lambda: load_arrays("/dev/zero", "/dev/zero"))
    assert str(error).startswith("/dev/zero: expected a file, found a socket or a device")


def sparse(path, shape):
    """Write an array of zeros that takes no room on the disk."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        file.truncate(file.tell() + int(np.prod(shape)))
    return path


def test_images_that_do_not_fit_are_refused_before_they_are_read(tmp_path):
    path = sparse(tmp_path / "a.npy", (10**9, 28, 28))  # 784 GB, as float32 four times as much
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(MemoryError) as caught:
        load_arrays(path, path)
    assert time.perf_counter() - start < 2
    assert tracemalloc.get_traced_memory()[1] < 2e7
    tracemalloc.stop()
    assert re.fullmatch(
        rf"{re.escape(str(path))}: expected images that fit into memory, [\d.]+ GB, found 3136.0 "
        r"GB of them; save a part of them, and load that",
        str(caught.value),
    )


@pytest.mark.parametrize("name", ["a.npz", "a.csv"])
def test_one_file_that_does_not_fit(tmp_path, name, monkeypatch):
    monkeypatch.setattr(memory.os, "sysconf", lambda _: 100)  # 10,000 bytes
    (tmp_path / name).write_bytes(KERAS if name == "a.npz" else csv())
    with pytest.raises(MemoryError, match=f"{name}: expected images that fit into memory, 0.0 GB"):
        load_arrays(tmp_path / name)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (6 * 10**9, 6 * 10**9))
from cnnlesson import load_arrays
try:
    load_arrays(sys.argv[1], sys.argv[1])
except (MemoryError, OSError) as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="where memory can be limited so")
def test_a_process_with_less_memory_than_the_file_has_bytes(tmp_path):
    path = sparse(tmp_path / "a.npy", (10**7, 784))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=True
    )
    assert str(path) in done.stdout
    assert "expected" in done.stdout


# Threads


def test_many_threads_may_load_at_once(tmp_path):
    write(tmp_path, CONTENT)
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: load_digits("mnist", data_dir=tmp_path), range(32)))
    for one in loaded:
        check(one, "mnist")

"""Every way in which an MNIST file can be broken."""

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, strategies as st
from tiny_mnist import (
    CONTENT,
    GZIPPED,
    HTML,
    IMAGES,
    IMG,
    IMG_GZ,
    LAB,
    LAB_GZ,
    LABELS,
    TINY,
    anywhere,
    assert_tiny,
    digits,
    flip,
    idx,
    one_error,
    pixels,
    write,
)

from cnnlesson.data import load_digits


def zipped(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


# The file, the name under which it lies, what is expected, what is found
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


def test_a_gzip_bomb_is_never_unpacked(tmp_path):
    bomb = gzip.compress(bytes(3 * 10**7), 1)
    folder = write(tmp_path / "mine", {f"{IMAGES}.gz": bomb, LABELS: LAB})
    tracemalloc.start()
    with one_error(ValueError, IMAGES, "0x00000803", "0x00000000"):
        load_digits("mnist", data_dir=folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6


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

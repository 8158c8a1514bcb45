"""Eight thousand of MNIST's digits, which travel with the package and into the book's page.

They are those that a measured training of 6,000 images meets on the whole of MNIST, in its order,
and then those that it is tested on. So the same settings give the same training with either.

MNIST is the work of Yann LeCun, Corinna Cortes and Christopher J. C. Burges, and available under
the terms of the Creative Commons Attribution-Share Alike 3.0 licence; see ``LICENSE-DIGITS``.

The file is written by this, whose last line says the checksum that stands below and in the page's
script:

    python -m cnnlesson._support.sample
"""

import argparse
import gzip
import sys
import zlib
from pathlib import Path

import numpy as np

from cnnlesson._support.files import unreadable
from cnnlesson._support.mnist import read_mnist

__all__ = ["NUM_TEST", "NUM_TRAIN", "SAMPLE", "pack", "read_sample"]

SAMPLE = Path(__file__).parent / "mnist_sample.gz"
NUM_TRAIN, NUM_TEST = 6000, 2000
_PIXELS = 28 * 28
_CHECKSUM = 0x5AABDBA3  # CRC-32 of what is in it


def pack(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Return the file: all pixels, a byte each, then all labels, a byte each; compressed.

    Parameters
    ----------
    images : numpy.ndarray, shape (8000, 28, 28), uint8
        First those to train on, then those to test on.
    labels : numpy.ndarray, shape (8000,), uint8
        Digits, 0 to 9.

    Returns
    -------
    bytes
        The same for the same digits.
    """
    return gzip.compress(images.tobytes() + labels.tobytes(), 9, mtime=0)


def read_sample(path: Path = SAMPLE) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and labels.

    Parameters
    ----------
    path : pathlib.Path, optional
        The file; by default the one that came with the package.

    Returns
    -------
    images : numpy.ndarray, shape (8000, 28, 28), uint8
    labels : numpy.ndarray, shape (8000,), uint8

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not the one that came with the package.
    """
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise unreadable(path, "the sample of MNIST", error) from None
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(_unlike(path, str(error))) from None
    if zlib.crc32(content) != _CHECKSUM:
        raise ValueError(_unlike(path, f"{len(content):,} bytes with another checksum"))
    n = NUM_TRAIN + NUM_TEST
    pixels = np.frombuffer(content, np.uint8, n * _PIXELS).reshape(n, 28, 28)
    return pixels, np.frombuffer(content, np.uint8, n, n * _PIXELS)


def _unlike(path: Path, found: str) -> str:
    return (
        f"{path}: expected the sample of MNIST that came with the package, found: {found}; "
        "install the package again"
    )


def _choose(labels: np.ndarray) -> np.ndarray:
    """Return the places of the sample's digits in MNIST, those to train on first.

    Parameters
    ----------
    labels : numpy.ndarray, shape (60000,)
        Labels of MNIST's training images.

    Returns
    -------
    numpy.ndarray, shape (8000,)
        Indices.
    """
    # Imported here: whoever reads the sample has no need of it.
    from sklearn.model_selection import train_test_split

    # As a measured training splits MNIST: see cnnlesson/experiments/images.py.
    train, test = train_test_split(np.arange(len(labels)), train_size=0.7, random_state=0)
    return np.concatenate([train[:NUM_TRAIN], test[:NUM_TEST]])


def main() -> None:
    """Write the file from MNIST's verified files, and say its checksum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="MNIST's four files; by default the user's cache")
    images, labels = read_mnist("mnist", parser.parse_args().folder)
    chosen = _choose(labels)
    packed = pack(images[chosen], labels[chosen])
    SAMPLE.write_bytes(packed)
    checksum = zlib.crc32(gzip.decompress(packed))
    sys.stdout.write(f"{SAMPLE}: {len(packed):,} bytes, CRC-32 of the digits {checksum:#010x}\n")


if __name__ == "__main__":
    main()

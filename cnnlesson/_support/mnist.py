"""MNIST from a folder or from the network: found, or fetched, and verified.

References
----------
Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
"""

import logging
import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import numpy as np
import pooch
from tqdm.auto import tqdm

from cnnlesson._support.files import AnyPath, expand, unreadable
from cnnlesson._support.idx import IdxFile, data_set_named_in, read_idx

__all__ = ["MNIST", "read_mnist"]

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
PATIENCE = 4.0  # seconds until a mirror that says nothing is given up
# A mirror that has begun is given up when it sends less than LEAST bytes in LULL seconds: a line of
# 50 kB/s gets MNIST in four minutes, one that is slower than 8 kB/s does not.
LULL, LEAST = 8.0, 2**16

HOW_TO_GET_MNIST = (
    f"To get MNIST, load it once with a network connection, or put the four files of {MIRRORS[0]} "
    "into a folder and name that folder in data_dir or in the environment variable CNNLESSON_DATA."
)
_ARRAYS = (".npy", ".npz", ".csv")  # what load_arrays reads
_fetching = Lock()

MNIST = {
    "mnist": (
        IdxFile(
            "train-images-idx3-ubyte",
            (60_000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        IdxFile(
            "train-labels-idx1-ubyte",
            (60_000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
    ),
    "mnist-test": (
        IdxFile(
            "t10k-images-idx3-ubyte",
            (10_000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte",
            (10_000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
}


def read_mnist(part: str, folder: AnyPath | None) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and labels of one part of MNIST.

    Parameters
    ----------
    part : {"mnist", "mnist-test"}
        The 60,000 training images, or the 10,000 test images.
    folder : path-like or None
        A folder with MNIST's files, as they were published or as torchvision keeps them. None for
        the user's cache, to which what is missing or damaged is downloaded.

    Returns
    -------
    images : numpy.ndarray, shape (n, 28, 28), uint8
    labels : numpy.ndarray, shape (n,), uint8

    Raises
    ------
    ValueError
        If a file is not the one that was published.
    OSError
        If a file is missing or cannot be read, or the cache not be written; ``ConnectionError`` if
        it cannot be fetched.
    """
    files = MNIST[part]
    paths = [_fetch(file) if folder is None else _find(file, folder) for file in files]
    labels = read_idx(paths[1], files[1])  # first: from these another data set is recognised
    return read_idx(paths[0], files[0]), labels


def _find(file: IdxFile, folder: AnyPath) -> Path:
    folder = expand("data_dir", folder)
    expected = f"{file.name} or {file.name}.gz"
    try:
        listed = sorted(path.name for path in folder.iterdir())
    except NotADirectoryError as error:
        found = unreadable(folder, f"a folder with {expected}", error)
        if folder.suffix.casefold() in _ARRAYS:
            found = NotADirectoryError(f"{found}; load_arrays reads such a file")
        elif "ubyte" in folder.name:
            found = NotADirectoryError(f"{found}; give the folder that the file is in")
        raise found from None
    except OSError as error:
        raise unreadable(folder, f"a folder with {expected}", error) from None
    dotted = file.name.replace("-idx", ".idx")
    found_paths = [
        place / (name + ending)
        for place in (folder, folder / "raw", folder / "MNIST" / "raw")  # torchvision's
        for name in (file.name, dotted)
        for ending in ("", ".gz")
        if os.path.lexists(place / (name + ending))
    ]
    if found_paths:
        # Some archives unpack into a folder of the file's name, beside the file with a dotted one.
        return next((path for path in found_paths if not path.is_dir()), found_paths[0])
    message = f"{folder}: expected {expected}, found " + (
        ", ".join(listed[:8]) + (", …" if len(listed) > 8 else "") or "an empty folder"
    )
    if other := data_set_named_in(" ".join(listed)):
        message += f"; {other} is another data set"
    elif arrays := [name for name in listed if Path(name).suffix.casefold() in _ARRAYS]:
        message += f"; load_arrays reads {arrays[0]}"
    raise FileNotFoundError(message)


def _fetch(file: IdxFile) -> Path:
    """Return the path of ``file`` in the cache, downloaded unless it is there and intact."""
    name = f"{file.name}.gz"
    cache = Path(pooch.os_cache("cnnlesson"))
    failures = []
    with _fetching, _quiet(pooch.get_logger()):
        for mirror in MIRRORS:
            try:
                cached = pooch.retrieve(
                    mirror + name,
                    known_hash=file.gzip_sha256,
                    fname=name,
                    path=cache,
                    # A .gz may be larger than what is in it, by a few bytes.
                    downloader=partial(_download, at_most=file.num_bytes + 1024),
                )
                return Path(cached)
            except (ConnectionError, ValueError) as error:
                failures.append(f"{mirror}: {error}")
            except OSError as error:  # that of a disk: _download makes the others ConnectionErrors
                cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
                found = unreadable(cache, "a folder to keep MNIST in", cause)
                raise type(found)(f"{found}. {HOW_TO_GET_MNIST}") from None
    raise ConnectionError(
        f"{name}: expected it from one of {len(MIRRORS)} mirrors, "
        f"found no intact copy ({'; '.join(failures)}). {HOW_TO_GET_MNIST}"
    )


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    logger.setLevel(logging.WARNING)  # the progress bar already says what is downloaded
    try:
        yield
    finally:
        logger.setLevel(level)


class _Inbox:
    """What one thread receives and another watches; as much of a file as a download needs."""

    def __init__(self, at_most: int) -> None:
        self.at_most = at_most
        self.content = bytearray()
        self.is_closed = False
        self.has_news = Event()  # an answer, or that there is none
        self.answers: list[Any] = []  # more than one if they redirect

    def greet(self, answer: Any, **_: object) -> None:
        self.answers.append(answer)
        self.has_news.set()

    def write(self, chunk: bytes) -> None:
        if self.is_closed:
            raise ValueError("nobody waits for it any more")
        self.content += chunk
        if len(self.content) > self.at_most:
            raise ValueError(f"expected {self.at_most:,} bytes at most, found more")

    def flush(self) -> None:
        pass


def _download(url: str, output_file: str, _: object, *, at_most: int) -> None:
    # A time limit given to the request counts anew for each of a host's addresses and for each
    # byte, and not at all while a name is looked up. So a thread asks, and is waited for no longer.
    inbox, answer = _Inbox(at_most), Future[None]()
    answer.add_done_callback(lambda _: inbox.has_news.set())
    # Pooch sets the real total, and takes a bar without one for none at all.
    with tqdm(desc=Path(url).name, total=1, unit="B", unit_scale=True, leave=False) as bar:
        fetch = pooch.HTTPDownloader(
            bar,
            timeout=PATIENCE + LULL,  # for the thread to end too, when nobody waits any more
            hooks={"response": inbox.greet},
        )

        def ask() -> None:
            try:
                answer.set_result(fetch(url, inbox, None))
            except BaseException as error:
                answer.set_exception(error)
            finally:
                for response in inbox.answers:
                    response.close()

        Thread(target=ask, daemon=True).start()
        try:
            _wait(answer, inbox)
        except OSError as error:
            reason = str(error) if inbox.answers else f"no answer ({type(error).__name__})"
            raise ConnectionError(reason) from error
        finally:
            inbox.is_closed = True
    Path(output_file).write_bytes(inbox.content)


def _wait(answer: Future[None], inbox: _Inbox) -> None:
    if not inbox.has_news.wait(PATIENCE):
        raise TimeoutError
    while not answer.done():
        before = len(inbox.content)
        try:
            answer.result(LULL)
        except TimeoutError:
            if not answer.done() and len(inbox.content) - before < LEAST:
                received = len(inbox.content) - before
                raise TimeoutError(f"{received:,} bytes in {LULL:g} seconds, too few") from None
    answer.result()

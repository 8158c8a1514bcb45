"""MNIST files that are not there, or cannot be read."""

from pathlib import Path

import pytest
from tiny_mnist import CONTENT, IMAGES, IMG, IMG_GZ, LAB, LABELS, one_error, write

from cnnlesson.data import load_digits


@pytest.mark.parametrize("by_environment", [False, True], ids=["argument", "environment"])
@pytest.mark.parametrize("source", ["mnist", "auto"])
class TestFilesThatAreNotThere:
    @pytest.fixture
    def load(self, monkeypatch, source, by_environment):
        def load(folder):
            if not by_environment:
                return load_digits(source, data_dir=folder)
            monkeypatch.setenv("CNNLESSON_DATA", str(folder))
            return load_digits(source)

        return load

    def test_no_images(self, tmp_path, load):
        folder = write(tmp_path / "mine", {LABELS: LAB})
        with one_error(FileNotFoundError, str(folder), f"{IMAGES} or {IMAGES}.gz", LABELS):
            load(folder)

    def test_no_labels(self, tmp_path, load):
        folder = write(tmp_path / "mine", {f"{IMAGES}.gz": IMG_GZ})
        with one_error(FileNotFoundError, str(folder), f"{LABELS} or {LABELS}.gz", IMAGES):
            load(folder)

    def test_a_crowded_folder(self, tmp_path, load):
        folder = write(tmp_path / "mine", {f"{i:03}.png": b"" for i in range(200)})
        with one_error(FileNotFoundError, str(folder), IMAGES, "006.png, 007.png, …"):
            load(folder)

    def test_an_empty_folder(self, tmp_path, load):
        with one_error(FileNotFoundError, "mine", IMAGES, "an empty folder"):
            load(write(tmp_path / "mine", {}))

    def test_no_folder(self, tmp_path, load):
        with one_error(FileNotFoundError, "mine", f"a folder with {IMAGES}", "No such file"):
            load(tmp_path / "mine")

    def test_an_unknown_home(self, load):
        with one_error(FileNotFoundError, "~nobody-here/mine", "a folder", "No such file"):
            load("~nobody-here/mine")

    def test_a_file_in_the_folders_place(self, tmp_path, load):
        (tmp_path / "mine").write_bytes(IMG)
        with one_error(NotADirectoryError, "mine", f"a folder with {IMAGES}", "Not a directory"):
            load(tmp_path / "mine")

    @pytest.mark.parametrize("ending", ["", ".gz"])
    def test_a_folder_in_the_files_place(self, tmp_path, load, ending):
        (tmp_path / "mine" / (IMAGES + ending)).mkdir(parents=True)
        write(tmp_path / "mine", {LABELS: LAB})
        with one_error(IsADirectoryError, IMAGES + ending, "a readable file", "Is a directory"):
            load(tmp_path / "mine")

    def test_a_link_to_nothing(self, tmp_path, load):
        (write(tmp_path / "mine", {LABELS: LAB}) / IMAGES).symlink_to(tmp_path / "gone")
        with one_error(FileNotFoundError, IMAGES, "a readable file", "No such file"):
            load(tmp_path / "mine")

    def test_a_file_one_may_not_read(self, tmp_path, load, monkeypatch):
        def refuse(path, *_):
            raise PermissionError(13, "Permission denied", str(path))

        folder = write(tmp_path / "mine", CONTENT)
        monkeypatch.setattr(Path, "open", refuse)
        with one_error(PermissionError, LABELS, "a readable file", "Permission denied"):
            load(folder)

    def test_a_folder_one_may_not_list(self, tmp_path, load, monkeypatch):
        def refuse(path):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "iterdir", refuse)
        with one_error(PermissionError, "mine", f"a folder with {IMAGES}", "Permission denied"):
            load(tmp_path / "mine")

    def test_a_disk_that_fails(self, tmp_path, load, monkeypatch):
        def fail(path, *_):
            raise OSError("the disk is gone")

        folder = write(tmp_path / "mine", CONTENT)
        monkeypatch.setattr(Path, "open", fail)
        with one_error(OSError, LABELS, "a readable file", "the disk is gone"):
            load(folder)

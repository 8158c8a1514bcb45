"""The files around the package agree with it and with each other."""

import re
import shutil
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml

import cnnlesson

ROOT = Path(__file__).parents[1]


def pins(path):
    lines = (ROOT / path).read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith(("#", "-")))


def tracked():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def test_every_dependency_is_pinned_and_every_pin_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = chain.from_iterable(project["optional-dependencies"].values())
    declared = [*project["dependencies"], *optional]
    names = {re.split(r"[<>=]", requirement)[0] for requirement in declared}
    assert names == set(pins("requirements.txt"))


def test_each_dependency_says_why():
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    for line in lines:
        if re.match(r'  "[\w-]+>=', line):
            assert re.search(r'",\s+# \w+', line), line


def test_binder_has_the_same_versions_and_the_whole_lesson():
    binder, ours = pins("binder/requirements.txt"), pins("requirements.txt")
    assert binder.items() <= ours.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lesson = {re.split(r"[<>=]", requirement)[0] for requirement in project["dependencies"]}
    assert lesson <= set(binder)


def test_the_page_on_the_package_lists_every_public_name():
    page = (ROOT / "book" / "api.md").read_text("utf-8")
    listed = set(re.findall(r"auto(?:class|function|exception):: (\w+)", page))
    assert set(cnnlesson.__all__) <= listed


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert citation["version"] == version
    assert re.search(r"^## (\S+) - ", changelog, re.M)[1] == version


def test_nothing_large_is_committed():
    for path in tracked():
        assert path.stat().st_size < 3_000_000, path
        if path.name != "mnist_sample.gz":  # the digits that come with the package, 1.3 MB
            assert not re.search(r"(ubyte|\.gz|\.npy|\.pt)$", path.name), path


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
def test_a_fork_changes_its_address_with_one_command(tmp_path):
    files = ["Makefile", "README.md", "_config.yml", *(ROOT / "notebooks").glob("*.ipynb")]
    for path in files:
        copy = tmp_path / (ROOT / path).relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, copy)
    subprocess.run(["make", "repository", "NAME=teacher/my-class"], cwd=tmp_path, check=True)
    changed = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "Makefile"]
    assert len(changed) == len(files) - 1
    for path in changed:
        text = path.read_text("utf-8")
        assert "cnnlesson/cnnlesson" not in text
        assert "teacher/my-class" in text

"""The files around the package agree with it and with each other."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from itertools import chain
from pathlib import Path

import pytest
import yaml

import cnnlesson

ROOT = Path(__file__).parents[1]


def pins(path):
    """Return each package that is pinned, with its version, on whatever system it is wanted."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    pinned = (line.partition(";")[0] for line in lines if line and not line.startswith(("#", "-")))
    return dict(line.split("==") for line in pinned)


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


PYTHONS = ("3.11", "3.12", "3.13")
LOCKS = [*(f"locks/python{version}.txt" for version in PYTHONS), "binder/requirements.txt"]


def locked(path):
    """Return each locked package with its versions (it may have one for each Python) and hashes."""
    text = (ROOT / path).read_text("utf-8").replace("\\\n", " ")
    found = {}
    for line in filter(lambda line: line and not line.startswith("#"), text.splitlines()):
        name, version = re.match(r"([a-z0-9-]+)(?:\[.*\])?==(\S+)", line).groups()
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})\b", line)
        assert hashes, f"{path}: {name} has no hash"
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("path", LOCKS)
def test_a_lock_names_every_package_but_torch_with_its_hashes(path):
    found = locked(path)
    assert "torch" not in found
    assert not [name for name in found if name.startswith(("nvidia", "cuda", "triton"))]
    wanted = pins("requirements.txt")
    if path.startswith("binder"):
        names = (ROOT / "binder" / "requirements.in").read_text("utf-8").splitlines()
        wanted = {name: wanted[name] for name in names if not name.startswith("#")}
    del wanted["torch"]
    assert {name: found[name] for name in wanted} == {n: {v} for n, v in wanted.items()}
    assert len(found) > 3 * len(wanted), "what they need in turn"


def test_the_locks_are_for_every_python_that_is_welcome_and_tested():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == f">={PYTHONS[0]},<3.{int(PYTHONS[-1][2:]) + 1}"
    tests = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8"))
    assert tuple(tests["jobs"]["test"]["strategy"]["matrix"]["python"]) == PYTHONS
    assert {f"locks/{path.name}" for path in (ROOT / "locks").iterdir()} == set(LOCKS[:-1])


def test_the_locks_hold_all_that_torch_needs_but_for_cuda():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]
    [declared] = settings["dependency-metadata"]
    needed = [r for r in requires("torch") if "extra ==" not in r]
    needed = {re.split(r"[ <>=;]", r)[0] for r in needed if "cuda" not in r and "nvidia" not in r}
    ours = {re.split(r"[<>=]", requirement)[0] for requirement in declared["requires-dist"]}
    assert declared["name"] == "torch"
    assert needed - {"triton"} == ours
    assert ours <= set(locked(LOCKS[0]))


def test_binder_has_the_versions_of_the_lock_and_the_whole_lesson():
    binder, ours = locked("binder/requirements.txt"), locked(LOCKS[0])
    assert {name: ours.get(name) for name in binder} == binder
    names = (ROOT / "binder" / "requirements.in").read_text("utf-8").splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lesson = {re.split(r"[<>=]", requirement)[0] for requirement in project["dependencies"]}
    assert lesson <= set(names)


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").iterdir()))
def test_actions_are_pinned_by_commit(path):
    uses = re.findall(r"(?m)^ *-? *uses: (.*)$", path.read_text("utf-8"))
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_the_pages_on_the_package_list_every_public_name():
    pages = (page.read_text("utf-8") for page in (ROOT / "book" / "api").glob("*.md"))
    listed = set(re.findall(r"auto(?:class|function|exception):: (\w+)", "".join(pages)))
    assert set(cnnlesson.__all__) <= listed
    contents = (ROOT / "book" / "api.md").read_text("utf-8")
    assert listed <= set(re.findall(r"^   (\w+)$", contents, re.MULTILINE))


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert citation["version"] == version
    assert re.search(r"^## (\S+) - ", changelog, re.M)[1] == version


def test_the_readme_moves_and_is_light():
    pictures = re.findall(r"!\[([^\]]+)\]\((book/readme/[^)]+)\)", (ROOT / "README.md").read_text())
    assert [path for _, path in pictures] == ["book/readme/momentum.gif", "book/readme/map.png"]
    for text, path in pictures:
        assert len(text) > 40
        assert (ROOT / path).stat().st_size < 1_000_000
    assert (ROOT / "book/readme/momentum.gif").read_bytes().count(b"\x21\xf9\x04") > 20, "frames"


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
    assert "https://teacher.github.io/my-class/" in (tmp_path / "README.md").read_text("utf-8")
    for path in changed:
        text = path.read_text("utf-8")
        assert "cnnlesson/cnnlesson" not in text
        assert "teacher/my-class" in text


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "benchmarks").glob("*.py")), ids=lambda path: path.stem
)
def test_a_benchmark_runs_by_itself(path):
    """Without what pytest finds for the checks: its own folder is all that Python sees."""
    tree = ast.walk(ast.parse(path.read_text("utf-8")))
    imported = {module for node in tree for module in modules_of(node)}
    beside = {file.stem for file in path.parent.glob("*.py")}
    of_the_checks = {file.stem for file in (ROOT / "tests").rglob("*.py")} - beside
    assert not imported & of_the_checks


def modules_of(node):
    """Return the top of each name that a statement imports from elsewhere."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module.partition(".")[0]]
    return []


def test_whatever_is_imported_is_installed_by_a_lock():
    """An environment may still hold what a project has given up: a clean one does not."""
    files = [file for file in tracked() if file.suffix == ".py" and file.exists()]
    own = {"cnnlesson", *sys.stdlib_module_names, *(file.stem for file in files)}
    # The one that is not there on every machine: see shorter.py.
    found = {"minify": ["tdewolff-minify"]} | packages_distributions()
    version = "{}.{}".format(*sys.version_info)
    known = {"torch", *(name.replace("_", "-") for name in locked(f"locks/python{version}.txt"))}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            for module in set(modules_of(node)) - own:
                bringing = {name.lower().replace("_", "-") for name in found.get(module, ())}
                assert bringing & known, f"{file}: {module}"

"""The package as a whole: what importing it does, what depends on what, what is documented."""

import ast
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cnnlesson

FOLDER = Path(cnnlesson.__file__).parent
ROOT = FOLDER.parent

# A module may import from the lines above its own only. A name stands for all modules whose
# names begin with it and an underscore, and for all inside it if it is a folder.
LAYERS = (
    {"arguments", "mnist", "model", "seeding"},
    {"data", "evaluation", "graphs", "lower_bound", "quadratic", "tracing"},
    {"checkpoint", "momentum", "stages"},
    {"activity", "glyphs", "iterates", "training"},
    {"curvature", "experiments", "regression"},
    {"results", "studies"},
    {"edges", "sweeps", "tracking"},
    {"diagrams", "plots"},
    {"widgets"},
)

# Internal ones; what the others make public is public in the package itself.
INTERNAL = {
    *("arguments", "checkpoint", "glyphs", "mnist", "plots", "seeding", "stages", "studies"),
    "widgets",
}


def group_of(module: str) -> str:
    """Return the name in ``LAYERS`` that stands for a module such as ``cnnlesson.data``."""
    first = module.split(".")[1]
    names = set().union(*LAYERS)
    return next((name for name in names if first == name or first.startswith(f"{name}_")), first)


def modules() -> list[str]:
    found = pkgutil.walk_packages([str(FOLDER)], "cnnlesson.")
    return sorted(info.name for info in found)


def imports_of(module: str) -> set[str]:
    """Return the modules of the package that one of them imports, anywhere in its source."""
    path = FOLDER.joinpath(*module.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: expected an absolute import"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.startswith("cnnlesson.")} & set(modules())


# What depends on what


@pytest.mark.parametrize("module", modules())
def test_every_module_has_a_layer(module):
    assert group_of(module) in set().union(*LAYERS), f"{module}: give it a place in LAYERS"


@pytest.mark.parametrize("module", modules())
def test_dependency_runs_downward_only(module):
    height = {name: i for i, names in enumerate(LAYERS) for name in names}
    own = group_of(module)
    upward = {
        other
        for other in imports_of(module)
        if group_of(other) != own and height[group_of(other)] >= height[own]
    }
    assert not upward, f"{module} imports from its own layer or above: {upward}"


def test_imports_are_found_at_all():
    assert "cnnlesson.evaluation" in imports_of("cnnlesson.training")
    assert "cnnlesson.arguments" in imports_of("cnnlesson.momentum")
    assert imports_of("cnnlesson.arguments") == set()


# What is public


def test_public_names_are_sorted_and_exist():
    assert cnnlesson.__all__ == sorted(set(cnnlesson.__all__))
    assert all(hasattr(cnnlesson, name) for name in cnnlesson.__all__)


@pytest.mark.parametrize("name", cnnlesson.__all__)
def test_a_public_name_is_public_where_it_is_defined(name):
    public = getattr(cnnlesson, name)
    module = public if inspect.ismodule(public) else importlib.import_module(public.__module__)
    assert inspect.ismodule(public) or name in module.__all__


@pytest.mark.parametrize("module", [m for m in modules() if group_of(m) not in INTERNAL])
def test_what_a_module_makes_public_is_public_in_the_package(module):
    assert set(importlib.import_module(module).__all__) <= set(cnnlesson.__all__)


@pytest.mark.parametrize("module", [m for m in modules() if "widgets" not in m])
def test_what_a_module_makes_public_is_its_own(module):
    imported = importlib.import_module(module)
    for name in imported.__all__:
        value = getattr(imported, name)
        is_named = isinstance(value, type) or callable(value)  # else it is data, made here
        owner = getattr(value, "__module__", module) if is_named else module
        inside = f"{module}." if hasattr(imported, "__path__") else module
        assert owner.startswith(inside) or not owner.startswith("cnnlesson")


# What is documented


SECTION = re.compile(
    r"^(\w[\w ]*)\n-{3,}\n(.*?)(?=^\w[\w ]*\n-{3,}\n|\Z)", re.MULTILINE | re.DOTALL
)


def sections(documented: object) -> dict[str, str]:
    return dict(SECTION.findall(inspect.getdoc(documented) or ""))


def entries(section: str) -> dict[str, str]:
    """Return names and types of a section of the numpydoc form."""
    found = {}
    for line in re.findall(r"(?m)^(?=\S)(.+)$", section):
        names, _, kind = line.partition(" : ")
        found |= {name.strip("* "): kind for name in names.split(",")}
    return found


def documented_objects() -> dict[str, object]:
    """Return every public function and class, and the public methods of the classes."""
    found = {}
    core = ("arguments", "checkpoint", "evaluation", "model", "momentum", "tracing", "training")
    owners = [cnnlesson, *(importlib.import_module(f"cnnlesson.{name}") for name in core)]
    for owner in owners:
        for name in owner.__all__:
            public = getattr(owner, name)
            if not (inspect.isfunction(public) or inspect.isclass(public)):
                continue
            if not public.__module__.startswith("cnnlesson"):
                continue
            found[name] = public
            if inspect.isclass(public):
                for method, value in vars(public).items():
                    if inspect.isfunction(value) and not method.startswith("_"):
                        found[f"{name}.{method}"] = value
    return found


OBJECTS = documented_objects()


def parameters_of(documented: object) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(documented).parameters)
    parameters.pop("self", None)
    return parameters


@pytest.mark.parametrize("name", OBJECTS)
def test_has_a_summary_of_one_line(name):
    first, *rest = (inspect.getdoc(OBJECTS[name]) or "").split("\n\n")
    assert first.endswith(".")
    assert "\n" not in first
    assert rest or not parameters_of(OBJECTS[name])


@pytest.mark.parametrize("name", [n for n, o in OBJECTS.items() if inspect.isfunction(o)])
def test_parameters_and_returns_are_those_of_the_signature(name):
    function = OBJECTS[name]
    found = sections(function)
    listed, parameters = entries(found.get("Parameters", "")), parameters_of(function)
    assert list(listed) == list(parameters)
    assert ("Returns" in found) == (inspect.signature(function).return_annotation is not None)
    for key, parameter in parameters.items():
        if "default" in listed[key]:
            # as a literal: 0.001, "auto", (1, 1, 28, 28)
            default = ast.literal_eval(listed[key].split("default ")[1])
            assert parameter.default == default, key
        elif listed[key]:
            optional = "optional" in listed[key]
            assert optional == (parameter.default is not parameter.empty), key


@pytest.mark.parametrize(
    "name",
    [n for n, o in OBJECTS.items() if inspect.isclass(o) and not issubclass(o, Exception)],
)
def test_a_class_documents_what_it_is_made_of(name):
    documented = OBJECTS[name]
    found = sections(documented)
    attributes = entries(found.get("Attributes", ""))
    parameters = entries(found.get("Parameters", ""))
    if hasattr(documented, "_fields"):
        assert list(attributes) == list(documented._fields)
    else:
        assert parameters_of(documented).keys() <= attributes.keys() | parameters.keys()


# What importing it does


IMPORT = """
import random, socket, sys
import numpy as np

def refuse(*args, **kwargs):
    raise OSError("the network was asked for")

socket.socket.connect = refuse
random.seed(1); np.random.seed(1)
before = random.getstate(), np.random.get_state()[1].tolist()
import torch
torch.manual_seed(1)
torch_before = torch.get_rng_state()
threads = torch.get_num_threads()
from matplotlib import rcParams
from matplotlib import rcParamsDefault
settings = dict(rcParams)

import cnnlesson

assert random.getstate() == before[0]
assert np.random.get_state()[1].tolist() == before[1]
assert torch.equal(torch.get_rng_state(), torch_before)
assert torch.get_num_threads() == threads
assert dict(rcParams) == settings
if "matplotlib.pyplot" in sys.modules:
    assert sys.modules["matplotlib.pyplot"].get_fignums() == []
"""


def test_importing_draws_nothing_prints_nothing_and_needs_no_display(tmp_path):
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    }
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", IMPORT],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(FOLDER.parent)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_the_measured_runs_travel_with_an_installed_package(tmp_path):
    """As on Colab, where there is no checkout."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    checkout = tmp_path / "checkout"
    for name in ("cnnlesson", "results", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        checkout.mkdir(exist_ok=True)
        copy(ROOT / name, checkout / name)
    subprocess.run([*pip, "--target", tmp_path / "installed", checkout], check=True)
    code = (
        "import cnnlesson as c; print(c.__file__, len(c.load_results()), len(c.load_curvature()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    file, *numbers = done.stdout.split()
    assert Path(file).is_relative_to(tmp_path / "installed")
    assert [int(n) for n in numbers] == [
        len(cnnlesson.load_results()),
        len(cnnlesson.load_curvature()),
    ]

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
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import cnnlesson
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.settings import Setting

FOLDER = Path(cnnlesson.__file__).parent
ROOT = FOLDER.parent

# What each room may import of the package: the table of directions. A new room gets a line here.
LESSON = ("data", "model", "tracing", "training", "evaluation")
MAY_IMPORT = {
    "_support": (),
    "lesson": ("_support",),
    "momentum": ("_support",),
    "diagrams": ("_support", "lesson"),
    "exercises": ("_support", "lesson", "momentum", "diagrams", "experiments"),
    "experiments": ("_support", "lesson"),
    "plots": ("lesson", "momentum"),
    "widgets": ("_support", "lesson", "momentum", "diagrams", "experiments"),
}
# Within a room too imports run one way. These modules, heaviest last, may import what stands before
# them in their own room only; the others of a room import none of it.
ORDER = {
    "_support": (
        *("fingerprints", "files", "memory", "idx", "mnist", "sample", "tables", "arrays"),
        *("arguments", "axes", "functions", "parameters", "operations", "work"),
        *("verdicts", "shape_table", "modes", "inputs", "eager", "diagnosis", "answers"),
        *("schedule", "checkpoint", "guard"),
    ),
    "lesson": ("model", "data", "tracing", "evaluation", "training"),
    "momentum": ("step_matrix", "descent", "quadratic", "iterates", "regression"),
    "diagrams": (
        *("windows", "origin", "operations", "flow", "blank_input", "receptive_fields"),
        *("stages", "glyphs", "colours", "links", "draw"),
    ),
    "experiments": (
        *("activity", "curvature", "run", "images", "speed", "experiment", "results"),
        *("class_order", "studies", "sweeps", "tracking"),
        "__main__",
    ),
    "exercises": ("off", *(f"chapter_{i}" for i in range(1, 13)), "checking"),
    "plots": ("runs", "curvature"),
}


def room_of(module: str) -> str:
    """Return the room of a module such as ``cnnlesson.plots.runs``; the lesson has no folder."""
    first = module.split(".")[1]
    return "lesson" if first in LESSON else first


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
def test_a_room_imports_only_the_rooms_it_may(module):
    assert room_of(module) in MAY_IMPORT, (
        f"{module}: give its room a line in MAY_IMPORT, {__file__}"
    )
    rooms = {room_of(other) for other in imports_of(module)} - {room_of(module)}
    assert rooms <= set(MAY_IMPORT[room_of(module)]), f"{module}: see MAY_IMPORT, {__file__}"


def inside(module: str) -> list[str]:
    """Return the modules of its own room that a module imports, without the room's own page."""
    room = room_of(module)
    return [m for m in imports_of(module) if room_of(m) == room and m != f"cnnlesson.{room}"]


def in_rooms(*rooms: str) -> list[str]:
    """Return the modules of some rooms, without the rooms' own pages."""
    pages = {f"cnnlesson.{room}" for room in rooms}
    return [m for m in modules() if room_of(m) in rooms and m not in pages]


@pytest.mark.parametrize("module", in_rooms(*ORDER))
def test_within_a_room_imports_run_one_way(module):
    order, own = ORDER[room_of(module)], module.split(".")[-1]
    before = order[: order.index(own)] if own in order else ()
    found = {other.split(".")[-1] for other in inside(module)}
    assert found <= set(before), f"{module}: see ORDER, {__file__}"


@pytest.mark.parametrize("module", in_rooms("widgets"))
def test_a_figure_imports_no_other_figure(module):
    folders = {other.split(".")[2] for other in inside(module)}
    assert folders <= {"shared", module.split(".")[2]}


@pytest.mark.parametrize("module", [m for m in modules() if room_of(m) == "momentum"])
def test_the_mathematics_knows_nothing_of_torch_but_in_the_optimiser(module):
    path = FOLDER.joinpath(*module.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    uses_torch = bool(re.search(r"^(?:import|from) torch", source.read_text("utf-8"), re.MULTILINE))
    assert uses_torch == (module == "cnnlesson.momentum.classical_sgd")


@pytest.mark.parametrize("module", modules())
def test_no_module_takes_a_private_name_from_another(module):
    path = FOLDER.joinpath(*module.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    taken = {
        alias.name
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cnnlesson")
        for alias in node.names
    }
    private = sorted(name for name in taken - set(MAY_IMPORT) if name.startswith("_"))
    assert private == [], f"{module}: make the name public where it is, or move it to _support"


def test_imports_are_found_at_all():
    assert "cnnlesson.evaluation" in imports_of("cnnlesson.training")
    assert "cnnlesson._support.arguments" in imports_of("cnnlesson.momentum.descent")
    assert imports_of("cnnlesson._support.arguments") == set()


def test_every_room_says_what_lives_there_and_what_may_not():
    for room in set(MAY_IMPORT) - {"lesson"}:
        assert len(importlib.import_module(f"cnnlesson.{room}").__doc__.split()) >= 15, room


# What is public


def everything() -> list[str]:
    """Return every public name that can be imported from the package, as its stub lists them."""
    stub = ast.parse((FOLDER / "__init__.pyi").read_text("utf-8"))
    names = [alias.name for node in stub.body for alias in node.names]
    return sorted(set(names) - set(MAY_IMPORT))


def test_public_names_are_sorted_and_exist():
    assert cnnlesson.__all__ == sorted(set(cnnlesson.__all__))
    assert set(cnnlesson.__all__) <= set(everything())
    assert set(cnnlesson.__all__) <= set(dir(cnnlesson))
    assert len(cnnlesson.__all__) <= 30, "what a learner calls; the rest is public in its room"


@pytest.mark.parametrize("name", everything())
def test_a_public_name_is_public_where_it_is_defined(name):
    public = getattr(cnnlesson, name)
    assert name in importlib.import_module(public.__module__).__all__


@pytest.mark.parametrize("module", [*LESSON, "momentum", "exercises", "experiments", "diagrams"])
def test_what_a_room_makes_public_can_be_imported_from_the_package(module):
    room = importlib.import_module(f"cnnlesson.{module}")
    called = {name for name in room.__all__ if not name.isupper()}  # the others are settings
    assert called <= set(everything())


@pytest.mark.parametrize("module", [m for m in modules() if not m.endswith("__main__")])
def test_what_a_module_makes_public_is_its_own(module):
    imported = importlib.import_module(module)
    for name in getattr(imported, "__all__", ()):
        value = getattr(imported, name)
        is_named = isinstance(value, type) or callable(value)  # else it is data, made here
        owner = getattr(value, "__module__", module) if is_named else module
        inside = f"{module}." if hasattr(imported, "__path__") and is_named else module
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
    """Return every public function and class, and public methods, by module and name."""
    found = {}
    for owner in map(importlib.import_module, in_rooms(*MAY_IMPORT)):
        # Commands are no library; the panel's own parts serve its one public class.
        if owner.__name__.endswith("__main__") or ".training_panel." in owner.__name__:
            continue
        for name in getattr(owner, "__all__", ()):
            public = getattr(owner, name)
            if not (inspect.isfunction(public) or inspect.isclass(public)):
                continue
            if not public.__module__.startswith("cnnlesson"):
                continue
            name = f"{public.__module__.removeprefix('cnnlesson.')}.{name}"
            found[name] = public
            if inspect.isclass(public):
                for method, value in vars(public).items():
                    if inspect.isfunction(value) and not method.startswith("_"):
                        found[f"{name}.{method}"] = documented_method(public, value)
    return found


def documented_method(owner: type, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method, or the one it overrides if it says no more than a line of its own."""
    if "\n" in (method.__doc__ or ""):
        return method
    names = list(inspect.signature(method).parameters)
    for base in owner.__mro__[1:]:
        overridden = vars(base).get(method.__name__)
        if (
            inspect.isfunction(overridden)
            and overridden.__module__.startswith("cnnlesson")
            and "\n" in (overridden.__doc__ or "")
            and list(inspect.signature(overridden).parameters) == names
        ):
            return overridden
    return method


OBJECTS = documented_objects()


def parameters_of(documented: object) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(documented).parameters)
    parameters.pop("self", None)
    return {name: p for name, p in parameters.items() if not name.startswith("_")}


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
    returns = inspect.signature(function).return_annotation is not None
    assert bool({"Returns", "Yields"} & found.keys()) == returns
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
    elif issubclass(documented, Enum):
        assert list(attributes) == list(documented.__members__)
    else:
        given = set(parameters_of(documented))
        if issubclass(documented, Figure):
            given -= {"goal", "settings"} if documented.__init__ is Figure.__init__ else set()
            settings = documented.class_traits().items()
            given |= {name for name, trait in settings if isinstance(trait, Setting)}
        assert given <= attributes.keys() | parameters.keys()


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


LIGHT = {
    "import cnnlesson": {"torch", "numpy", "pandas", "scipy", "sklearn", "matplotlib", "pydantic"},
    "from cnnlesson.momentum import optimal_momentum, momentum_descent": {
        *("torch", "pandas", "scipy", "sklearn", "matplotlib"),
    },
    "from cnnlesson import ConvNet, evaluate, load_digits, ShapeTracer, train_model": {
        *("pandas", "scipy", "sklearn", "matplotlib"),
    },
}


@pytest.mark.parametrize("statement", LIGHT)
def test_importing_loads_no_more_than_it_needs(statement):
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert not LIGHT[statement] & set(done.stdout.split())


def test_the_measured_runs_travel_with_an_installed_package(tmp_path):
    """As on Colab, where there is no checkout."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    checkout = tmp_path / "checkout"
    for name in ("cnnlesson", "pyproject.toml", "README.md", "LICENSE"):
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

"""How several modules become one: each once, in order, shared by all figures of a page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cnnlesson
from cnnlesson import widgets
from cnnlesson.widgets.shared.bundle import bundle, definitions, needed as needed_by
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.sources import SHARED_STYLES, WIDGETS, sources_of
from cnnlesson.widgets.training_panel.loss_plot import LossPlot

CLASSES = [getattr(widgets, name) for name in widgets.__all__]
FIGURES = [cls for cls in CLASSES if issubclass(cls, Figure)]
LOSS_PLOT = ("loss_plot", "training_panel")
MODULES = [*((cls.module, cls.module, cls) for cls in FIGURES), (*LOSS_PLOT, LossPlot)]
ONE = "const hidden = 1;\nexport const a = { hidden };\n"
TWO = 'import { a } from "./one.js";\nexport function b() {\n  return a;\n}\n'
MAIN = (
    'import { a } from "../shared/one.js";\nimport {\n  b,\n} from "./two.js";\nconst hidden = 3;\n'
)


def defined(source):
    """Return the names of the modules that a bundle defines, in their order."""
    return re.findall(r'^define\("(\w+)_[0-9a-f]{12}", \(\) => \{$', source, re.MULTILINE)


def needed(name, sources):
    """Return every module that one needs, itself left out."""
    direct = set(
        re.findall(r'^(?:import .*)?\} from "[./]+(?:shared/)?(\w+)\.js";$', sources[name], re.M)
        + re.findall(r'\bimport\("[./]+(?:shared/)?(\w+)\.js"\)', sources[name])
    )
    return direct.union(*(needed(other, sources) for other in direct))


@pytest.mark.parametrize(("module", "folder", "cls"), MODULES, ids=lambda part: str(part)[:20])
def test_every_module_stands_in_a_figure_once(module, folder, cls):
    names = defined(cls._esm)
    sources = sources_of(module, folder)
    assert sorted(names) == sorted(needed(module, sources))
    for name in names:  # each of its declarations too
        for line in re.findall(r"^export (.*)$", sources[name], re.MULTILINE):
            assert cls._esm.count(line) == 1, line


def test_the_figures_weigh_what_their_modules_do():
    assert len(FIGURES) == 15
    assert sum(len(cls._esm.encode()) for cls in FIGURES) < 66_500 * len(FIGURES)


@pytest.mark.parametrize(
    "comment",
    [
        "// One line.\n",
        "/** @type {Map} */\n",
        "/**\n * Of several.\n * @param {A} a `*` / **\n */\n",
    ],
)
def test_lines_of_comment_stay_at_home(comment):
    code = "const a = /** @type {A} */ (b); // beside it\n/** @type {B} */ (c);\n"
    indented = "".join(f"  {line}\n" for line in comment.splitlines())
    source = comment + code + indented + ONE + comment
    assert bundle("one", {"one": source}) == code + ONE


def test_a_module_is_defined_after_what_it_imports():
    source = bundle("main", {"one": ONE, "two": TWO, "main": MAIN, "other": "not imported"})
    assert re.sub(r"_[0-9a-f]{12}", "", source) == (
        "const modules = (globalThis.cnnlessonModules ??= {});\n"
        "const define = (key, make) => (modules[key] ??= make());\n"
        'define("one", () => {\nconst hidden = 1;\nconst a = { hidden };\nreturn { a };\n});\n'
        'define("two", () => {\nconst { a } = modules.one;\nfunction b() {\n  return a;\n}\n'
        "return { b };\n});\n"
        "const { a } = modules.one;\nconst { b } = modules.two;\nconst hidden = 3;\n"
    )


def test_a_page_gets_every_module_as_a_function():
    main = MAIN + "export default { b };\n"
    assert definitions({"two": TWO, "main": main, "one": ONE}) == (
        'define("one", () => {\nconst hidden = 1;\nconst a = { hidden };\nreturn { a };\n});\n'
        'define("two", () => {\nconst { a } = modules.one;\nfunction b() {\n  return a;\n}\n'
        "return { b };\n});\n"
        'define("main", () => {\nconst { a } = modules.one;\nconst { b } = modules.two;\n'
        "const hidden = 3;\nreturn { default: { b } };\n});\n"
    )


def test_what_is_imported_later_is_there_in_a_notebook_and_fetched_by_a_page():
    sources = {"one": ONE, "main": 'const late = () => import("./one.js");\n'}
    source = re.sub(r"_[0-9a-f]{12}", "", bundle("main", sources))
    assert 'define("one", ' in source
    assert source.endswith("const late = () => Promise.resolve(modules.one);\n")
    assert 'const late = () => later("one");' in definitions(sources, ["main"])
    assert needed_by("main", sources) == ["main"]


def test_what_others_define_is_left_to_them():
    sources = {"two": TWO, "one": ONE}
    assert definitions(sources, ["one"]) + definitions(sources, ["two"]) == definitions(sources)


def test_what_a_module_needs_comes_before_it():
    sources = {"one": ONE, "two": TWO, "main": MAIN, "other": "not imported"}
    assert needed_by("main", sources) == ["one", "two", "main"]
    assert needed_by("one", sources) == ["one"]


def test_a_module_that_imports_nothing_is_left_as_it_is():
    assert bundle("one", {"one": ONE}) == ONE


@pytest.mark.parametrize(
    "line",
    [
        'import * as f from "./one.js";',
        'import f from "./one.js";',
        "import 'f';",
        '  import { a } from "./one.js";',
        'import { a } from "https://host/one.js";',
    ],
)
def test_an_import_of_another_form_is_refused(line):
    expected = rf"main.js: expected `import .*`, found `{re.escape(line.strip())}`"
    with pytest.raises(ValueError, match=expected):
        bundle("main", {"main": f"{line}\n", "one": ONE})


def test_a_module_that_is_not_there_is_named():
    expected = "two.js: expected an import from one of main, other, found one"
    with pytest.raises(ValueError, match=expected):
        bundle("main", {"main": 'import { b } from "./two.js";\n', "two": TWO, "other": ""})


def test_an_export_that_is_not_there_is_named():
    expected = "main.js: expected imports among a from one.js, found b, hidden"
    with pytest.raises(ValueError, match=expected):
        bundle("main", {"main": 'import { b, a, hidden } from "./one.js";\n', "one": ONE})


def test_a_circle_is_named():
    circle = 'import { b } from "./two.js";\nexport const a = 1;\n'
    expected = "imports that run one way, found (one → two → one|two → one → two)"
    with pytest.raises(ValueError, match=expected):
        bundle("main", {"main": MAIN, "one": circle, "two": TWO})


SAME = """async ([one, other]) => {
    const load = (source) =>
        import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    const [first, second] = [await load(one), await load(other)];
    return first.a === second.a;
}"""


def test_figures_of_a_page_share_what_their_modules_define(open_page):
    export = "export { a };\n"
    sources = {"one": ONE, "two": TWO, "main": MAIN + export, "else": MAIN + "b();\n" + export}
    newer = sources | {"one": ONE.replace("1", "2")}
    page = open_page("about:blank").page
    bundles = [bundle("main", sources), bundle("else", sources), bundle("else", newer)]
    assert page.evaluate(SAME, bundles[:2])
    assert not page.evaluate(SAME, bundles[1:])


def test_a_change_below_is_a_change_above():
    """A module that did not change itself, of which an import did, is defined afresh."""
    newer = {"one": ONE.replace("1", "2"), "two": TWO, "main": MAIN}
    keys = [
        re.findall(r'define\("(\S+)"', bundle("main", sources))
        for sources in ({"one": ONE, "two": TWO, "main": MAIN}, newer)
    ]
    assert [one != other for one, other in zip(*keys, strict=True)] == [True, True]


def test_ten_figures_in_one_page_define_each_module_once(open_page):
    page = open_page("about:blank").page
    for cls in FIGURES:
        page.evaluate(
            "(s) => import(URL.createObjectURL(new Blob([s], { type: 'text/javascript' }))).then()",
            cls._esm,
        )
    keys = page.evaluate("Object.keys(globalThis.cnnlessonModules)")
    names = [key.rsplit("_", 1)[0] for key in keys]
    assert sorted(names) == sorted(set().union(*(defined(cls._esm) for cls in FIGURES)))


def test_every_shared_sheet_is_in_the_list():
    sheets = {path.stem for path in (WIDGETS / "shared").glob("*.css")}
    assert sorted(SHARED_STYLES) == sorted(sheets)
    assert all(cls._css.startswith(FIGURES[0]._css[:1000]) for cls in FIGURES)


FOLLOW = """
import sys, threading, time
from pathlib import Path
from cnnlesson import widgets
from cnnlesson.widgets import EigenBasis, StabilityMap

def mark(path, mark):
    file = Path(widgets.__file__).parent / path
    file.write_text(mark + file.read_text("utf-8"), "utf-8")

def seen(figure, name, text):
    for _ in range(int(sys.argv[1])):
        if text in getattr(figure, name):
            return True
        time.sleep(0.02)
    return False

figures = EigenBasis(), StabilityMap()
time.sleep(0.3)  # until the folder is watched
mark("shared/dom.js", "'edited';\\n")
found = [seen(figure, "_esm", "'edited';") for figure in figures]
mark("eigen_basis/eigen_basis.js", "import broken;\\n")
mark("shared/frame.css", "/* edited */\\n")
found += [seen(figure, "_css", "/* edited */") for figure in figures]
found += [seen(figures[0], "_esm", "import broken")]
print(*map(int, found), len([t for t in threading.enumerate() if "figures" in t.name]))
"""


@pytest.mark.parametrize(
    ("switch", "patience", "expected"), [("1", 500, "1 1 1 1 0 1"), ("", 20, "0 0 0 0 0 0")]
)
def test_a_live_figure_follows_its_files_when_asked_to(tmp_path, switch, patience, expected):
    package = Path(cnnlesson.__file__).parent
    shutil.copytree(package, tmp_path / "cnnlesson", ignore=shutil.ignore_patterns("measured"))
    done = subprocess.run(
        [sys.executable, "-c", FOLLOW, str(patience)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "ANYWIDGET_HMR": switch},
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == expected, done.stderr
    assert ("expected `import" in done.stderr) == bool(switch)

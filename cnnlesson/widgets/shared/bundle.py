"""One script out of several modules, for hosts where a module cannot fetch another.

A live notebook hands its front end a single string, and a page that is opened from a file may not
import a second one. So each module becomes a function, which stands there once, and what it returns
is shared by all figures of a page. What a module imports by ``import("./name.js")``, or from
``"../shared/name.js"``, when it is first asked for, a notebook has at once, and a page fetches.
"""

import json
import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256

__all__ = ["brought_later", "bundle", "definitions", "needed"]

_IMPORT = re.compile(r'^import \{([^}]+)\} from "(?:\.|\.\./shared)/(\w+)\.js";\n', re.MULTILINE)
_LATER = re.compile(r'\bimport\("(?:\.|\.\./shared)/(\w+)\.js"\)')
_EXPORT = re.compile(r"^export (?=(?:const|function|class) (\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (.+);\n", re.MULTILINE)
# For the checker of types; nobody who gets a bundle runs it.
_TYPES = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)
# The first figure of a page that has a module defines it, the others take what is there.
_DEFINE = """\
const modules = (globalThis.cnnlessonModules ??= {});
const define = (key, make) => (modules[key] ??= make());
"""


def bundle(entry: str, sources: Mapping[str, str]) -> str:
    """Return a module with those that it imports put in front of it, so that it imports nothing.

    Each of the others is a function that runs once in a page, whichever figure comes first. Its
    key there is its name with a checksum of what it is made of: figures of another version, in
    the same page, keep to theirs.

    Parameters
    ----------
    entry : str
        Name of the module. Its own exports stay exports.
    sources : mapping of str to str
        Sources by name, of the module and of those that may be imported. Each import begins its
        line and has the form ``import { a, b } from "./name.js";``, or ``"../shared/name.js"``.
        Each export but the entry's default one is a declaration that begins its line.

    Returns
    -------
    str
        Source of one ECMAScript module.

    Raises
    ------
    ValueError
        If an import has another form, if it names a module or an export that is not there, or if
        modules import each other in a circle.
    """
    *order, _ = _in_order([entry], sources, has_later=True)
    bodies: dict[str, str] = {}
    keys: dict[str, str] = {}
    for name in [*order, entry]:
        # With the keys of what it imports, so that a change in those is a change in this.
        body = _with_imports(sources[name], keys)
        bodies[name] = _LATER.sub(lambda found: f"Promise.resolve(modules.{keys[found[1]]})", body)
        keys[name] = f"{name}_{sha256(bodies[name].encode()).hexdigest()[:12]}"
    made = "".join(_definition(keys[name], bodies[name]) for name in order)
    return f"{_DEFINE}{made}{bodies[entry]}" if made else bodies[entry]


def definitions(sources: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """Return a call ``define("name", () => …)`` for each module, after those for what it imports.

    Parameters
    ----------
    sources : mapping of str to str
        Sources by name, of the form that `bundle` asks for.
    names : iterable of str, optional
        The modules that are defined here, where others define the rest; by default all.

    Returns
    -------
    str
        Source for a script that has the function ``define``, and an object ``modules`` with what
        the modules made: their exports by name, and the default one as ``default``. Its function
        ``later`` brings a module by name.

    Raises
    ------
    ValueError
        As `bundle`.
    """
    keys = {name: name for name in sources}
    wanted = set(sources if names is None else names)
    return "".join(
        _definition(name, _LATER.sub(r'later("\1")', _with_imports(sources[name], keys)))
        for name in _in_order(sorted(sources), sources)
        if name in wanted
    )


def needed(entry: str, sources: Mapping[str, str]) -> list[str]:
    """Return the names of a module and of all that it imports, each after what it imports itself.

    What it imports later is not among them.

    Parameters
    ----------
    entry : str
        Name of the module.
    sources : mapping of str to str
        Sources by name, of the form that `bundle` asks for.

    Returns
    -------
    list of str
        Names; the module's own is the last.

    Raises
    ------
    ValueError
        As `bundle`.
    """
    return _in_order([entry], sources)


def brought_later(sources: Mapping[str, str]) -> set[str]:
    """Return the names of the modules that others import when they are first asked for.

    Parameters
    ----------
    sources : mapping of str to str
        Sources by name.

    Returns
    -------
    set of str
        Names.
    """
    return {name for source in sources.values() for name in _LATER.findall(source)}


def _with_imports(source: str, keys: Mapping[str, str]) -> str:
    """Return the source with what it imports taken from ``modules``, and without its types."""

    def take(found: re.Match) -> str:
        names = " ".join(found[1].split()).removesuffix(",")
        return f"const {{ {names} }} = modules.{keys[found[2]]};\n"

    return _TYPES.sub("", _IMPORT.sub(take, source))


def _definition(key: str, body: str) -> str:
    """Return the call that defines a module."""
    exports = _EXPORT.findall(body) + [f"default: {value}" for value in _DEFAULT.findall(body)]
    inside = _DEFAULT.sub("", _EXPORT.sub("", body))
    return f"define({json.dumps(key)}, () => {{\n{inside}return {{ {', '.join(exports)} }};\n}});\n"


def _in_order(
    entries: list[str], sources: Mapping[str, str], *, has_later: bool = False
) -> list[str]:
    """Return some modules and all they need, each after what it imports."""
    graph: dict[str, list[str]] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in graph:
            graph[name] = _imports(name, sources)
            if has_later:
                graph[name] += _LATER.findall(sources[name])
            waiting += graph[name]
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise ValueError(f"expected imports that run one way, found {circle}") from None


def _imports(name: str, sources: Mapping[str, str]) -> list[str]:
    """Return the modules that one imports, all of them checked."""
    others = _LATER.sub("", _IMPORT.sub("", sources[name]))
    if other := re.search(r"^\s*import\b.*$", others, re.MULTILINE):
        raise ValueError(
            f'{name}.js: expected `import {{ … }} from "./name.js";`, found `{other[0].strip()}`'
        )
    found = []
    for names, source in _IMPORT.findall(sources[name]):
        if source not in sources:
            there = ", ".join(sorted(sources.keys() - {name}))
            raise ValueError(f"{name}.js: expected an import from one of {there}, found {source}")
        exports = _EXPORT.findall(sources[source])
        wanted = [word.strip() for word in names.split(",") if word.strip()]
        if missing := [word for word in wanted if word not in exports]:
            raise ValueError(
                f"{name}.js: expected imports among {', '.join(exports)} from {source}.js, "
                f"found {', '.join(missing)}"
            )
        found.append(source)
    return found

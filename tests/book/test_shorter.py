"""What a browser makes of a shortened script is what it makes of the script."""

import pytest
import shorter as module
from shorter import shorter

# Each ends in a value; what is tricky for whoever shortens by looks alone.
SCRIPTS = {
    "a template in a template": "const a = 'b  c'; `${`  ${a} // no comment  `} /* nor this */`",
    "a slash that divides": "const total = 8, parts = 2, g = 1; total / parts / g",
    "a slash that does not": r"'a/ /b'.split(/ \/(?=[/b])|\/ /u).join('|')",
    "no semicolons": "let n = 1\nconst all = [n]\n;[3].forEach((x) => all.push(x))\nall",
    "a name within a name": "((n) => { const inner = (n) => n + 1; return inner(n) * n; })(3)",
    "a property of the same name": "const width = 2; Object.keys({ width, w: width })",
    "a difference of signs": "let a = 3; const b = a - -a + +a; [b, a++ + ++a]",
    "a list taken apart after what it is made of": (
        "(({ shape }) => { const isFlat = shape.length === 1; const count = isFlat ? 1 : 2;"
        " const [middle, shift] = [2 * count, count - 1]; return [isFlat, middle, shift]; })"
        "({ shape: [3] })"
    ),
    "numbers": "[1.50, 0.5.toFixed(1), 1e3, 0x10, -0 === 0, 100000]",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_it_does_the_same(browser, script):
    page = browser.new_page()
    values = [page.evaluate("(script) => eval(script)", each) for each in (script, shorter(script))]
    page.close()
    assert values[0] == values[1]
    assert len(shorter(script)) <= len(script)


def test_names_that_others_see_stay_and_others_are_short():
    script = "var seenByAll = 1; (() => { const ofThisAlone = seenByAll + 1; go(ofThisAlone); })();"
    short = shorter(script)
    assert "seenByAll" in short
    assert "ofThisAlone" not in short


def test_a_licence_stays():
    short = shorter("/*! by somebody */\n// a remark\nlet a = 1;")
    assert "by somebody" in short
    assert "remark" not in short


def test_what_is_no_script_is_refused():
    with pytest.raises(ValueError, match="unexpected"):
        shorter("let a = ;")


def test_without_the_library_the_script_is_as_it_was(monkeypatch):
    monkeypatch.setattr(module, "minify", None)
    assert shorter("let a = 1; // a remark") == "let a = 1; // a remark"

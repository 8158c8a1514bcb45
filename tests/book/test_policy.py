"""The content security policy of each page; that pages live under it, every browser test shows."""

import re

import pytest
from policy import policy_of


def policy(page):
    [found] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    parts = (part.split() for part in found.split(";"))
    return {name: sources for name, *sources in parts}


def test_every_page_has_a_strict_policy(book):
    pages = [page for page in book.rglob("*.html") if "_static" not in page.parts]
    assert len(pages) > 25
    for page in pages:
        text = page.read_text("utf-8")
        parts = policy(text)
        assert parts["default-src"] == ["'self'"], page
        every = {source for sources in parts.values() for source in sources}
        assert not every & {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"}, page
        trains = any(f'data-module="{lab}_lab"' in text for lab in ("training", "map"))
        assert ("'wasm-unsafe-eval'" in every) == ("blob:" in every) == trains, page
        assert not re.search(r'<[^>]* (?:on\w+|style)="|href="javascript:', text), page


def test_what_nobody_named_does_not_run(book, serve, open_page):
    visit = open_page(f"{serve(book)}/book/glossary.html")
    visit.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "globalThis.ran = true";
            document.body.append(script);
        }"""
    )
    assert visit.page.evaluate("globalThis.ran") is None
    assert any("Content Security Policy" in error for error in visit.errors)


@pytest.mark.parametrize(
    "change", ["<script>let a = 1;</script>", "<style>p { color: red }</style>"]
)
def test_it_names_what_is_within_the_page_by_its_hash(change):
    plain = '<meta charset="utf-8"><script src="a.js"></script><p>'
    assert "sha256" not in policy_of(plain)
    assert len(re.findall(r"'sha256-[\w+/]{43}='", policy_of(plain + change))) == 1

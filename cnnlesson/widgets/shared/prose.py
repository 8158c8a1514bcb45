"""Sentences of a figure that asks: plain text, in which backticks set code."""

from hashlib import sha256
from html import escape

__all__ = ["asked", "prose", "shuffled"]


def prose(text: str) -> str:
    """Return a sentence as HTML.

    Parameters
    ----------
    text : str
        Plain text. What stands between two backticks is code.

    Returns
    -------
    str
        The text with its code in ``<code>``, everything else escaped.

    Examples
    --------
    >>> prose("`a < b` holds")
    '<code>a &lt; b</code> holds'
    """
    parts = (escape(part, quote=False) for part in text.split("`"))
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def asked(words: str, options: list[str]) -> str:
    """Return what is asked, and below it what may be chosen, as HTML.

    Parameters
    ----------
    words : str
        The question, as for `prose`.
    options : list of str
        The answers, likewise; none if nothing is to be chosen.

    Returns
    -------
    str
        A paragraph, and a list if there are options.
    """
    items = "".join(f"<li>{prose(option)}</li>" for option in options)
    return f"<p>{prose(words)}</p>" + (f"\n<ul>{items}</ul>" if items else "")


def shuffled(texts: list[str]) -> list[str]:
    """Return texts in an order that says nothing, and is the same in every build.

    Parameters
    ----------
    texts : list of str
        The texts; where any two differ, their order does not matter.

    Returns
    -------
    list of str
        The same texts.
    """
    return sorted(texts, key=lambda text: sha256(text.encode()).digest())

"""A question that answers back: each wrong answer is told what it mistakes, and where to look."""

import math
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from typing import Any, Self

from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.prose import asked, prose, shuffled

__all__ = ["Question"]


class Question(Figure, module="question"):
    """A question with one right answer, and words for the others.

    It is asked in the notebook and on the page alike. What a reader answers is kept by their own
    browser. Write one with `choose`, `number`, `order`, `wrong_line` or `prints`. All words are
    plain text, in which backticks set code.

    Parameters
    ----------
    name : str
        Its name in the reader's browser: the chapter's number and a word, such as ``"02-sizes"``.
    prompt : str
        What is asked.
    answers : dict
        What may be answered, and what is said then, as the five functions write it.
    because : str
        What is said to the right answer.
    at : str
        The heading of the same chapter under which it is explained.

    Raises
    ------
    ValueError
        If the name is of another form, or words are missing.
    """

    def __init__(
        self, name: str, prompt: str, answers: dict[str, Any], *, because: str, at: str
    ) -> None:
        if not re.fullmatch(r"\d\d(-[a-z0-9]+)+", name):
            raise ValueError(f"name: expected one such as '02-sizes', found {name!r}")
        for what, words in (("prompt", prompt), ("because", because), ("at", at)):
            if not words.strip():
                raise ValueError(f"{what}: expected words, found {words!r}")
        self._content = {
            "name": name,
            "prompt": prompt,
            **answers,
            "because": because,
            "place": {"title": at, "id": _place_of(at)},
        }
        super().__init__()

    @classmethod
    def choose(
        cls,
        name: str,
        prompt: str,
        *,
        right: str,
        because: str,
        wrong: Mapping[str, str],
        at: str,
    ) -> Self:
        """Ask for one of several answers.

        Parameters
        ----------
        name, prompt, because, at : str
            As for the class.
        right : str
            The right answer.
        wrong : mapping of str to str
            Each wrong answer, and what it mistakes.

        Returns
        -------
        Question
            Its answers stand in an order that does not depend on which is right.

        Raises
        ------
        ValueError
            If the right answer is among the wrong ones too, or words are missing.
        """
        _check_words(wrong, right)
        options = shuffled([right, *wrong])
        answers = {
            "kind": "choose",
            "options": options,
            "right": options.index(right),
            "words": [wrong.get(option, "") for option in options],
        }
        return cls(name, prompt, answers, because=because, at=at)

    @classmethod
    def number(
        cls,
        name: str,
        prompt: str,
        *,
        right: float,
        because: str,
        wrong: Mapping[float, str],
        otherwise: str,
        at: str,
        tolerance: float = 0.0,
        unit: str = "",
    ) -> Self:
        """Ask for a number.

        Parameters
        ----------
        name, prompt, because, at : str
            As for the class.
        right : float
            The right number, as code computed it.
        wrong : mapping of float to str
            Numbers that a misconception leads to, and which one it is.
        otherwise : str
            What is said to every other number.
        tolerance : float, default 0
            How far from a number an answer may be to count as that number.
        unit : str, default ""
            What is written behind the number.

        Returns
        -------
        Question
            A question with a line to type on.

        Raises
        ------
        ValueError
            If a number is not finite, one answer would count as two of the numbers, or words are
            missing.
        """
        numbers = sorted(map(float, [right, *wrong]))
        if not all(map(math.isfinite, [*numbers, tolerance])):
            raise ValueError(
                "right, wrong, tolerance: expected finite numbers, found "
                f"{', '.join(map(str, [*numbers, tolerance]))}"
            )
        close = [b for a, b in pairwise(numbers) if b - a <= 2 * tolerance]
        if close or tolerance < 0:
            raise ValueError(
                f"wrong: expected numbers more than {2 * tolerance:g} apart from the right one "
                f"and from each other, found {', '.join(f'{number:g}' for number in numbers)}"
            )
        _check_words({**{str(value): words for value, words in wrong.items()}, "": otherwise})
        answers = {
            "kind": "number",
            "right": float(right),
            "tolerance": tolerance,
            "wrong": [[float(value), words] for value, words in wrong.items()],
            "otherwise": otherwise,
            "unit": unit,
        }
        return cls(name, prompt, answers, because=because, at=at)

    @classmethod
    def order(
        cls, name: str, prompt: str, *, first: str, then: Mapping[str, str], because: str, at: str
    ) -> Self:
        """Ask for the order of some steps.

        Parameters
        ----------
        name, prompt, because, at : str
            As for the class.
        first : str
            The step that comes first.
        then : mapping of str to str
            The others in their order, and what is said to whoever takes one too early.

        Returns
        -------
        Question
            Its steps stand in an order that is not the right one.

        Raises
        ------
        ValueError
            If there are fewer than three steps, or words are missing.
        """
        _check_words(then, first)
        right = [first, *then]
        if len(right) < 3:
            raise ValueError(f"then: expected at least two steps, found {len(then)}")
        steps = shuffled(right)
        if steps == right:
            steps.reverse()
        answers = {
            "kind": "order",
            "options": steps,
            "right": [steps.index(step) for step in right],
            "words": [then.get(step, "") for step in steps],
        }
        return cls(name, prompt, answers, because=because, at=at)

    @classmethod
    def wrong_line(
        cls,
        name: str,
        prompt: str,
        *,
        code: str,
        right: str,
        wrong: Mapping[str, str],
        because: str,
        at: str,
    ) -> Self:
        """Ask which line of a program is wrong.

        Parameters
        ----------
        name, prompt, because, at : str
            As for the class.
        code : str
            The program.
        right : str
            The line that is wrong, without what indents it: the right answer.
        wrong : mapping of str to str
            The other lines, likewise, and why they are as they should be.

        Returns
        -------
        Question
            A program whose lines can be pressed.

        Raises
        ------
        ValueError
            If these are not the lines of the program, each there once, or words are missing.
        """
        _check_words(wrong, right)
        lines = [line for line in code.strip("\n").splitlines() if line.strip()]
        found = [line.strip() for line in lines]
        if sorted(found) != sorted([right, *wrong]):
            raise ValueError(
                f"code: expected each of its lines in right or wrong once, found {found}"
            )
        answers = {
            "kind": "line",
            "options": lines,
            "right": found.index(right),
            "words": [wrong.get(line, "") for line in found],
        }
        return cls(name, prompt, answers, because=because, at=at)

    @classmethod
    def prints(
        cls,
        name: str,
        code: str,
        *,
        because: str,
        wrong: Mapping[str, str],
        otherwise: str,
        at: str,
    ) -> Self:
        """Ask what a program prints. The program is run to find out.

        Parameters
        ----------
        name, because, at : str
            As for the class.
        code : str
            The program; it prints one line.
        wrong : mapping of str to str
            Lines that a misconception leads to, and which one it is. Spaces do not count.
        otherwise : str
            What is said to every other line.

        Returns
        -------
        Question
            A program with a line to type on.

        Raises
        ------
        ValueError
            If the program does not print one line, a wrong line is what it prints, or words are
            missing.
        """
        code = code.strip("\n")
        with redirect_stdout(StringIO()) as printed:
            exec(compile(code, f"<{name}>", "exec"), {})
        right = printed.getvalue().strip()
        if len(right.splitlines()) != 1:
            raise ValueError(f"code: expected it to print one line, found {right!r}")
        if _bare(right) in map(_bare, wrong):
            raise ValueError(f"wrong: expected other lines than {right!r}, which the code prints")
        _check_words({**wrong, "otherwise": otherwise})
        answers = {
            "kind": "print",
            "code": code,
            "right": right,
            "wrong": list(map(list, wrong.items())),
            "otherwise": otherwise,
        }
        return cls(name, "What does this print?", answers, because=because, at=at)

    def data(self) -> dict[str, Any]:
        """Return all that is asked and said.

        Returns
        -------
        dict
            The question, by the names that the module knows.
        """
        return self._content

    def still(self) -> str:
        """Return the question in words, with what may be chosen, but not what is right.

        Returns
        -------
        str
            HTML.
        """
        options, code = self._content.get("options", []), self._content.get("code")
        if self._content["kind"] == "line":
            options, code = [], "\n".join(options)
        words = asked(self.summary(), options)
        return f"{words}\n<pre>{prose(code)}</pre>" if code else words

    def summary(self) -> str:
        """Return what is asked."""
        return self._content["prompt"]

    def __repr__(self) -> str:
        return f"Question({self._content['name']!r})"


def _bare(line: str) -> str:
    """Return a line without its spaces, which nobody should have to count."""
    return "".join(line.split())


def _place_of(heading: str) -> str:
    """Return the name that a heading has in the built page's address."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _check_words(wrong: Mapping[str, str], right: str | None = None) -> None:
    """Refuse answers without words of their own, and a right one that is among the wrong."""
    if right in wrong or not wrong:
        raise ValueError(f"wrong: expected answers other than {right!r}, found {list(wrong)}")
    words = [" ".join(said.split()) for said in wrong.values()]
    if "" in words or len(set(words)) < len(words):
        raise ValueError("wrong: expected words of its own for each answer, found some twice")

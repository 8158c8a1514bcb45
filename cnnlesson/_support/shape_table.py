"""The table of a forward pass: a row for each step, and how it is shown."""

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnlesson._support.verdicts import times

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LayerShape", "Shape", "ShapeTable"]

Shape = tuple[Any, ...]


class LayerShape(NamedTuple):
    """One step of a forward pass: the call of a layer, or of a function.

    Attributes
    ----------
    name : str
        Where the layer is in the model, such as ``"layers.0"``. A function has the name of the
        module that calls it and its own, and a number from the second call on:
        ``"block.max_pool2d_1"``.
    kind : str
        Class name of the layer, such as ``"Conv2d"``, or name of the function: ``"max_pool2d"``.
    input_shape, output_shape : tuple of int
        Shapes with the batch dimension first. A step with several tensors has a tuple of shapes,
        one that takes or gives none has None.
    num_parameters : int
        Parameters of this layer; a function has none.
    num_trainable : int
        Those of them that a training changes.
    multiply_adds : int or None
        Multiplications that are followed by an addition. None where PyTorch does not say.
    num_bytes : int
        Memory that the output takes.
    settings : str
        A function as it was called, without its tensors: ``"max_pool2d(kernel_size=2)"``.
    """

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    num_parameters: int
    num_trainable: int = 0
    multiply_adds: int | None = None
    num_bytes: int = 0
    settings: str = ""


class ShapeTable:
    """The shapes of one forward pass, step by step.

    Attributes
    ----------
    rows : list of LayerShape
        One row per call of a layer or a function, in order of execution.
    num_parameters : int
        Parameters of the whole model; one that several layers share counts once.
    notes : list of str
        Where the rows do not add up to that: which parameters stand in no row, or in several.
    """

    def __init__(
        self, rows: list[LayerShape], num_parameters: int, notes: list[str] | None = None
    ) -> None:
        self.rows = rows
        self.num_parameters = num_parameters
        self.notes = notes or []

    def to_frame(self) -> "pd.DataFrame":
        """Return the rows as a data frame, with what they cost.

        Returns
        -------
        pandas.DataFrame
            Index ``name``; columns ``layer``, ``input``, ``output``, ``parameters``,
            ``trainable``, ``multiply_adds`` and ``bytes`` (of the output). Where multiply-adds
            are not known they are missing.
        """
        import pandas as pd  # here, because to trace and to print needs none

        lines = [
            (
                *(row.name, row.settings or row.kind, row.input_shape, row.output_shape),
                *(row.num_parameters, row.num_trainable, row.multiply_adds, row.num_bytes),
            )
            for row in self.rows
        ]
        columns = ["name", "layer", "input", "output", "parameters", "trainable"]
        frame = pd.DataFrame(lines, columns=[*columns, "multiply_adds", "bytes"]).set_index("name")
        whole = {"parameters": int, "trainable": int, "multiply_adds": "Int64", "bytes": int}
        return frame.astype(whole)

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                *(row.name, row.settings or row.kind),
                *(times(row.input_shape), times(row.output_shape), f"{row.num_parameters:,}"),
            )
            for row in self.rows
        ]

    def __repr__(self) -> str:
        lines = [_HEADINGS, *self._cells()]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        text = []
        for line in lines:
            *left, last = (
                cell.rjust(width) if heading == _HEADINGS[-1] else cell.ljust(width)
                for heading, cell, width in zip(_HEADINGS, line, widths, strict=True)
            )
            text.append("  ".join([*left, last]))
        text.insert(1, "─" * len(text[0]))
        text.append(text[1])
        below = [f"{self.num_parameters:,} parameters", *self.notes]
        return "\n".join([*text, *(line.rjust(len(text[0])) for line in below)])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
            for line in self._cells()
        )
        foot = (
            f'<tr><td colspan="{len(_HEADINGS) - 1}">all</td><td>{self.num_parameters:,}</td></tr>'
        )
        for note in self.notes:
            foot += f'<tr><td colspan="{len(_HEADINGS)}">{escape(note)}</td></tr>'
        return (
            f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
            f"<tfoot>{foot}</tfoot></table>"
        )


_HEADINGS = ("name", "layer", "input", "output", "parameters")

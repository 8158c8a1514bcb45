"""A colour that spreads over a graph: how far news travels, and how fast the rest follows."""

from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from cnnlesson.momentum.descent import Trajectory, momentum_descent
from cnnlesson.momentum.graphs import PinnedGraph, expander_graph, grid_graph, path_graph
from cnnlesson.widgets.shared.figure import Figure
from cnnlesson.widgets.shared.settings import Choice, Number, Whole
from cnnlesson.widgets.shared.svg import svg_image

__all__ = ["GraphDescent"]

_SIDE = 8  # of the grid; all three graphs have as many nodes
_NAMES = ("path", "grid", "expander")


@cache
def _graph(name: str) -> PinnedGraph:
    edges = {
        "path": path_graph(_SIDE**2),
        "grid": grid_graph(_SIDE, _SIDE),
        "expander": expander_graph(_SIDE**2, seed=0),
    }
    return PinnedGraph(edges[name])


def _places(name: str) -> np.ndarray:
    """Return where the nodes are drawn, shape (64, 2), from 0 to 7 each."""
    node = np.arange(_SIDE**2)
    if name == "expander":
        turn = np.exp(2j * np.pi * node / _SIDE**2 - 0.5j * np.pi)
        return (_SIDE - 1) / 2 * (1 + np.column_stack([turn.real, turn.imag]))
    row, column = np.divmod(node, _SIDE)
    if name == "path":  # a snake
        column = np.where(row % 2, _SIDE - 1 - column, column)
    return np.column_stack([column, row]).astype(float)


class GraphDescent(Figure, module="graph_descent"):
    r"""Gradient descent with momentum that colours a graph from one node.

    Each of 64 nodes has a weight, zero but for the first, which is held at 1. The loss is half the
    sum of the squared differences along the edges, so that in the end all weights are 1.

    Attributes
    ----------
    graph : {"path", "grid", "expander"}
        A path, a grid of 8 by 8, or two random rings through all nodes.
    num_steps : int, default 30
        Number of steps, 0 to 400.
    lr : float, default 0.45
        Step size α, 0.01 to 1.
    momentum : float, default 0.95
        Momentum μ, 0 to 0.99.

    Raises
    ------
    traitlets.TraitError
        If an attribute is set to something out of its range.

    References
    ----------
    G. Goh, "Why Momentum Really Works", Distill, 2017.

    Examples
    --------
    >>> figure = GraphDescent(graph="path", num_steps=5)
    >>> int(np.count_nonzero(figure.path().w[-1]))  # the news has gone five nodes far
    6
    """

    graph = Choice(*_NAMES)
    num_steps = Whole(30, low=0, high=400)
    lr = Number(0.45, low=0.01, high=1)
    momentum = Number(0.95, low=0, high=0.99)

    @property
    def problem(self) -> PinnedGraph:
        """The graph, with its first node held at 1."""
        return _graph(self.graph)

    def path(self) -> Trajectory:
        """Follow the weights.

        Returns
        -------
        Trajectory
            Weights and velocities, shape (num_steps + 1, 64) each.
        """
        return momentum_descent(
            self.problem.gradient,
            self.problem.start,
            lr=self.lr,
            momentum=self.momentum,
            num_steps=self.num_steps,
        )

    def errors(self) -> np.ndarray:
        """Return the largest distance of a weight from 1.

        Returns
        -------
        numpy.ndarray, shape (num_steps + 1,)
            At the start and after each step, 0 or more.
        """
        return np.abs(self.path().w - 1).max(axis=1)

    def data(self) -> dict[str, Any]:
        """Return each graph's edges, distances from the first node and extreme eigenvalues."""
        found = {}  # eigenvalues to the digits on which all machines agree
        for name in _NAMES:
            graph = _graph(name)
            found[name] = {
                "edges": graph.edges.tolist(),
                "distances": graph.distances.tolist(),
                "curvatures": [float(f"{value:.10g}") for value in graph.curvatures[[0, -1]]],
            }
        return {"graphs": found}

    def picture(self) -> str:
        """Return the graph, the darker a node the larger its weight, as an ``<svg>``."""
        places = 20 + 40 * _places(self.graph)
        edges = "".join(
            f"M{x:.1f},{y:.1f}L{a:.1f},{b:.1f}" for (x, y), (a, b) in places[self.problem.edges]
        )
        path = self.path().w
        weights = path[np.isfinite(path).all(axis=1)][-1]  # beyond all numbers the last ones stay
        radii = (6.4, 8.8) if self.graph == "expander" else (9.6, 12.0)  # the first one's is larger
        circles = [
            f'<circle cx="{x:.4g}" cy="{y:.4g}" r="{radii[i == 0]}" '
            f'fill-opacity="{np.clip(w, 0, 1):.2f}"/>'
            for i, ((x, y), w) in enumerate(zip(places, weights, strict=True))
        ]
        nodes = ""
        # Neighbours in the list that have heard nothing yet are faint together.
        is_silent = self.problem.distances > self.num_steps
        for silent, run in groupby(zip(is_silent, circles, strict=True), key=itemgetter(0)):
            several = "".join(circle for _, circle in run)
            nodes += f'<g stroke-opacity="0.4">{several}</g>' if silent else several
        label = (
            f"A graph of 64 nodes, a {self.graph}; the larger a node’s weight, "
            "the darker it is. The first is held at 1."
        )
        body = (
            f'<path d="{edges}" stroke="currentColor" stroke-opacity="0.4"/>'
            f'<g fill="currentColor" stroke="currentColor">{nodes}</g>'
        )
        return svg_image(body, label=label, size=(320, 320))

    def summary(self) -> str:
        """Return how far news and weights have come, in one sentence."""
        graph = self.problem
        article = "an" if self.graph == "expander" else "a"
        reached = np.count_nonzero(graph.distances <= self.num_steps)
        return (
            f"On {article} {self.graph} of 64 nodes with condition number κ = "
            f"{graph.condition_number:.4g}, after {self.num_steps} steps of size α = {self.lr:.4g} "
            f"with momentum μ = {self.momentum:.4g}, news of the first node has reached {reached} "
            f"nodes, and the largest error is {self.errors()[-1]:.3g}."
        )

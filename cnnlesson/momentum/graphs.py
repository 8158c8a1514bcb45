r"""A quantity that spreads over a graph: what a graph's shape does to gradient descent.

Each node holds a weight, each edge ties two weights together, and one node is held at 1,

.. math::

    L(w) = \tfrac12 \sum_{(i, j)} (w_i - w_j)^2, \qquad w_{\text{pinned}} = 1.

The minimum is 1 everywhere. The Hessian is the graph's Laplacian without the row and the column
of the pinned node, so its condition number says how well connected the graph is.

References
----------
G. Goh, "Why Momentum Really Works", Distill, 2017, "The Gradient of the Colorization Problem".

J. Friedman, "A proof of Alon's second eigenvalue conjecture and related problems", Memoirs of the
American Mathematical Society 195(910), 2008, for graphs joined from random permutations.
"""

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BeforeValidator, Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from cnnlesson._support.arguments import Count, NonNegativeCount, Seed, checked

__all__ = ["PinnedGraph", "expander_graph", "grid_graph", "path_graph"]


def _to_edges(value: object) -> np.ndarray:
    edges = np.asarray(value)
    if edges.dtype.kind not in "iu" or edges.ndim != 2 or edges.shape[1] != 2 or not edges.size:
        raise ValueError
    if edges.min() < 0 or (edges[:, 0] == edges[:, 1]).any():
        raise ValueError
    return edges


Edges = Annotated[
    np.ndarray,
    BeforeValidator(_to_edges),
    Field(description="pairs of two different node numbers, shape (m, 2)"),
]


@checked
def path_graph(num_nodes: Count) -> np.ndarray:
    """Return the edges of a path: each node tied to the next.

    Parameters
    ----------
    num_nodes : int
        Number of nodes n, 1 or more.

    Returns
    -------
    numpy.ndarray, shape (n - 1, 2)
        The two nodes of each edge.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    nodes = np.arange(num_nodes)
    return np.stack([nodes[:-1], nodes[1:]], axis=1)


@checked
def grid_graph(num_rows: Count, num_columns: Count) -> np.ndarray:
    """Return the edges of a grid: each node tied to the next in its row and in its column.

    Parameters
    ----------
    num_rows, num_columns : int
        Size of the grid, 1 or more each. Nodes are numbered row by row.

    Returns
    -------
    numpy.ndarray, shape (m, 2)
        The two nodes of each edge, first the edges along rows, then those along columns.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    nodes = np.arange(num_rows * num_columns).reshape(num_rows, num_columns)
    along_rows = np.stack([nodes[:, :-1].ravel(), nodes[:, 1:].ravel()], axis=1)
    along_columns = np.stack([nodes[:-1].ravel(), nodes[1:].ravel()], axis=1)
    return np.concatenate([along_rows, along_columns])


@checked
def expander_graph(num_nodes: Count, *, seed: Seed = 0) -> np.ndarray:
    """Return the edges of two random rings through all nodes: an expander, almost surely.

    Every node has four edges, as inside a grid, but they lead anywhere.

    Parameters
    ----------
    num_nodes : int
        Number of nodes n, 5 or more: among fewer, two rings share an edge.
    seed : int, default 0
        Decides the rings.

    Returns
    -------
    numpy.ndarray, shape (2 * n, 2)
        The two nodes of each edge, the smaller number first. No edge appears twice.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    if num_nodes < 5:
        raise ValueError(f"num_nodes: expected a whole number, 5 or more, found {num_nodes}")
    generator = np.random.default_rng(seed)
    while True:
        rings = [generator.permutation(num_nodes) for _ in range(2)]
        pairs = [np.stack([ring, np.roll(ring, -1)], axis=1) for ring in rings]
        edges = np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)
        if len(edges) == 2 * num_nodes:
            return edges


class PinnedGraph:
    r"""A weight on each node of a graph, tied along the edges, one of them held at 1.

    Parameters
    ----------
    edges : array_like of int, shape (m, 2)
        The two nodes of each edge, numbered from 0. Every node can be reached from every other.
    pinned : int, default 0
        The node that is held at 1.

    Attributes
    ----------
    num_nodes : int
        Number of nodes n.
    distances : numpy.ndarray of int, shape (n,)
        Fewest edges from the pinned node to each node.

    Raises
    ------
    ValueError
        If an argument is out of its range, or a node cannot be reached.
    """

    @checked
    def __init__(self, edges: Edges, pinned: NonNegativeCount = 0) -> None:
        self.edges = edges
        self.num_nodes = int(edges.max()) + 1
        self.pinned = pinned
        if pinned >= self.num_nodes:
            raise ValueError(f"pinned: expected a node below {self.num_nodes}, found {pinned}")
        size = (self.num_nodes, self.num_nodes)
        ties = coo_array((np.ones(len(edges)), edges.T), shape=size)
        hops = shortest_path(ties.tocsr(), directed=False, unweighted=True, indices=pinned)
        if not np.isfinite(hops).all():
            lost = int(np.flatnonzero(np.isinf(hops))[0])
            raise ValueError(f"edges: expected a way from node {pinned} to node {lost}, found none")
        self.distances = hops.astype(int)

    def __repr__(self) -> str:
        return f"PinnedGraph({self.num_nodes} nodes, {len(self.edges)} edges, pinned={self.pinned})"

    @property
    def start(self) -> np.ndarray:
        """Zero everywhere but at the pinned node, shape (n,)."""
        return np.eye(self.num_nodes)[self.pinned]

    @property
    def hessian(self) -> np.ndarray:
        """The matrix of second derivatives in the weights that may move, shape (n - 1, n - 1)."""
        laplacian = np.zeros((self.num_nodes, self.num_nodes))
        first, second = self.edges.T
        np.add.at(laplacian, (first, second), -1)
        np.add.at(laplacian, (second, first), -1)
        laplacian -= np.diag(laplacian.sum(axis=1))
        others = np.delete(np.arange(self.num_nodes), self.pinned)
        return laplacian[np.ix_(others, others)]

    @property
    def curvatures(self) -> np.ndarray:
        """The eigenvalues of the Hessian, the smallest first, shape (n - 1,)."""
        return np.linalg.eigvalsh(self.hessian)

    @property
    def condition_number(self) -> float:
        """The largest eigenvalue of the Hessian over the smallest."""
        curvatures = self.curvatures
        return float(curvatures[-1] / curvatures[0])

    def gradient(self, w: ArrayLike) -> np.ndarray:
        """Return the gradient of the loss, as :func:`momentum_descent` wants it.

        Parameters
        ----------
        w : array_like, shape (n,)
            The weights.

        Returns
        -------
        numpy.ndarray, shape (n,)
            The gradient: each component needs only the weight and its neighbours. The one of the
            pinned node is zero, so it stays where it is.

        Raises
        ------
        ValueError
            If ``w`` has another shape.
        """
        weights = np.asarray(w)
        if weights.shape != (self.num_nodes,):
            raise ValueError(f"w: expected shape ({self.num_nodes},), found {weights.shape}")
        first, second = self.edges.T
        pull = weights[first] - weights[second]
        gradient = np.bincount(first, pull, self.num_nodes)
        gradient -= np.bincount(second, pull, self.num_nodes)
        gradient[self.pinned] = 0
        return gradient

    @checked
    def lower_bound(self, num_steps: NonNegativeCount) -> np.ndarray:
        r"""Return how near to the minimum any first-order method can be that starts from zero.

        Each gradient tells a weight about its neighbours only, so after k steps the weights
        farther than k edges from the pinned node are still zero. They should be 1.

        Parameters
        ----------
        num_steps : int
            Number of steps, 0 or more.

        Returns
        -------
        numpy.ndarray, shape (num_steps + 1,)
            After k steps the largest distance of a weight from its minimum is at least this: 1
            while there is a node farther than k edges away, 0 from then on.
        """
        return (np.arange(num_steps + 1) < self.distances.max()).astype(float)

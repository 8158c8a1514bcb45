"""Graphs and the weights on them, against SciPy's graph routines and PyTorch."""

import re

import numpy as np
import pytest
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, laplacian

from cnnlesson import (
    PinnedGraph,
    expander_graph,
    grid_graph,
    momentum_descent,
    optimal_lr,
    optimal_momentum,
    path_graph,
)

GRAPHS = {
    "path": path_graph(12),
    "grid": grid_graph(3, 5),
    "expander": expander_graph(20, seed=3),
    "twice tied": np.array([[1, 0], [0, 1], [2, 1]]),
}


def adjacency(edges):
    size = int(np.max(edges)) + 1
    one_way = coo_array((np.ones(len(edges)), np.transpose(edges)), shape=(size, size)).toarray()
    return one_way + one_way.T


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("pinned", [0, 2])
def test_the_hessian_is_scipy_s_laplacian_without_the_pinned_node(name, pinned):
    graph = PinnedGraph(GRAPHS[name], pinned)
    whole = laplacian(adjacency(GRAPHS[name]))
    expected = np.delete(np.delete(whole, pinned, axis=0), pinned, axis=1)
    np.testing.assert_array_equal(graph.hessian, expected)
    np.testing.assert_allclose(graph.curvatures, np.linalg.svd(expected)[1][::-1], atol=1e-12)
    assert graph.condition_number == pytest.approx(np.linalg.cond(expected), rel=1e-10)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_gradient_is_that_of_torch(name):
    graph = PinnedGraph(GRAPHS[name], 1)
    w = torch.from_numpy(np.random.default_rng(0).standard_normal(graph.num_nodes))
    w.requires_grad_()
    first, second = torch.from_numpy(GRAPHS[name]).T
    ((w[first] - w[second]) ** 2).sum().div(2).backward()
    expected = w.grad.numpy().copy()
    expected[1] = 0
    np.testing.assert_allclose(graph.gradient(w.detach().numpy()), expected, atol=1e-13)


@pytest.mark.parametrize("name", GRAPHS)
def test_distances_by_breadth_first_search(name):
    graph = PinnedGraph(GRAPHS[name], 2)
    order, before = breadth_first_order(coo_array(adjacency(GRAPHS[name])).tocsr(), 2)
    expected = np.zeros(graph.num_nodes, int)
    for node in order[1:]:
        expected[node] = expected[before[node]] + 1
    np.testing.assert_array_equal(graph.distances, expected)


def test_curvatures_of_a_path_have_a_closed_form():
    angles = (2 * np.arange(1, 64) - 1) * np.pi / (2 * (2 * 63 + 1))
    expected = 4 * np.sin(angles) ** 2
    np.testing.assert_allclose(PinnedGraph(path_graph(64)).curvatures, expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_an_expander_has_four_edges_a_node_and_is_close_knit(seed):
    edges = expander_graph(64, seed=seed)
    found = adjacency(edges)
    assert (found.sum(axis=0) == 4).all()
    assert found.max() == 1
    assert connected_components(found)[0] == 1
    # Friedman: the second eigenvalue is near 2√3, where four edges a node allow no less.
    assert np.sort(np.linalg.eigvalsh(found))[-2] < 2 * np.sqrt(3) + 0.3
    np.testing.assert_array_equal(edges, expander_graph(64, seed=seed))
    other = expander_graph(64, seed=seed + 1)
    assert other.shape == (128, 2)
    assert (other != edges).any()


def test_small_graphs_edge_by_edge():
    assert path_graph(3).tolist() == [[0, 1], [1, 2]]
    assert path_graph(1).shape == (0, 2)
    assert grid_graph(2, 2).tolist() == [[0, 1], [2, 3], [0, 2], [1, 3]]
    assert len(grid_graph(8, 8)) == 112
    assert len(expander_graph(5)) == 10  # all that five nodes have


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_news_travels_one_edge_a_step_and_no_descent_is_below_the_bound(name, momentum):
    graph = PinnedGraph(GRAPHS[name])
    path = momentum_descent(graph.gradient, graph.start, lr=0.1, momentum=momentum, num_steps=30).w
    for step, w in enumerate(path):
        np.testing.assert_array_equal(w != 0, graph.distances <= step)
    errors = np.abs(path - 1).max(axis=1)
    bound = graph.lower_bound(30)
    assert (errors >= bound).all()
    assert bound.sum() == graph.distances.max()
    assert (errors[bound == 1] == 1).all()


@pytest.mark.parametrize("name", GRAPHS)
def test_the_best_settings_bring_every_weight_to_1_at_their_rate(name):
    graph = PinnedGraph(GRAPHS[name])
    extremes = graph.curvatures[[0, -1]]
    plain, fast = optimal_lr(*extremes), optimal_momentum(*extremes)
    for lr, momentum, rate in ((plain.lr, 0.0, plain.rate), fast):
        num_steps = int(np.log(1e-6) / np.log(rate)) + 40
        path = momentum_descent(
            graph.gradient, graph.start, lr=lr, momentum=momentum, num_steps=num_steps
        )
        np.testing.assert_allclose(path.w[-1], 1, atol=1e-3)


def test_weights_may_be_a_list():
    graph = PinnedGraph(path_graph(3))
    np.testing.assert_array_equal(graph.gradient([1, 2, 4]), graph.gradient(np.array([1.0, 2, 4])))


def test_repr():
    assert repr(PinnedGraph(path_graph(4), 1)) == "PinnedGraph(4 nodes, 3 edges, pinned=1)"


EDGES = "edges: expected pairs of two different node numbers, shape (m, 2)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PinnedGraph([[0, 1, 2]]), EDGES),
        (lambda: PinnedGraph([[0.0, 1.0]]), EDGES),
        (lambda: PinnedGraph([[1, 1]]), EDGES),
        (lambda: PinnedGraph([[-1, 1]]), EDGES),
        (lambda: PinnedGraph(path_graph(1)), EDGES),
        (lambda: PinnedGraph("edges"), EDGES),
        (lambda: PinnedGraph([[0, 1], [2, 3]]), "edges: expected a way from node 0 to node 2"),
        (lambda: PinnedGraph([[0, 1]], 2), "pinned: expected a node below 2, found 2"),
        (lambda: PinnedGraph([[0, 1]], -1), "pinned: expected a whole number, 0 or more"),
        (lambda: PinnedGraph([[0, 1]]).gradient(np.zeros(3)), "w: expected shape (2,), found (3,)"),
        (lambda: PinnedGraph([[0, 1]]).gradient([1, 2, 3]), "w: expected shape (2,), found (3,)"),
        (lambda: PinnedGraph([[0, 1]]).lower_bound(-1), "num_steps: expected a whole number"),
        (lambda: path_graph(0), "num_nodes: expected a whole number, 1 or more, found 0"),
        (lambda: grid_graph(2, 0), "num_columns: expected a whole number, 1 or more, found 0"),
        (lambda: expander_graph(4), "num_nodes: expected a whole number, 5 or more, found 4"),
        (lambda: expander_graph(9, seed=-1), "seed: expected a whole number"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()

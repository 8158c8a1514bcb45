"""The descent on a graph, against powers of a matrix and SciPy's Laplacian."""

import re

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import laplacian
from traitlets import TraitError

from cnnlesson.widgets import GraphDescent

GRAPHS = ("path", "grid", "expander")


def laplacian_of(edges):
    one_way = coo_array((np.ones(len(edges)), np.transpose(edges)), shape=(64, 64))
    return laplacian((one_way + one_way.T).toarray())


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_weights_are_powers_of_one_matrix(graph, momentum):
    figure = GraphDescent(graph=graph, lr=0.2, momentum=momentum, num_steps=25)
    hessian = laplacian_of(figure.data()["graphs"][graph]["edges"])[1:, 1:]
    unit = np.eye(63)
    step = np.block(
        [
            [unit - 0.2 * hessian, momentum * unit],
            [-0.2 * hessian, momentum * unit],
        ]
    )
    error = np.linalg.matrix_power(step, 25) @ np.concatenate([-np.ones(63), np.zeros(63)])
    w = figure.path().w[-1]
    assert w[0] == 1
    np.testing.assert_allclose(w[1:] - 1, error[:63], atol=1e-12)
    assert figure.errors()[-1] == pytest.approx(np.abs(error[:63]).max(), rel=1e-10)


@pytest.mark.parametrize("graph", GRAPHS)
def test_what_travels_to_the_page_is_scipy_s(graph):
    sent = GraphDescent().data()["graphs"][graph]
    whole = laplacian_of(sent["edges"])
    extremes = np.linalg.eigvalsh(whole[1:, 1:])[[0, -1]]
    np.testing.assert_allclose(sent["curvatures"], extremes, rtol=1e-9)
    reach = np.eye(64)[0]
    for distance in range(64):
        np.testing.assert_array_equal(reach != 0, np.array(sent["distances"]) <= distance)
        reach = ((np.eye(64) + np.abs(whole)) @ reach > 0).astype(float)


def test_an_expander_is_better_conditioned_than_a_grid_and_a_grid_than_a_path():
    path, grid, expander = (GraphDescent(graph=graph).problem for graph in GRAPHS)
    assert path.condition_number > 10 * grid.condition_number > 30 * expander.condition_number
    assert [graph.distances.max() for graph in (path, grid, expander)] == [63, 14, 5]


def test_the_still_picture_s_nodes_are_as_dark_as_their_weights():
    figure = GraphDescent(num_steps=9)
    drawn = [float(part) for part in re.findall(r'fill-opacity="([\d.]+)"', figure.picture())]
    np.testing.assert_allclose(drawn, np.clip(figure.path().w[-1], 0, 1), atol=0.0051)
    wild = GraphDescent(graph="grid", lr=1, momentum=0, num_steps=400)
    assert "nan" not in wild.picture()


def test_the_sentence_counts_the_nodes_that_have_news():
    sentence = GraphDescent(num_steps=7).summary()
    assert "κ = 6533, after 7 steps" in sentence
    assert sentence.endswith("has reached 8 nodes, and the largest error is 1.")
    assert "On an expander of 64 nodes" in GraphDescent(graph="expander").summary()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("graph", "ring", "graph: expected one of path, grid, expander, found 'ring'"),
        ("num_steps", 401, "num_steps: expected a whole number from 0 to 400, found 401"),
        ("lr", 2, "lr: expected a number from 0.01 to 1, found 2"),
        ("momentum", 1, "momentum: expected a number from 0 to 0.99, found 1"),
    ],
)
def test_out_of_range_is_refused_by_name(name, value, expected):
    with pytest.raises(TraitError, match=re.escape(expected)):
        GraphDescent(**{name: value})

"""Pixels to numbers around 0."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from tiny_mnist import one_error

from cnnlesson.data import Digits, standardize


@given(st.integers(0, 2**32 - 1), st.sampled_from([(1,), (3, 1, 28, 28), (28, 28), (2, 784)]))
def test_standardize_is_the_published_formula(seed, shape):
    images = torch.from_numpy(
        np.random.default_rng(seed).uniform(1.01, 255, shape).astype(np.float32)
    )
    before = images.clone()
    scaled = standardize(images)
    assert scaled.dtype == torch.float32
    assert scaled.shape == images.shape
    assert torch.equal(images, before)
    exact = (images.double().numpy() / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(scaled, exact, atol=1e-6)


def test_standardize_at_its_ends():
    ends = standardize(torch.tensor([0.0, 255.0]))
    assert ends.tolist() == pytest.approx([-0.4242129, 2.8214867], abs=1e-6)
    assert standardize(torch.zeros(2, 1, 28, 28)).unique().numel() == 1  # blank is not scaled
    assert standardize(torch.zeros(0, 1, 28, 28)).shape == (0, 1, 28, 28)


def test_standardize_passes_gradients():
    images = torch.full((1, 1, 28, 28), 128.0, requires_grad=True)
    standardize(images).sum().backward()
    assert images.grad.unique().tolist() == pytest.approx([1 / 255 / 0.3081])


BROKEN_TENSORS = {
    "bytes": (torch.zeros(2, dtype=torch.uint8), "float32", "torch.uint8; images.float() is one"),
    "double": (torch.zeros(2, dtype=torch.float64), "float32", "torch.float64"),
    "half": (torch.zeros(2, dtype=torch.float16), "float32", "torch.float16"),
    "a numpy array": (
        np.zeros(2, np.float64),
        "torch.Tensor",
        "a NumPy array; torch.from_numpy(images)",
    ),
    "a list": ([0.0, 255.0], "torch.Tensor", "a list; torch.tensor(images).float() is one"),
    "digits as they were loaded": (
        Digits(torch.zeros(2), torch.zeros(2), "x"),
        "torch.Tensor",
        "a Digits; standardize(images.images) is one",
    ),
    "NaN": (torch.tensor([0, math.nan, 255]), "[0, 255]", "nan"),
    "infinity": (torch.tensor([0, math.inf]), "[0, 255]", "inf"),
    "negative": (torch.tensor([-0.5, 200]), "[0, 255]", "-0.5"),
    "above 255": (torch.tensor([0, 256.0]), "[0, 255]", "256"),
    "in [0, 1]": (torch.tensor([0, 0.25, 1.0]), "[0, 255]", "scaled already"),
    "standardised before": (standardize(torch.tensor([0.0, 255])), "[0, 255]", "-0.42"),
}


@pytest.mark.parametrize("case", BROKEN_TENSORS)
def test_standardize_refuses(case):
    images, expected, found = BROKEN_TENSORS[case]
    with one_error(ValueError, "images", expected, found):
        standardize(images)

"""The images of a run, from all of MNIST or from the sample of it that comes with the package."""

import pytest
import torch

from cnnlesson import Run, load_digits
from cnnlesson._support.sample import NUM_TEST, NUM_TRAIN
from cnnlesson.experiments.experiment import prepare
from cnnlesson.experiments.images import num_available


@pytest.mark.parametrize("order", ["shuffled", "sorted"])
def test_a_run_meets_the_same_images_as_on_all_of_mnist(request, order):
    if not request.config.has_mnist:
        pytest.skip("MNIST is neither on disk nor to be had")
    run = Run(order=order, num_images=NUM_TRAIN, num_test_images=NUM_TEST)
    ours = prepare(run, load_digits("sample"))
    theirs = prepare(run, load_digits("mnist"))
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert torch.equal(getattr(ours, name), getattr(theirs, name)), name


def test_more_images_than_it_has_are_refused():
    with pytest.raises(ValueError, match="num_images: expected at most 6000, found 6001"):
        prepare(Run(num_images=6001), load_digits("sample"))


def test_it_says_how_many_there_are():
    assert num_available(load_digits("sample")) == (NUM_TRAIN, NUM_TEST)
    assert num_available(load_digits("sklearn")) == (1257, 540)

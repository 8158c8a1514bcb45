"""Models, images and labels as people give them: what is taken, and the way out of what is not."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

from cnnlesson import load_digits, standardize
from cnnlesson._support.inputs import (
    check_classes,
    check_images,
    check_labels,
    check_model,
    check_pair,
    check_several,
)

X = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0))
Y = torch.arange(20) % 10


class Pairs(Dataset):
    def __len__(self):
        return len(X)

    def __getitem__(self, i):
        if i >= len(X):
            raise IndexError
        return X[i], int(Y[i])


def way_out(message, name, value):
    """Return what the message advises: the last call or index in it, carried out."""
    advised = message.rsplit("; ", 1)[1]
    advised = re.sub(r"^(batches are made here, so )?(give )?", "", advised)
    ends = "is one|is ordinary|can be computed with|makes them so|counts them from 0"
    advised = re.sub(rf" ({ends}|is its labels|is the labels)$", "", advised)
    advised = advised.removeprefix("if they are one-hot, ")
    return eval(advised, {"torch": torch, "standardize": standardize, name: value})


LOADER = DataLoader(TensorDataset(X, Y), batch_size=7)
NO_IMAGES = {
    "an array": (X.numpy(), "a NumPy array"),
    "an array of float64": (X.double().numpy(), "a NumPy array"),
    "an array of the other byte order": (X.numpy().astype(">f4"), "a NumPy array"),
    "an array that runs backwards": (X.flip(0).numpy()[::-1], "a NumPy array"),
    "a table": (pd.DataFrame(X.flatten(1).numpy()), "a DataFrame"),
    "a list": (X.tolist(), "a list"),
    "a list of tensors": (list(X), "a list"),
    "images and labels": ((X, Y), "a tuple"),
    "a loader": (LOADER, "a DataLoader"),
    "a data set": (Pairs(), "a Pairs"),
    "a data set of tensors": (TensorDataset(X, Y), "a TensorDataset"),
}


@pytest.mark.parametrize("case", NO_IMAGES)
def test_what_is_no_tensor_of_images_is_named_with_the_call_that_makes_one(case):
    value, found = NO_IMAGES[case]
    with pytest.raises(ValueError, match=f"^x_val: expected a torch.Tensor, found {found}; ") as e:
        check_images("x_val", value)
    made = way_out(str(e.value), "x_val", value)
    assert torch.equal(made.reshape(X.shape), X)
    check_images("x_val", made)


NO_LABELS = {
    "an array": (Y.numpy(), "a NumPy array"),
    "an array of int32": (Y.int().numpy(), "a NumPy array"),
    "an array of the other byte order": (Y.numpy().astype(">i4"), "a NumPy array"),
    "a list": (Y.tolist(), "a list"),
    "a list of tensors": (list(Y), "a list"),
    "images and labels": ((X, Y), "a tuple"),
    "a column of a table": (pd.Series(Y.numpy()), "a Series"),
    "a loader": (LOADER, "a DataLoader"),
    "a data set": (Pairs(), "a Pairs"),
    "a data set of tensors": (TensorDataset(X, Y), "a TensorDataset"),
}


@pytest.mark.parametrize("case", NO_LABELS)
def test_what_is_no_tensor_of_labels_is_named_with_the_call_that_makes_one(case):
    value, found = NO_LABELS[case]
    with pytest.raises(ValueError, match=f"^y_val: expected a torch.Tensor, found {found}; ") as e:
        check_labels("x_val", X, "y_val", value)
    made = way_out(str(e.value), "y_val", value)
    assert torch.equal(made, Y)
    check_labels("x_val", X, "y_val", made)


def test_loaded_digits_are_not_yet_images_nor_labels():
    digits = load_digits("sklearn")
    with pytest.raises(ValueError, match=r"^x: .* found a Digits; standardize\(x.images\) is one$"):
        check_images("x", digits)
    with pytest.raises(ValueError, match=r"^y: .* found a Digits; give y.labels$"):
        check_labels("x", X, "y", digits)


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, "None"), ("a" * 99, "a str"), (3, "3"), ({}, "a dict"), (object(), "an object")],
)
def test_what_is_something_else_altogether(value, found):
    with pytest.raises(ValueError, match=f"^x: expected a torch.Tensor, found {found}$"):
        check_images("x", value)


@pytest.mark.parametrize(
    "value",
    [
        *([["1", "2"], [[1.0], [1.0, 2.0]], pd.Series(["a", "b"])]),
        *(np.array(["1"]), np.array([None]), np.array([1j])),
    ],
)
def test_no_way_is_named_that_leads_nowhere(value):
    with pytest.raises(ValueError, match=r"^y: expected a torch.Tensor, found [^;]*( |, not )of "):
        check_labels("x", X, "y", value)


SPECIAL = {
    "sparse": (X.to_sparse(), "a sparse one; "),
    "quantised": (torch.quantize_per_tensor(X.round(), 1.0, 128, torch.quint8), "a quantised one"),
    "stored only": (X.round().abs().to(torch.uint16), "torch.uint16, which PyTorch only stores; "),
}


@pytest.mark.parametrize("case", SPECIAL)
def test_a_tensor_of_a_special_kind_is_named_with_the_call_that_makes_it_ordinary(case):
    value, found = SPECIAL[case]
    with pytest.raises(
        ValueError, match=f"^x: expected an ordinary torch.Tensor, found {found}"
    ) as e:
        check_images("x", value)
    made = way_out(str(e.value), "x", value)
    assert torch.equal(
        made,
        value.float()
        if case == "stored only"
        else X
        if case == "sparse"
        else X.round().clamp(-128, 127),
    )
    check_images("x", made)


def test_tensors_without_numbers_or_of_several_sizes():
    with pytest.raises(
        ValueError, match=r"^x: expected an ordinary torch.Tensor, found one on the device meta"
    ):
        check_images("x", X.to("meta"))
    nested = torch.nested.nested_tensor([torch.zeros(2, 3), torch.zeros(3, 3)], layout=torch.jagged)
    with pytest.raises(
        ValueError, match=r"^x: expected an ordinary torch.Tensor, found a nested one"
    ):
        check_images("x", nested)
    with pytest.raises(ValueError, match=r"^y: .* found torch.uint16, which .*; y.long\(\) can be"):
        check_labels("x", X, "y", Y.to(torch.uint16))


def test_images_are_at_least_one():
    with pytest.raises(ValueError, match=r"^x: expected at least one image, found none$"):
        check_images("x", X[:0])
    with pytest.raises(ValueError, match=r"^x: expected a batch of images, found a single number$"):
        check_images("x", torch.tensor(1.0))


INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_labels_are_whole_numbers_of_any_dtype(dtype):
    check_labels("x", X, "y", Y.to(dtype))
    check_classes("y", Y.to(dtype), 10)
    with pytest.raises(ValueError, match="found 9 "):
        check_classes("y", Y.to(dtype), 9)


WRONG_LABELS = {
    "float32": (Y.float(), "whole numbers", "torch.float32; "),
    "float64": (Y.double(), "whole numbers", "torch.float64; "),
    "a column": (Y[:, None], "each of the 20 images in x", r"shape \(20, 1\), a column; "),
    "a row": (Y[None], "each of the 20 images in x", r"shape \(1, 20\), a row; "),
    "one-hot": (functional.one_hot(Y, 10), "each of the 20 images", r"shape \(20, 10\), one row"),
    "one-hot floats": (functional.one_hot(Y, 10).float(), "each of", r"shape \(20, 10\), one row"),
}


@pytest.mark.parametrize("case", WRONG_LABELS)
def test_labels_of_another_kind_are_refused_with_the_call_that_mends_them(case):
    y, expected, found = WRONG_LABELS[case]
    with pytest.raises(ValueError, match=rf"^y: expected .*{expected}.*, found {found}") as caught:
        check_labels("x", X, "y", y)
    assert torch.equal(way_out(str(caught.value), "y", y), Y)


def test_labels_that_no_call_mends():
    for y, found in ((Y + 0.5, r"torch.float32, with 0.5 among them"), (Y[1:], r"shape \(19,\)")):
        with pytest.raises(ValueError, match=rf"^y: expected .*, found {found}$"):
            check_labels("x", X, "y", y)
    with pytest.raises(ValueError, match=r"^y: .* found torch.float32, with nan among them$"):
        check_labels("x", X, "y", torch.full((20,), torch.nan))
    with pytest.raises(ValueError, match=r"^y: expected whole|^y: expected classes as whole"):
        check_labels("x", X, "y", Y > 4)


def test_labels_are_counted_from_0_to_the_number_of_outputs():
    with pytest.raises(
        ValueError, match=r"^y: expected classes counted from 0, found -1 \(2 of 20 are wrong\)$"
    ):
        check_labels("x", X, "y", Y - 1)
    with pytest.raises(
        ValueError,
        match=r"^y: expected classes from 0 to 9, as the model has 10 outputs, found 10 \(2 of 20 "
        r"are wrong\); y - 1 counts them from 0$",
    ) as caught:
        check_classes("y", Y + 1, 10)
    assert torch.equal(way_out(str(caught.value), "y", Y + 1), Y)
    with pytest.raises(ValueError, match=r"^y: .* 0 to 3, .*, found 4 \(12 of 20 are wrong\)$"):
        check_classes("y", Y, 4)
    check_classes("y", Y, 10)


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), (1, 3), (3, 3), (), (0,)])
def test_a_pair_names_both(shape):
    message = f"y_val: expected one label for each of the 3 images in x_val, found shape {shape}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        check_pair("x_val", torch.zeros(3, 1, 28, 28), "y_val", torch.zeros(shape))
    check_pair("x", torch.zeros(3, 1, 28, 28), "y", torch.zeros(3))
    with pytest.raises(ValueError, match=r"^x: expected at least one image, found none$"):
        check_pair("x", torch.zeros(0, 1, 28, 28), "y", torch.zeros(0))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (nn.ReLU, r"the class ReLU; ReLU\(\) makes a model"),
        (nn.Linear(2, 2).state_dict(), "a dictionary; .* load_state_dict of a model"),
        (None, "None"),
        (np.tanh, "an? ufunc"),
        (functional.relu, "a function"),
    ],
)
def test_what_is_no_model(value, found):
    with pytest.raises(ValueError, match=f"^net: expected a torch.nn.Module, found {found}$"):
        check_model("net", value)


def test_weights_without_numbers_are_no_model_yet():
    message = (
        r"^net: expected weights that have numbers, .* meta, .*; net.to_empty\(device=\"cpu\"\)"
    )
    with pytest.raises(ValueError, match=message):
        check_model("net", nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, device="meta")))


def test_one_output_is_no_choice():
    check_several(2)
    with pytest.raises(ValueError, match=r"^model: expected an output for each of two classes or"):
        check_several(1)

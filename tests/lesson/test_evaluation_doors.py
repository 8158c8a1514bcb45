"""Images a model cannot take, and answers that are none: said in our words, never scored."""

import re

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.nn import functional

from cnnlesson import ConvNet, evaluate, predict, predict_logits, predict_proba, standardize

X = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0))
Y = torch.arange(20) % 10


class Answering(nn.Module):
    """A model whose forward is a function."""

    def __init__(self, forward, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.function = forward

    def forward(self, x):
        return self.function(x, *self.layers)


def refused(model, x, **kwargs):
    """Return the message with which all four functions refuse."""
    messages = set()
    for call in (predict, predict_logits, predict_proba):
        with pytest.raises(ValueError, match=r"^\w+: expected .*found ") as caught:
            call(model, x, **kwargs)
        messages.add(str(caught.value))
    with pytest.raises(ValueError, match=r"^\w+: expected .*found ") as caught:
        evaluate(model, x, torch.zeros(len(x), dtype=torch.int64), **kwargs)
    assert messages == {str(caught.value)}
    return str(caught.value)


def carried_out(message, x):
    """Return what the message advises: its last part holds one call of x."""
    advised = re.search(
        r"; (x[.\[].*?|standardize\(.*?\)) (?:is|makes|adds|puts|for)|; (.*)$", message
    )
    return eval(advised[1] or advised[2], {"x": x, "standardize": standardize, "torch": torch})


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 10))


def flat():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def pooled():
    """A network that takes any size: what lacks an axis fails in no layer, or in the last."""
    torch.manual_seed(0)
    convolution, linear = nn.Conv2d(1, 10, 3), nn.Linear(10, 10)
    return Answering(lambda x, c, f: f(c(x).mean((-2, -1))), convolution, linear)


def convolved():
    torch.manual_seed(0)
    return Answering(lambda x, c: c(x).amax((-2, -1)), nn.Conv2d(1, 10, 3))


def in_colour():
    torch.manual_seed(0)
    return Answering(lambda x, c: c(x).amax((-2, -1)), nn.Conv2d(3, 10, 3))


COLOUR = X.repeat(1, 3, 1, 1)
SLIPS = {
    # a model, what it is given, what is found, and what it should have been given
    "a single image": (ConvNet, X[0], "shape (1, 28, 28), a single image", X[:1]),
    "a single image without channel": (ConvNet, X[0, 0], "shape (28, 28), a single", X[:1]),
    "images without channel": (ConvNet, X[:, 0], "shape (20, 28, 28), no axis", X),
    "the channels last": (ConvNet, X.movedim(1, -1), "(20, 28, 28, 1), the channels last", X),
    "rows of 784": (ConvNet, X.flatten(1), "shape (20, 784), a row for each", X),
    "bytes": (ConvNet, (X * 255).byte(), "found uint8", standardize((X * 255).byte().float())),
    "doubles": (ConvNet, X.double(), "found float64", X),
    "a single image, pooled": (pooled, X[0], "(1, 28, 28), a single image", X[:1]),
    "a single image, to the end": (convolved, X[0], "(1, 28, 28), a single image", X[:1]),
    "no channel, pooled": (pooled, X[:, 0], "(20, 28, 28), no axis for the channel", X),
    "colours last": (in_colour, COLOUR.movedim(1, -1), "(20, 28, 28, 3), the channels", COLOUR),
    "one colour picture": (in_colour, COLOUR[0], "(3, 28, 28), a single image", COLOUR[:1]),
    "one, colours last": (in_colour, COLOUR[0].movedim(0, -1), "a single image, its", COLOUR[:1]),
    "grey for colours": (in_colour, X, "(20, 1, 28, 28), 1 channel", COLOUR),
    "images for vectors": (mlp, X, "shape (20, 1, 28, 28)", X.flatten(1)),
    "a single image for vectors": (mlp, X[0], "shape (1, 28, 28)", X[:1].flatten(1)),
    "one without channel for vectors": (mlp, X[0, 0], "(28, 28), a single", X[:1].flatten(1)),
    "a single vector": (mlp, X[0].flatten(), "shape (784,)", X[:1].flatten(1)),
    "a single vector, flattened": (flat, X[0].flatten(), "shape (784,)", X[:1].flatten(1)),
    "one without channel, flattened": (flat, X[0, 0], "(28, 28), a single", X[:1].flatten(1)),
}


@pytest.mark.parametrize("batch_size", [250, 7])
@pytest.mark.parametrize("case", SLIPS)
def test_a_slip_is_named_with_the_call_that_mends_it(case, batch_size):
    make, given_x, found, right = SLIPS[case]
    model = make()
    message = refused(model, given_x, batch_size=batch_size)
    expected, _, rest = message.partition(", found ")
    assert expected.startswith("x: expected ")
    assert found.removeprefix("found ") in rest
    assert torch.equal(carried_out(message, given_x), right)
    predict(model, right)


def test_double_models_get_doubles():
    message = refused(ConvNet().double(), X)
    assert message == (
        "x: expected float64, as the model's weights are, found float32; x.to(torch.float64)"
    )
    assert predict(ConvNet().double(), carried_out(message, X)).shape == (20,)


NOT_FOR_THIS = {
    "another size": (
        (ConvNet, torch.rand(5, 1, 32, 32)),
        "x: expected images that give layer 'layers.7' (Linear) its 1600 features, found that "
        "those of shape (1, 32, 32) give it 2304; images of another size, or nn.Linear(2304, 10) ",
    ),
    "too small": (
        (ConvNet, torch.rand(5, 1, 4, 4)),
        "x: expected images for which layer 'layers.3' (Conv2d) gets an input of at least 3×3 for "
        "its 3×3 kernel, found that those of shape (1, 4, 4) give it (5, 32, 1, 1)",
    ),
    "three channels": (
        (ConvNet, COLOUR),
        "x: expected images of shape (n, 1, height, width) for layer 'layers.0' (Conv2d), found "
        "shape (20, 3, 28, 28), 3 channels; x.mean(dim=1, keepdim=True) makes one of them",
    ),
    "too few numbers": (
        (mlp, torch.rand(5, 1, 8, 8)),
        "x: expected vectors of shape (n, 784) for layer '0' (Linear), found shape (5, 1, 8, 8), "
        "64 numbers for each image",
    ),
}


@pytest.mark.parametrize("case", NOT_FOR_THIS)
def test_images_a_network_was_not_made_for(case):
    (make, x), expected = NOT_FOR_THIS[case]
    assert refused(make(), x).startswith(expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_networks_of_other_ranks_say_what_they_take(rank):
    make = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
    sides = ("depth", "height", "width")[-rank:] if rank > 1 else ("length",)
    x = torch.rand(6, 2, *[9] * rank)
    model = Answering(lambda x, c: c(x).flatten(2).amax(-1), make(2, 3, 3))
    assert predict(model, x).shape == (6,)
    assert f"expected images of shape (n, 2, {', '.join(sides)}) for" in refused(model, x[0])


MADE_WRONG = {
    "channels": (
        nn.Sequential(nn.Conv2d(1, 8, 3), nn.Conv2d(16, 3, 3)),
        "model: expected 16 channels for layer '1' (Conv2d), found 8, in shape (20, 8, 26, 26)",
    ),
    "channels of a normalisation": (
        nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(4)),
        "model: expected 4 channels for layer '1' (BatchNorm2d), found 8, in shape (20, 8, 26, 26)",
    ),
    "no Flatten before the last layer": (
        nn.Sequential(nn.Conv2d(1, 8, 3), nn.Linear(5408, 10)),
        "model: expected 5408 features for layer '1' (Linear), found shape (20, 8, 26, 26); "
        "nn.Flatten() before it makes one row of each image",
    ),
    "no forward": (nn.ModuleList([nn.Conv2d(1, 8, 3)]), "model: expected it to take x, of shape"),
    "two inputs": (
        Answering(lambda x, w: functional.conv2d(x), nn.Linear(1, 1)),
        "model: expected it to take x, of shape (20, 1, 28, 28) and float32, found that its ",
    ),
    "the words of PyTorch": (
        Answering(lambda x: functional.conv2d(x, torch.ones(3, 3, 3, 3))),
        "model: expected it to take x, of shape (20, 1, 28, 28) and float32, found that its "
        "forward fails: Given groups=1",
    ),
}


@pytest.mark.parametrize("case", MADE_WRONG)
def test_a_model_that_does_not_fit_together_is_told_so(case):
    model, expected = MADE_WRONG[case]
    message = refused(model, X)
    assert message.startswith(expected)
    assert "\n" not in message


def test_what_the_model_itself_raises_is_passed_on():
    class OwnError(Exception):
        pass

    def fail(error):
        raise error

    for kind in (ValueError, OwnError, KeyboardInterrupt, KeyError):
        with pytest.raises(kind, match="my own words"):
            predict(Answering(lambda x, kind=kind: fail(kind("my own words"))), X)


def test_pytorchs_own_error_is_the_cause_where_only_it_knows():
    with pytest.raises(ValueError, match="its forward fails") as caught:
        predict(MADE_WRONG["the words of PyTorch"][0], X)
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(ValueError, match="a single image") as caught:
        predict(ConvNet(), X[0])
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_a_diagnosis_leaves_no_hooks_and_no_modes():
    model = nn.Sequential(ConvNet(), nn.Dropout()).train()
    refused(model, X[0])
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert module.training


def test_a_batch_too_large_for_memory_names_the_batch_size():
    def fill(x):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    message = refused(Answering(fill), X)
    assert message.startswith("batch_size: expected a batch that fits into memory, found that 20 ")


ANSWERS = {
    "a tuple": (lambda x: (x.flatten(1), x), "an object of type tuple; let forward return the"),
    "a dictionary": (lambda x: {"logits": x}, "an object of type dict; let forward return the"),
    "nothing": (lambda x: None, "None; does its forward end in return?"),
    "two rows an image": (lambda x: x.view(-1, 392), "shape (40, 392); x.view(-1, …) may deal"),
    "two images a row": (lambda x: x.view(-1, 1568), "shape (10, 1568); x.view(-1, …) may"),
    "one row for all": (lambda x: x.flatten(1).mean(0, keepdim=True), "shape (1, 784); x.view"),
    "no Flatten": (nn.Conv2d(1, 10, 3), "shape (20, 10, 26, 26); nn.Flatten() before the last"),
    "one number an image": (lambda x: x.flatten(1)[:, 0], "shape (20,); let its last layer"),
    "a number": (lambda x: x.sum(), "shape ()"),
    "no class": (lambda x: x.flatten(1)[:, :0], "shape (20, 0) of torch.float32"),
    "whole numbers": (lambda x: x.flatten(1).long(), "shape (20, 784) of torch.int64"),
    "truth values": (lambda x: x.flatten(1) > 0, "shape (20, 784) of torch.bool"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_no_row_for_each_image_is_never_scored(case):
    function, found = ANSWERS[case]
    model = function if isinstance(function, nn.Module) else Answering(function)
    message = refused(model, X)
    assert message.startswith("model: expected ")
    assert f"found {found}" in message


def test_view_that_mixes_images_of_800_numbers_is_refused():
    x = torch.rand(100, 800)
    model = Answering(lambda x, f: f(x.view(-1, 1600)), nn.Linear(1600, 10))
    message = refused(model, x)
    assert "expected logits of shape (100, number of classes)" in message
    assert "found shape (50, 10)" in message


@pytest.mark.parametrize("num_images", [10, 15, 20])
def test_every_batch_is_checked_not_only_the_first(num_images):
    def change(x):
        return x.flatten(1) if x[0, 0, 0, 0] == X[0, 0, 0, 0] else x.flatten(1)[:, :3]

    x = X[:num_images]
    if num_images == 10:
        assert predict_logits(Answering(change), x, 10).shape == (10, 784)
        return
    message = refused(Answering(change), x, batch_size=10)
    assert f"shape ({num_images - 10}, 784)" in message
    assert f"found shape ({num_images - 10}, 3)" in message


def with_nan(x):
    logits = functional.one_hot(torch.arange(len(x)) % 10, 10).float()
    logits[x.flatten(1)[:, 0] < 0.5] = torch.nan
    return logits


def test_an_image_without_answer_counts_as_wrong():
    has_answer = X.flatten(1)[:, 0] >= 0.5
    assert 0 < has_answer.sum() < 20
    model = Answering(with_nan)
    assert evaluate(model, X, Y) == has_answer.sum().item() / 20
    assert evaluate(Answering(lambda x: x.flatten(1) * torch.nan), X, torch.zeros_like(Y)) == 0
    partly = Answering(lambda x: torch.tensor([[1.0, torch.nan, 0.0]]).expand(len(x), 3))
    assert evaluate(partly, X, torch.zeros_like(Y)) == 0
    assert evaluate(partly, X, torch.ones_like(Y)) == 0  # where PyTorch's argmax points
    without = 20 - int(has_answer.sum())
    with pytest.raises(
        ValueError, match=rf"^model: .* NaN for {without} of the 20 images; did its"
    ):
        predict(model, X)
    assert predict_proba(model, X).isnan().any(1).equal(~has_answer)


def test_infinite_logits_are_an_answer():
    def certain(x):
        return functional.one_hot(torch.arange(len(x)) % 10, 10) / torch.zeros(())  # inf, else NaN

    assert predict(Answering(lambda x: certain(x).nan_to_num(0.0, torch.inf)), X).equal(Y)


def test_one_output_is_scored_by_nobody():
    model = Answering(lambda x: x.flatten(1)[:, :1])
    assert predict_logits(model, X).shape == (20, 1)
    for call in (lambda: predict(model, X), lambda: evaluate(model, X, torch.zeros_like(Y))):
        with pytest.raises(ValueError, match=r"^model: expected an output for each of two classes"):
            call()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_whole_labels_of_any_dtype_give_the_same_accuracy(dtype):
    model = ConvNet()
    expected = evaluate(model, X, Y)
    assert evaluate(model, X, Y.to(dtype)) == expected


def test_labels_are_looked_at_before_the_second_batch():
    asked = []
    model = Answering(lambda x: asked.append(len(x)) or x.flatten(1)[:, :10])
    with pytest.raises(ValueError, match=r"^y: expected classes from 0 to 9"):
        evaluate(model, X, Y + 1, batch_size=5)
    assert asked == [5]
    asked.clear()
    for y in (Y.float(), Y[:, None], Y - 1, Y[1:], functional.one_hot(Y)):
        with pytest.raises(ValueError, match=r"^y: expected"):
            evaluate(model, X, y, batch_size=5)
    assert asked == []


def test_words_are_no_images_of_a_wrong_dtype():
    model = nn.Sequential(nn.EmbeddingBag(30, 4), nn.Linear(4, 3))
    assert predict(model, torch.randint(30, (6, 5))).shape == (6,)


@st.composite
def networks(draw):
    """A small network whose layers may not fit together, and images that it may not take."""
    kinds = draw(
        st.lists(st.sampled_from(["conv", "linear", "norm", "pool", "flatten"]), max_size=4)
    )
    few = st.integers(1, 3)
    layers = []
    for kind in kinds:
        match kind:
            case "conv":
                layers.append(nn.Conv2d(draw(few), draw(few), draw(few)))
            case "linear":
                layers.append(nn.Linear(draw(st.sampled_from([1, 2, 3, 9, 16])), draw(few)))
            case "norm":
                layers.append(nn.BatchNorm2d(draw(few)))
            case "pool":
                layers.append(nn.MaxPool2d(draw(few)))
            case "flatten":
                layers.append(nn.Flatten(draw(st.integers(0, 1))))
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    dtype = draw(st.sampled_from([torch.float32, torch.float32, torch.float64, torch.uint8]))
    return nn.Sequential(*layers), torch.ones(shape).to(dtype)


@given(networks(), st.integers(1, 4))
@settings(max_examples=400, deadline=None)
def test_any_network_and_any_tensor_give_rows_or_a_word_that_begins_with_ours(drawn, batch_size):
    model, x = drawn
    error = None
    try:
        logits = predict_logits(model, x, batch_size)
    except ValueError as raised:
        error = str(raised)
    if error is None:
        assert logits.shape[0] == len(x)
        assert logits.dim() == 2
        torch.testing.assert_close(logits, model.eval()(x), atol=1e-5, rtol=1e-5)
    else:
        assert re.match(r"(x|model): expected [^\n]*, found ", error)


def test_an_exported_part_has_one_mode_and_the_others_theirs():
    exported = torch.export.export(nn.Flatten(), (X[:5],)).module()
    model = nn.Sequential(exported, nn.Dropout(0.5), nn.Linear(784, 10))
    assert torch.equal(predict_logits(model, X, 5), predict_logits(model, X, 5))
    assert [module.training for module in model] == [True] * 3
    message = refused(model, X, batch_size=7)
    assert message.startswith("x: expected what the model was exported for, ")
    assert message.endswith(
        "== 5, found a batch of shape (7, 1, 28, 28); export it anew with dynamic_shapes, or take "
        "the model as it was before torch.export"
    )

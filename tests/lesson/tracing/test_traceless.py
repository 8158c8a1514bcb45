"""Calling the tracer is calling the model, and leaves nothing behind."""

import copy

import pytest
import torch
from networks import TwoInputs, noisy
from torch import nn

from cnnlesson import ShapeError, ShapeTracer


@pytest.mark.parametrize("training", [True, False])
def test_result_and_gradients_are_those_of_the_model(training):
    model = noisy().train(training)
    plain = copy.deepcopy(model)
    tracer = ShapeTracer(model)
    x = torch.rand(4, 1, 8, 8)
    torch.manual_seed(1)
    output = tracer(x)
    torch.manual_seed(1)
    expected = plain(x)
    assert torch.equal(output, expected)
    output.square().sum().backward()
    expected.square().sum().backward()
    for p, q in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad)
    for a, b in zip(model.buffers(), plain.buffers(), strict=True):
        assert torch.equal(a, b)
    assert len(tracer.table.rows) == 5


def test_the_output_is_passed_on_as_it_is():
    output = ShapeTracer(TwoInputs())(torch.zeros(2, 4), b=torch.zeros(2, 3))
    assert output.keys() == {"joined", "pair"}


# What tracing leaves behind


HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def snapshot(model: nn.Module) -> dict:
    return {
        "hooks": [[dict(getattr(m, name)) for name in HOOKS] for m in model.modules()],
        "modes": [m.training for m in model.modules()],
        "random": torch.get_rng_state().tolist(),
        "state": {k: v.tolist() for k, v in model.state_dict().items()},
        "gradients": [p.grad for p in model.parameters()],
        "grad mode": torch.is_grad_enabled(),
    }


class Draws(nn.Module):
    """A layer that is random in every mode, then fails if told so."""

    def forward(self, x):
        noise = torch.rand_like(x)
        if len(x) == 13:
            raise RuntimeError("an unlucky number")
        return x + noise


def mixed() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), Draws(), Shared4())
    model.train()
    model[1].eval()
    model[4].layer.eval()
    model[0].register_forward_hook(lambda module, args, output: None)
    model[0].register_forward_pre_hook(lambda module, args: None)
    return model


class Shared4(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(self.layer(x))


@pytest.mark.parametrize("n", [5, 13])
def test_trace_leaves_nothing_behind(n):
    model, x = mixed(), torch.rand(n, 4)
    before = snapshot(model)
    tracer = ShapeTracer(model)
    if n == 13:
        with pytest.raises(ShapeError):
            tracer.trace(x)
    else:
        assert tracer.trace(x).rows[3].kind == "Draws"
    assert snapshot(model) == before


def test_a_call_leaves_no_hook_either_when_it_fails():
    model, x = mixed(), torch.rand(13, 4)
    hooks, modes = snapshot(model)["hooks"], snapshot(model)["modes"]
    with pytest.raises(ShapeError):
        ShapeTracer(model)(x)
    assert snapshot(model)["hooks"] == hooks
    assert snapshot(model)["modes"] == modes


def test_an_interrupt_goes_through_and_leaves_nothing_behind():
    class Interrupted(nn.Module):
        def forward(self, x):
            raise KeyboardInterrupt

    model = nn.Sequential(nn.Linear(2, 2), Interrupted()).train()
    before = snapshot(model)
    with pytest.raises(KeyboardInterrupt):
        ShapeTracer(model).trace(torch.zeros(1, 2))
    assert snapshot(model) == before


def test_tracing_while_training_changes_nothing():
    x, y = torch.rand(20, 1, 8, 8), torch.randint(0, 3, (20,))

    def train(trace):
        torch.manual_seed(0)
        model = noisy()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(5):
            if trace:
                ShapeTracer(model).trace(x)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        return model.state_dict()

    for a, b in zip(train(True).values(), train(False).values(), strict=True):
        assert torch.equal(a, b)

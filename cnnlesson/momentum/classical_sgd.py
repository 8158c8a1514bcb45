"""The three equations of momentum as an optimiser of PyTorch's."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cnnlesson._support.arguments import Flag, MomentumCoefficient, NonNegative, Positive, checked

__all__ = ["ClassicalSGD"]


class ClassicalSGD(torch.optim.Optimizer):
    """Stochastic gradient descent with classical momentum, its three equations written out.

    At a constant step size this walks exactly the path of ``torch.optim.SGD`` with the same
    arguments. They part once the step size changes: PyTorch's buffer is multiplied by the *new*
    step size, this velocity keeps the old one.

    Parameters
    ----------
    params : iterable
        Parameters, or parameter groups, to optimise. A group may have its own values of the
        following.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1).
    weight_decay : float, default 0
        Factor λ, 0 or more: the gradient is that of the loss plus half of λ times the sum of the
        squared weights.
    nesterov : bool, default False
        Nesterov's momentum. As in PyTorch, the weights are then the points ahead, w + μv.

    Raises
    ------
    ValueError
        If a value is out of its range, in a group too, or ``params`` is a model.

    References
    ----------
    I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization and
    momentum in deep learning", ICML 2013: these equations, and Nesterov's beside them.
    """

    @checked
    def __init__(
        self,
        params: object,
        lr: Positive,
        momentum: MomentumCoefficient = 0.0,
        *,
        weight_decay: NonNegative = 0.0,
        nesterov: Flag = False,
    ) -> None:
        if isinstance(params, torch.nn.Module):
            name = type(params).__name__
            raise ValueError(
                f"params: expected parameters, found the model, {name}; give its parameters()"
            )
        settings = {"momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, {"lr": lr} | settings)  # type: ignore[arg-type]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, as when a frozen layer begins to train.

        Parameters
        ----------
        param_group : dict
            ``params``, and those values in which the group differs from the others.

        Raises
        ------
        ValueError
            If a value is out of its range.
        """
        _check(**{name: param_group[name] for name in self.defaults if name in param_group})
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """Move every parameter by one step.

        Parameters
        ----------
        closure : callable, optional
            Recomputes the loss and its gradients, and returns the loss.

        Returns
        -------
        torch.Tensor or None
            What ``closure`` returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is None:
                    continue
                lr, momentum = group["lr"], group["momentum"]
                g = w.grad.add(w, alpha=group["weight_decay"]) if group["weight_decay"] else w.grad
                state = self.state[w]
                if not state:
                    state["velocity"] = torch.zeros_like(w)
                v = state["velocity"]
                v.mul_(momentum).sub_(g, alpha=lr)  # v ← μv − αg
                if group["nesterov"]:
                    w.add_(v, alpha=momentum).sub_(g, alpha=lr)  # w ← w + μv − αg
                else:
                    w.add_(v)  # w ← w + v
        return loss


@checked
def _check(
    lr: Positive = 1.0,
    momentum: MomentumCoefficient = 0.0,
    weight_decay: NonNegative = 0.0,
    nesterov: Flag = False,
) -> None:
    """Refuse values out of their range."""

"""The three equations of momentum as an optimiser of PyTorch's."""

from collections.abc import Callable

import torch
from torch import Tensor

from cnnlesson._support.arguments import MomentumCoefficient, Positive, checked

__all__ = ["ClassicalSGD"]


class ClassicalSGD(torch.optim.Optimizer):
    """Stochastic gradient descent with classical momentum, its three equations written out.

    At a constant step size this walks exactly the path of
    ``torch.optim.SGD(params, lr, momentum)``. They part once the step size changes:
    PyTorch's buffer is multiplied by the *new* step size, this velocity keeps the old one.

    Parameters
    ----------
    params : iterable
        Parameters, or parameter groups, to optimise.
    lr : float
        Step size α, positive.
    momentum : float, default 0
        Momentum μ, in [0, 1).

    Raises
    ------
    ValueError
        If ``lr`` or ``momentum`` is out of its range.

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
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})  # type: ignore[arg-type]

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
                g = w.grad
                state = self.state[w]
                if not state:
                    state["velocity"] = torch.zeros_like(w)
                v = state["velocity"]
                v.mul_(group["momentum"]).sub_(g, alpha=group["lr"])  # v ← μv − αg
                w.add_(v)  #                                            w ← w + v
        return loss

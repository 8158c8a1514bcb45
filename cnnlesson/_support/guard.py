"""What a training asks of its model and its loss, said before the first step in plain words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnlesson._support.answers import answer, evaluating
from cnnlesson._support.diagnosis import explain
from cnnlesson._support.inputs import check_classes

__all__ = ["Guard", "check_optimizer"]


class Guard:
    """A model and its loss, whose answers are looked at before they are used.

    Looking costs microseconds a batch. An error of the caller's own code is passed on as it is.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    criterion : callable
        The loss of a batch.
    x_train : torch.Tensor, shape (n, ...)
        All images it is to see.
    y_train : torch.Tensor, shape (n,)
        All their labels.
    smallest_batch : int
        Images in the smallest batch to come.
    """

    def __init__(
        self,
        model: nn.Module,
        criterion: Callable[[Tensor, Tensor], Tensor],
        x_train: Tensor,
        y_train: Tensor,
        smallest_batch: int,
    ) -> None:
        self._model, self._criterion = model, criterion
        self._x_train, self._y_train = x_train, y_train
        self._smallest_batch = smallest_batch
        self._is_first = self._is_first_loss = True

    def model(self, images: Tensor) -> Tensor:
        """Return the model's output for a batch.

        Parameters
        ----------
        images : torch.Tensor, shape (n, ...)
            The batch, on the model's device.

        Returns
        -------
        torch.Tensor
            What the model returns, as a rule logits of shape (n, num_classes).

        Raises
        ------
        ValueError
            If the model cannot take the batch; or, at the first one, if batch normalisation could
            not take the smallest to come.
        """
        try:
            if not self._is_first:
                return self._model(images)
            self._is_first = False
            with _watch_normalisation(self._model, self._smallest_batch):
                return self._model(images)
        except Exception as error:
            if (explained := explain(self._model, "x_train", self._x_train, images, error)) is None:
                raise
            raise explained from explained.__cause__

    def criterion(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        outputs : torch.Tensor
            What the model returned.
        labels : torch.Tensor, shape (n,)
            The labels, on the same device.

        Returns
        -------
        torch.Tensor, shape ()
            The loss.

        Raises
        ------
        ValueError
            If labels are none of the model's classes, or the loss is not one number with a
            gradient.
        """
        is_of_torch = type(self._criterion).__module__.startswith("torch.nn")
        if is_of_torch and not isinstance(outputs, Tensor):
            raise ValueError(
                "model: expected one tensor of logits from its forward, found "
                f"an object of type {type(outputs).__name__}; let forward return the logits alone"
            )
        if self._is_first_loss:
            self._is_first_loss = False
            if isinstance(self._criterion, nn.CrossEntropyLoss | nn.NLLLoss):
                _check_targets(outputs, self._y_train, self._criterion.ignore_index)
        loss = self._criterion(outputs, labels)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            found = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"{loss!r:.60}"
            raise ValueError(
                f"criterion: expected one number for a batch, as a tensor, found {found}; "
                "reduction='mean', or .mean() at its end, makes one"
            )
        if torch.is_grad_enabled() and not loss.requires_grad:
            raise ValueError(
                "criterion: expected a loss with a gradient, found one without; does it use "
                ".item(), .detach() or argmax on the way, or does no parameter require a gradient?"
            )
        return loss

    def check_validation(self, x: Tensor, y: Tensor) -> None:
        """Make sure that the model can be validated, which is due only after an epoch.

        Parameters
        ----------
        x : torch.Tensor, shape (n, ...)
            Validation images.
        y : torch.Tensor, shape (n,)
            Their labels.

        Raises
        ------
        ValueError
            If the model cannot take such images, answers with anything but one row of numbers for
            each, or a label is none of its classes.
        """
        with evaluating(self._model), torch.random.fork_rng():
            logits = answer(self._model, "x_val", x, slice(2))
        if isinstance(self._criterion, nn.CrossEntropyLoss | nn.NLLLoss):
            labels = y[y != self._criterion.ignore_index]
            if not labels.is_floating_point() and len(labels):
                check_classes("y_val", labels, logits.shape[1])


def check_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Make sure that an optimizer moves this model, and needs no more than gradients.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    optimizer : torch.optim.Optimizer
        What is to move it.

    Raises
    ------
    ValueError
        If the optimizer holds none of the model's parameters, as when half of a notebook was run
        again, or not all that require a gradient; if none does; if a step needs a closure.
    """
    held = {w for group in optimizer.param_groups for w in group["params"]}
    if held.isdisjoint(model.parameters()):
        raise ValueError(
            "optimizer: expected one that holds parameters of model, found none of them in it; "
            "make a new optimizer for a new model"
        )
    trained = {name: w for name, w in model.named_parameters() if w.requires_grad}
    if not trained:
        raise ValueError(
            "model: expected a parameter that requires a gradient, found none; "
            "model.requires_grad_() makes all of them train"
        )
    if missing := [name for name, w in trained.items() if w not in held]:
        listed = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise ValueError(
            f"optimizer: expected all {len(trained)} parameters of model that require a gradient, "
            f"found {len(missing)} missing: {listed}; give it model.parameters(), or call "
            "requires_grad_(False) on those that are to stay as they are"
        )
    closure = signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise ValueError(
            f"optimizer: expected one that takes a step from gradients, found "
            f"{type(optimizer).__name__}, which needs a closure; write that loop yourself, or "
            "take SGD or Adam"
        )


def _check_targets(outputs: Tensor, labels: Tensor, ignored: int) -> None:
    """Say of labels what PyTorch says of numbers."""
    if outputs.dim() != 2 or labels.dim() != 1:
        return  # maps of classes, or shares of each: the loss takes more than labels
    if labels.dtype not in (torch.int64, torch.uint8):
        raise ValueError(
            f"y_train: expected classes as int64, found {labels.dtype}; "
            "y_train.long() makes them so"
        )
    labels = labels[labels != ignored]
    if len(labels):
        check_classes("y_train", labels, outputs.shape[1])


@contextmanager
def _watch_normalisation(model: nn.Module, smallest_batch: int) -> Iterator[None]:
    """Refuse a batch normalisation that would have one number a channel to normalise."""

    def look(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        places = inputs[0][0, 0].numel()  # of one image in one channel
        if layer.training and smallest_batch * places == 1:
            raise ValueError(
                "batch_size: expected a last batch of two images or more, as "
                f"{type(layer).__name__} takes a mean over it, found one of a single image; "
                "drop_last=True leaves it out, or take another batch_size"
            )

    layers = (
        [m for m in model.modules() if isinstance(m, _BatchNorm)] if smallest_batch == 1 else []
    )
    handles = [layer.register_forward_pre_hook(look) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

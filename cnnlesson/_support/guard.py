"""What a training asks of its model and its loss, said before the first step in plain words."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from inspect import signature

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnlesson._support.answers import answer
from cnnlesson._support.diagnosis import explain, explain_shape
from cnnlesson._support.inputs import check_classes, check_logits, check_several
from cnnlesson._support.modes import evaluating
from cnnlesson._support.verdicts import is_raised_by_torch

__all__ = ["Guard", "check_criterion", "check_optimizer", "check_trains"]


_NUMBER_BY_NUMBER = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.PoissonNLLLoss)


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
        self._is_of_classes = isinstance(criterion, nn.CrossEntropyLoss | nn.NLLLoss)
        self._left_out = getattr(criterion, "ignore_index", -100)  # a label that marks none
        self._name = getattr(criterion, "__name__", type(criterion).__name__)
        self._is_first = True
        self._first_images: Tensor | None = None  # until the first loss is known

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
            self._is_first, self._first_images = False, images
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
        if type(self._criterion).__module__.startswith("torch.nn"):
            check_logits(outputs)
        if self._is_of_classes:
            self._check_rows(outputs, len(labels))
            if self._first_images is not None:
                check_several(outputs.shape[1])
                _check_targets("y_train", self._y_train, outputs, self._left_out)
        elif isinstance(self._criterion, _NUMBER_BY_NUMBER):
            self._check_shape(outputs, labels)
        try:
            with _broadcasting_refused() if self._first_images is not None else nullcontext():
                loss = self._criterion(outputs, labels)
        except UserWarning:
            self._check_shape(outputs, labels)
            raise
        except Exception as error:
            if not isinstance(error, RuntimeError | TypeError) and not is_raised_by_torch(error):
                raise
            raise self._explain_loss(outputs, labels, error) from error
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
        if self._first_images is not None:
            self._try_smallest(self._first_images)
            self._first_images = None
        return loss

    def _check_shape(self, outputs: Tensor, labels: Tensor) -> None:
        """Make sure that each number has its label: PyTorch would compare each with each."""
        if outputs.shape == labels.shape:
            return
        way_out = "nn.CrossEntropyLoss() takes logits and classes"
        if outputs.shape == (*labels.shape, 1):
            way_out = "squeeze(1) at the end of the model's forward makes it so"
        raise ValueError(
            f"criterion: expected outputs of the labels' shape, {tuple(labels.shape)}, for "
            f"{self._name}, found {tuple(outputs.shape)}; {way_out}"
        )

    def _check_rows(self, outputs: Tensor, number: int) -> None:
        """Make sure that there is a row for each image, which the loss of classes asks for."""
        if outputs.dim() != 2 or len(outputs) != number:
            x = self._x_train[:number]
            raise explain_shape(self._model, "x_train", x, _like(x, self._model), outputs, None)

    def _try_smallest(self, images: Tensor) -> None:
        """Let the model answer to the smallest batch to come, if that is not the first one.

        What it cannot take is better known before the first step than at the end of an epoch.
        """
        n = self._smallest_batch
        if n == len(images):
            return
        found = None
        try:
            with evaluating(self._model), torch.random.fork_rng():
                outputs = self._model(images[:n])
            if self._is_of_classes and outputs.shape[:-1] != (n,):
                found = f"that its output has the shape {tuple(outputs.shape)} then"
        except Exception as error:
            found = f"that it fails: {' '.join(str(error).split())[:300]}"
        if found:
            raise ValueError(
                f"model: expected it to take a last batch of {n} too, after one of {len(images)}, "
                f"found {found}; drop_last=True leaves it out, or take a batch_size that divides "
                f"{len(self._x_train)}"
            )

    def _explain_loss(self, outputs: Tensor, labels: Tensor, error: Exception) -> ValueError:
        found = outputs if isinstance(outputs, Tensor) else None
        raw = " ".join(str(error).split())
        way_out = "" if self._is_of_classes else "; nn.CrossEntropyLoss() takes logits and classes"
        of_outputs = (
            f"outputs of shape {tuple(found.shape)} and {found.dtype}"
            if found is not None
            else f"what the model returns, of type {type(outputs).__name__},"
        )
        return ValueError(
            f"criterion: expected a loss that takes {of_outputs} and labels of shape "
            f"{tuple(labels.shape)} and {labels.dtype}, found that {self._name} fails{way_out} "
            f"({raw if len(raw) <= 300 else f'{raw[:300]} …'})"
        )

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
        check_several(logits.shape[1])
        if y.dtype != self._y_train.dtype:
            raise ValueError(
                f"y_val: expected {self._y_train.dtype}, as y_train, found {y.dtype}; "
                f"y_val.to(y_train.dtype) makes them so"
            )
        if y.is_floating_point():
            raise ValueError(
                f"y_val: expected classes as whole numbers, to measure an accuracy, found "
                f"{y.dtype}; leave x_val and y_val out, and measure with predict_logits"
            )
        if self._is_of_classes:
            _check_targets("y_val", y, logits, self._left_out)


def check_trains(model: nn.Module) -> None:
    """Make sure that a model has a training mode.

    Parameters
    ----------
    model : torch.nn.Module
        The model. Its layers keep the mode they are in.

    Raises
    ------
    ValueError
        If a part of it was exported: that stays in the mode it was exported in.
    """
    modes = {module: module.training for module in model.modules()}
    try:
        model.train()
    except NotImplementedError as error:
        raise ValueError(
            "model: expected layers that can be put in training mode, found that a part of it "
            "cannot, as it was exported; train the model as it was before torch.export"
        ) from error
    finally:
        for module, training in modes.items():
            module.training = training


def check_criterion(criterion: object) -> None:
    """Make sure that this is a loss.

    Parameters
    ----------
    criterion : object
        What was given as one.

    Raises
    ------
    ValueError
        If it cannot be called, or is a class that was not.
    """
    if isinstance(criterion, type):
        found = f"the class {criterion.__name__}; {criterion.__name__}() makes one"
    elif not callable(criterion):
        found = f"{criterion!r:.60}; torch.nn.CrossEntropyLoss() is one"
    else:
        return
    raise ValueError(
        "criterion: expected a function of the model's output and the labels, such as "
        f"torch.nn.CrossEntropyLoss(), found {found}"
    )


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
        If it is no optimizer, holds none of the model's parameters, as when half of a notebook was
        run again, or not all that require a gradient; if none does; if a step needs a closure or
        sparse gradients.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        found = f"{optimizer!r:.60}"
        if isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer):
            found = f"the class {optimizer.__name__}"
        raise ValueError(
            f"optimizer: expected a torch.optim.Optimizer, found {found}; "
            "torch.optim.SGD(model.parameters(), lr=0.01) makes one"
        )
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
    if isinstance(optimizer, torch.optim.SparseAdam):
        raise ValueError(
            "optimizer: expected one for ordinary gradients, found SparseAdam, which takes sparse "
            "ones; take Adam"
        )
    closure = signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise ValueError(
            f"optimizer: expected one that takes a step from gradients, found "
            f"{type(optimizer).__name__}, which needs a closure; write that loop yourself, or "
            "take SGD or Adam"
        )


def _check_targets(name: str, labels: Tensor, outputs: Tensor, ignored: int) -> None:
    """Say of labels what PyTorch says of numbers."""
    if labels.dtype not in (torch.int64, torch.uint8):
        raise ValueError(
            f"{name}: expected classes as int64, found {labels.dtype}; {name}.long() makes them so"
        )
    labels = labels[labels != ignored]
    if len(labels):
        check_classes(name, labels, outputs.shape[1])


def _like(images: Tensor, model: nn.Module) -> Tensor:
    return images.to(next(model.parameters(), images).device)


@contextmanager
def _broadcasting_refused() -> Iterator[None]:
    """Raise what PyTorch's losses only warn of: each number compared with each label."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Using a target size", UserWarning)
        yield


@contextmanager
def _watch_normalisation(model: nn.Module, smallest_batch: int) -> Iterator[None]:
    """Refuse a batch normalisation that would have one number a channel to normalise."""

    def look(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        groups = getattr(layer, "num_groups", None) or layer.num_features
        if layer.training and smallest_batch * inputs[0][0].numel() == groups:  # one number each
            last, way_out = (
                "a last batch",
                "drop_last=True leaves it out, or take another batch_size",
            )
            if len(inputs[0]) == 1:  # every batch is
                last, way_out = "batches", "take a larger batch_size, or put that layer in eval()"
            raise ValueError(
                f"batch_size: expected {last} of two images or more, as {type(layer).__name__} "
                f"takes a mean over it, found one of a single image; {way_out}"
            )

    layers = (
        [m for m in model.modules() if isinstance(m, _BatchNorm | nn.GroupNorm)]
        if smallest_batch == 1
        else []
    )
    handles = [layer.register_forward_pre_hook(look) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

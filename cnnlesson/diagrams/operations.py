"""What the result of each of PyTorch's basic operations sees, given what its inputs see."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cnnlesson.diagrams.origin import Dim, Origin, Part, Reach, joined, one_part, regrouped
from cnnlesson.diagrams.windows import resampling, sliding, spreading

__all__ = ["CONTRACTIONS", "PATCHES", "RESHAPES", "Operation", "origin_after"]


class Operation(NamedTuple):
    """One basic operation, as it ran.

    Attributes
    ----------
    name : str
        Such as ``"convolution"``.
    given : dict of str to object
        Its arguments by name, defaults included.
    output : torch.Tensor
        Its result, the first of several. None if it failed.
    origins : list of Origin
        Of the tensors among the arguments that come from the input.
    origin_of : callable
        Returns the origin of a tensor; None if it does not come from the input.
    is_element_wise : bool
        Whether each number of the result is made of one number of each tensor.
    """

    name: str
    given: dict[str, Any]
    output: Any
    origins: list[Origin]
    origin_of: Callable[[Any], Origin | None]
    is_element_wise: bool

    @property
    def has_window(self) -> bool:
        """Whether it moves a window over maps; a local response norm pools over channels only."""
        over_channels = self.name == "avg_pool3d" and list(self.given["kernel_size"][1:]) == [1, 1]
        return self.name in _WINDOWS and not over_channels

    @property
    def steps(self) -> Origin:
        """The steps that all inputs come from, as an origin of unknown reach."""
        return Origin(frozenset[int]().union(*(origin.steps for origin in self.origins))).unknown()


Rule = Callable[[Operation, Origin], Origin]

CONTRACTIONS = {"addmm", "addmv", "baddbmm", "bmm", "dot", "mm", "mv"}
PATCHES = {"im2col", "col2im", "unfold"}  # windows laid out side by side, which we do not follow
RESHAPES = {"view", "_unsafe_view", "reshape", "_reshape_alias", "squeeze", "unsqueeze"}
_WINDOWS = {
    *("convolution", "avg_pool2d", "avg_pool3d"),
    *("max_pool2d_with_indices", "max_pool3d_with_indices"),
    *("pixel_shuffle", "pixel_unshuffle"),
    *(f"upsample_{kind}" for kind in ("nearest1d", "nearest2d", "nearest3d", "bicubic2d")),
    *(f"_upsample_nearest_exact{axes}d" for axes in (1, 2, 3)),
    *("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"),
}
_ALIKE = {
    *("_to_copy", "alias", "alias_copy", "celu", "clone", "detach", "dropout", "hardswish"),
    *("lift_fresh", "log_sigmoid_forward", "native_dropout", "rrelu_with_noise", "channel_shuffle"),
    *("native_channel_shuffle", "_prelu_kernel", "prelu", "masked_fill", "contiguous", "relu6"),
}
_CONSTANT = {"fill", "zero", "normal", "uniform", "bernoulli"}
_NORMS_OVER_BATCH = {
    *("native_batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm", "miopen_batch_norm"),
    *("_batch_norm_with_update", "_native_batch_norm_legit_functional"),
}
_REDUCTIONS = {
    *("mean", "sum", "amax", "amin", "max", "min", "var", "std", "var_mean", "prod", "logsumexp"),
    *("linalg_vector_norm", "norm", "argmax", "argmin", "any", "all"),
}


def origin_after(operation: Operation) -> Origin | None:
    """Return the origin of the result of an operation on data.

    Parameters
    ----------
    operation : Operation
        An operation with at least one tensor that comes from the input.

    Returns
    -------
    Origin or None
        None if the result does not depend on the input, but on its shape at most.
    """
    name = operation.name
    if name in _CONSTANT or name.endswith("_like") or name.startswith("new_"):
        return None
    if operation.is_element_wise or name in _ALIKE:
        return joined(operation.origins, operation.output.shape)
    if name == "copy":
        source = operation.origin_of(operation.given["src"])
        return source and joined([source], operation.output.shape)
    if name in CONTRACTIONS:
        return _contraction(operation)
    if name in ("cat", "stack"):
        return _cat(operation)
    main = operation.origin_of(_first_tensor(operation))
    if main is None or len(operation.origins) > 1:
        return _of_several(operation)
    if not main.dims:
        return main
    rule = _RULES.get(name)
    return rule(operation, main) if rule else main.unknown()


def _of_several(operation: Operation) -> Origin:
    """Mix several tensors: if one of them sees everything, so does the result."""
    reaches = {origin.reach for origin in operation.origins}
    mixes = Reach.EVERYTHING in reaches or "attention" in operation.name
    return operation.steps.everything() if mixes else operation.steps


def _first_tensor(operation: Operation) -> Any:
    return next((v for v in operation.given.values() if isinstance(v, Tensor)), None)


# Windows


def _numbers(value: Any, axes: int, usual: int) -> Sequence[int]:
    """Return a setting for each axis; left empty it is as usual."""
    value = [usual] if value is None or value == [] else value
    value = [value] if isinstance(value, int) else list(value)
    return value * axes if len(value) == 1 else value


def _window(operation: Operation, x: Origin) -> Origin:
    """Slide or spread a window along the last axes."""
    given = operation.given
    if operation.name == "convolution":
        axes = operation.output.dim() - 2
        kernel: Sequence[int] = given["weight"].shape[2:]
        channels: Dim = (Part(operation.output.shape[1]),)
        if x.sights(1):
            return x.unknown()
        if given["groups"] == 1 and x.mixed_along == 1:  # it sums over all channels
            x = x._replace(mixed_along=None)
    else:
        axes = int(operation.name.removesuffix("_with_indices")[-2])
        kernel = _numbers(given["kernel_size"], axes, 1)
        channels = x.dims[-axes - 1]
    strides, paddings, dilations = (
        _numbers(given.get(name), axes, usual)
        for name, usual in (("stride", 0), ("padding", 0), ("dilation", 1))
    )
    move = spreading if given.get("transposed") else sliding
    ends: list[Dim] = []
    for axis in range(-axes, 0):
        k, s, p, d = kernel[axis], strides[axis] or kernel[axis], paddings[axis], dilations[axis]
        dim = one_part(operation.output.shape[axis], x.dims[axis])
        if dim is None:
            return x.unknown()
        if dim[0].sight is not None:
            dim = (dim[0]._replace(sight=move(dim[0].sight, k, s, p, d)),)
        elif (k, s, p) != (1, 1, 0) and not (operation.name == "avg_pool3d" and len(x.dims) == 5):
            return x.unknown()  # a window over channels alone is that of a local response norm
        ends.append(dim)
    return x.with_dims([*x.dims[: -axes - 1], channels, *ends])


def _upsample(operation: Operation, x: Origin) -> Origin:
    """Enlarge or reduce maps by a factor, the same everywhere."""
    given, name = operation.given, operation.name
    mode = "cubic" if "cubic" in name else "linear"
    mode = {"nearest": "nearest", "_exact": "nearest-exact"}.get(
        "_exact" if "exact" in name else name[9:16], mode
    )
    axes = int(name[-2])
    ends: list[Dim] = []
    given_scales = given.get("scale_factors") or [
        given.get(key) for key in ("scales_d", "scales_h", "scales_w")[-axes:]
    ]
    if axes == 1:
        given_scales = [given.get("scales")]
    for axis in range(-axes, 0):
        before, after = _first_tensor(operation).shape[axis], operation.output.shape[axis]
        dim = one_part(after, x.dims[axis])
        if dim is None or dim[0].sight is None:
            return x.unknown()
        if before != after:
            if given.get("align_corners"):
                return x.unknown()
            scale = given_scales[axis]
            exact = Fraction(scale).limit_denominator(1000) if scale else Fraction(after, before)
            dim = (dim[0]._replace(sight=resampling(dim[0].sight, exact, mode)),)
        ends.append(dim)
    return x.with_dims([*x.dims[:-axes], *ends])


def _pixel_shuffle(operation: Operation, x: Origin) -> Origin:
    """Lay channels out as pixels, or pixels as channels."""
    shuffles = operation.name == "pixel_shuffle"
    if x.mixed_along is not None:
        return x.unknown()
    r = operation.given["upscale_factor" if shuffles else "downscale_factor"]
    ends: list[Dim] = []
    for axis in (-2, -1):
        dim = one_part(operation.output.shape[axis], x.dims[axis])
        if dim is None or dim[0].sight is None:
            return x.unknown()
        sight = dim[0].sight
        seen = resampling(sight, Fraction(r), "nearest") if shuffles else sliding(sight, r, r, 0)
        ends.append((dim[0]._replace(sight=seen),))
    return x.with_dims([*x.dims[:-3], (Part(operation.output.shape[-3]),), *ends])


def _adaptive(operation: Operation, x: Origin) -> Origin:
    """Pool to a given size: all pixels to one, or each to itself; else no two windows are alike."""
    axes = int(operation.name[-2])
    before, after = _first_tensor(operation).shape[-axes:], operation.output.shape[-axes:]
    if set(after) == {1}:
        return x.everything()
    return x if before == after else x.unknown()


def _pad(operation: Operation, x: Origin) -> Origin:
    pad = operation.given.get("pad") or operation.given["padding"]
    dims = list(x.dims)
    for k in range(len(pad) // 2):
        dim = one_part(operation.output.shape[-1 - k], dims[-1 - k])
        if dim is None:
            return x.unknown()
        sight = dim[0].sight
        dims[-1 - k] = (dim[0]._replace(sight=sight and sliding(sight, 1, 1, pad[2 * k])),)
    return x.with_dims(dims)


# Whole dimensions


def _contraction(operation: Operation) -> Origin:
    """Multiply matrices: the dimension in between is summed over."""
    left, right = (
        operation.origin_of(value)
        for value in [v for v in operation.given.values() if isinstance(v, Tensor)][-2:]
    )
    x = left or right
    if x is None or len(operation.origins) > 1:
        return _of_several(operation)
    if not x.dims:
        return x
    if x.sights(-1 if left is not None or len(x.dims) == 1 else -2):
        return x.everything()
    if left is not None:
        rest = (operation.output.shape[-1],) if operation.output.dim() == len(x.dims) else ()
        return x.with_dims([*x.dims[:-1], *((Part(n),) for n in rest)])
    return x.with_dims([*x.dims[:-2], (Part(operation.output.shape[-2]),), x.dims[-1]])


def _over(dims: Callable[[Operation, Origin], Sequence[int]]) -> Rule:
    """Return a rule for what mixes all places along some dimensions, and keeps the shape."""

    def rule(operation: Operation, x: Origin) -> Origin:
        return x.everything() if any(x.sights(d) for d in dims(operation, x)) else x

    return rule


def _reduction(operation: Operation, x: Origin) -> Origin:
    """Sum over dimensions, or take their mean or maximum."""
    dims = operation.given.get("dim")
    dims = [dims] if isinstance(dims, int) else dims
    reduced = {d % len(x.dims) for d in dims} if dims else set(range(len(x.dims)))
    if any(x.sights(d) for d in reduced):
        return x.everything()
    kept = ((Part(1),),) if operation.given.get("keepdim") else ()
    return x.with_dims(
        new for k, dim in enumerate(x.dims) for new in (kept if k in reduced else (dim,))
    )


def _norm_over_batch(operation: Operation, x: Origin) -> Origin:
    """Normalise by the statistics of the batch, in training mode, or by those that were kept."""
    trains = operation.given.get("training", operation.given.get("train", True))
    others = [d for d in range(len(x.dims)) if d != 1]
    return x.everything() if trains and any(x.sights(d) for d in others) else x


def _reshape(operation: Operation, x: Origin) -> Origin:
    """Keep the order of the numbers and change the dimensions."""
    name, given = operation.name, operation.given
    if name in ("squeeze", "unsqueeze") and (d := given.get("dim")) is not None:
        dims = list(x.dims)
        if name == "unsqueeze":
            dims.insert(d % (len(dims) + 1), (Part(1),))
            return x.with_dims(dims)
        gone = {k % len(dims) for k in ([d] if isinstance(d, int) else d)}
        left = [dim for k, dim in enumerate(dims) if k not in gone or _length(dim) > 1]
        return x.with_dims(left)
    found = regrouped(x.dims, operation.output.shape)
    return x.unknown() if found is None else x.with_dims(found)


def _permute(operation: Operation, x: Origin) -> Origin:
    given, order = operation.given, list(range(len(x.dims)))
    if operation.name == "permute":
        order = [d % len(order) for d in given["dims"]]
    else:
        a, b = (given.get("dim0", -1), given.get("dim1", -2))
        order[a], order[b] = order[b], order[a]
    return x.with_dims(x.dims[d] for d in order)


def _slice(operation: Operation, x: Origin) -> Origin:
    given = operation.given
    d = given["dim"] % len(x.dims)
    length = _first_tensor(operation).shape[d]
    start, _, step = slice(given["start"], given["end"], given["step"]).indices(length)
    if operation.output.shape[d] < length and _takes_some(x, d):
        return x.unknown()
    return _cut(x, d, start, step, operation.output.shape[d])


def _takes_some(x: Origin, d: int) -> bool:
    """Say whether a part along a dimension may see less than the whole does."""
    return x.mixed_along is not None and not x.sights(d)


def _cut(x: Origin, d: int, start: int, step: int, length: int) -> Origin:
    dim = one_part(length, x.dims[d])
    if dim is None:
        return x.unknown()
    sight = dim[0].sight and sliding(dim[0].sight, 1, step, -start)
    return x.with_dims([*x.dims[:d], (dim[0]._replace(sight=sight),), *x.dims[d + 1 :]])


def _split(operation: Operation, x: Origin) -> Origin:
    """Cut into pieces that are alike; those of a map see different places."""
    d = operation.given["dim"] % len(x.dims)
    if x.sights(d) or _takes_some(x, d):
        return x.unknown()
    if operation.name == "unbind":
        return x.with_dims([*x.dims[:d], *x.dims[d + 1 :]])
    return _cut(x, d, 0, 1, operation.output.shape[d])


def _select(operation: Operation, x: Origin) -> Origin:
    d = operation.given["dim"] % len(x.dims)
    if x.sights(d) or _takes_some(x, d):
        return x.unknown()
    return x.with_dims([*x.dims[:d], *x.dims[d + 1 :]])


def _cat(operation: Operation) -> Origin:
    """Lay tensors side by side along a dimension: along another one they see what all see."""
    tensors, origins = operation.given["tensors"], operation.origins
    d = operation.given.get("dim", 0) % operation.output.dim()
    shape = list(operation.output.shape)
    if any(not origin.dims for origin in origins):
        return joined(origins, shape)
    is_stacked = operation.name == "stack"
    if not is_stacked and any(origin.sights(d) for origin in origins):
        return operation.steps
    same = Part(len(tensors) if is_stacked else shape[d])
    alike = [
        o.with_dims([*o.dims[:d], (same,), *o.dims[d if is_stacked else d + 1 :]]) for o in origins
    ]
    x = joined(alike, shape)
    # Constants among them, which see nothing, have no origin.
    differ = len(tensors) > len(origins) or any(o.dims != alike[0].dims for o in alike)
    return x._replace(mixed_along=d) if x.dims and differ else x


def _same(operation: Operation, x: Origin) -> Origin:
    return x


def _expand(operation: Operation, x: Origin) -> Origin:
    return joined([x], operation.output.shape)


def _length(dim: Dim) -> int:
    return torch.Size(part.length for part in dim).numel()


def _named_dim(operation: Operation, x: Origin) -> Sequence[int]:
    return [operation.given["dim"]]


_RULES: dict[str, Rule] = (
    dict.fromkeys(_WINDOWS, _upsample)
    | dict.fromkeys([name for name in _WINDOWS if "pool" in name or "conv" in name], _window)
    | dict.fromkeys(["pixel_shuffle", "pixel_unshuffle"], _pixel_shuffle)
    | dict.fromkeys([f"_adaptive_avg_pool{axes}d" for axes in (2, 3)], _adaptive)
    | dict.fromkeys([f"adaptive_max_pool{axes}d" for axes in (2, 3)], _adaptive)
    | dict.fromkeys([f"reflection_pad{axes}d" for axes in (1, 2, 3)], _pad)
    | dict.fromkeys([f"replication_pad{axes}d" for axes in (1, 2, 3)], _pad)
    | dict.fromkeys(["constant_pad_nd"], _pad)
    | dict.fromkeys(_REDUCTIONS, _reduction)
    | dict.fromkeys(_NORMS_OVER_BATCH, _norm_over_batch)
    | dict.fromkeys(["_native_batch_norm_legit_no_training", "_batch_norm_no_update"], _same)
    | dict.fromkeys(["_softmax", "_log_softmax", "_safe_softmax"], _over(_named_dim))
    | {
        "native_group_norm": _over(lambda _, x: range(2, len(x.dims))),
        "native_layer_norm": _over(
            lambda operation, x: range(-len(operation.given["normalized_shape"]), 0)
        ),
    }
    | dict.fromkeys(RESHAPES, _reshape)
    | dict.fromkeys(["permute", "transpose", "t"], _permute)
    | dict.fromkeys(["split", "split_with_sizes", "unsafe_split", "chunk", "unbind"], _split)
    | {"slice": _slice, "select": _select, "expand": _expand}
)

"""What is known of a tensor: which steps it comes from, and what its places see of the input."""

from collections.abc import Iterable, Sequence
from enum import Enum
from math import prod
from typing import NamedTuple

from cnnlesson.diagrams.windows import Sight

__all__ = ["Dim", "Origin", "Part", "Reach", "joined", "one_part", "regrouped"]


class Reach(Enum):
    """How far a number sees.

    Attributes
    ----------
    WINDOW
        Through a window.
    EVERYTHING
        All of the input.
    UNKNOWN
        It cannot be told what.
    """

    WINDOW = "window"
    EVERYTHING = "everything"
    UNKNOWN = "unknown"


class Part(NamedTuple):
    """A stretch of a dimension: so many places, which see the input in order, or all alike.

    Attributes
    ----------
    length : int
        How many places.
    sight : Sight or None
        What each of them sees along one axis of the input. None where they all see the same, as
        the channels of a map do.
    axis : int
        Number of the dimension of the input along which they see it.
    """

    length: int
    sight: Sight | None = None
    axis: int = 0


# A dimension is most often one part; flattening strings several together.
Dim = tuple[Part, ...]


class Origin(NamedTuple):
    """Where the numbers of a tensor come from.

    Attributes
    ----------
    steps : frozenset of int
        The steps whose outputs it was made of.
    dims : tuple of Dim
        What its places see, dimension by dimension; empty unless it is known.
    reach : Reach
        Whether it is known.
    mixed_along : int or None
        The dimension along which numbers that see differently were laid side by side, such as 1
        for channels: together they see what ``dims`` says, some of them less. 0 if there are
        several.
    """

    steps: frozenset[int]
    dims: tuple[Dim, ...] = ()
    reach: Reach = Reach.WINDOW
    mixed_along: int | None = None

    @classmethod
    def of_input(cls, shape: Sequence[int], step: int) -> "Origin":
        """Return the origin of a tensor that sees itself.

        Parameters
        ----------
        shape : sequence of int
            Its shape: batch, channels, then the axes.
        step : int
            Number of the step whose output it is; -1 for the input.

        Returns
        -------
        Origin
            Each place along an axis sees itself; those of batch and channels see the same.
        """
        dims = [(Part(n, Sight(), k) if k > 1 else Part(n),) for k, n in enumerate(shape)]
        return cls(frozenset([step]), tuple(dims))

    def everything(self) -> "Origin":
        """Return the same, of numbers that see all of the input.

        Returns
        -------
        Origin
            Of the same steps.
        """
        return Origin(self.steps, reach=Reach.EVERYTHING)

    def unknown(self) -> "Origin":
        """Return the same, of numbers of which we cannot say what they see.

        Returns
        -------
        Origin
            Of the same steps.
        """
        return Origin(self.steps, reach=Reach.UNKNOWN)

    def sights(self, dim: int | None = None) -> list[Sight]:
        """Return what the places of a dimension see, or those of all dimensions.

        Parameters
        ----------
        dim : int, optional
            Number of the dimension, negative from the end; by default all.

        Returns
        -------
        list of Sight
            One for each part that sees the input in order.
        """
        dims = self.dims if dim is None else (self.dims[dim],)
        return [part.sight for parts in dims for part in parts if part.sight is not None]

    def with_dims(self, dims: Iterable[Dim]) -> "Origin":
        """Return the same with other dimensions.

        Parameters
        ----------
        dims : iterable of Dim
            What the places of each dimension see.

        Returns
        -------
        Origin
            Of the same steps and reach.
        """
        return self._replace(dims=tuple(dims))


def one_part(length: int, dim: Dim) -> Dim | None:
    """Return a dimension of another length that sees alike.

    Parameters
    ----------
    length : int
        How many places it has then.
    dim : tuple of Part
        The dimension before.

    Returns
    -------
    tuple of Part or None
        One part. None if places that see the input in order are strung together with others.
    """
    seeing = [part for part in dim if part.sight is not None]
    if len(seeing) > 1 or (seeing and prod(p.length for p in dim if p.sight is None) > 1):
        return None
    return (seeing[0]._replace(length=length) if seeing else Part(length),)


def joined(origins: Sequence[Origin], shape: Sequence[int]) -> Origin:
    """Return the origin of numbers that are made of one number each of several tensors.

    Parameters
    ----------
    origins : sequence of Origin
        Of those tensors, at least one.
    shape : sequence of int
        The shape of the result, to which the tensors are broadcast.

    Returns
    -------
    Origin
        Of the result.
    """
    steps = frozenset[int]().union(*(origin.steps for origin in origins))
    mixed = {origin.mixed_along for origin in origins} - {None}
    first = Origin(steps, mixed_along=mixed.pop() if len(mixed) == 1 else 0 if mixed else None)
    reaches = {origin.reach for origin in origins}
    if Reach.EVERYTHING in reaches:
        return first.everything()
    if Reach.UNKNOWN in reaches:
        return first.unknown()
    dims: list[Dim] = []
    for place in range(-len(shape), 0):
        length, here = shape[place], [o.dims[place] for o in origins if len(o.dims) >= -place]
        full = [dim for dim in here if prod(p.length for p in dim) == length]
        spread = [part for dim in here if dim not in full for part in dim if part.sight]
        if spread:  # one pixel for all places
            return first.everything()
        dim = _beside(full) if full else (Part(length),)
        if dim is None:
            return first.unknown()
        dims.append(dim)
    return first.with_dims(dims)


def _beside(dims: Sequence[Dim]) -> Dim | None:
    """Return what the places of one dimension see by way of several tensors."""
    result = dims[0]
    for dim in dims[1:]:
        if not any(part.sight for part in (*result, *dim)):
            continue
        if [part.length for part in result] != [part.length for part in dim]:
            return None
        parts = []
        for a, b in zip(result, dim, strict=True):
            if (a.sight is None) != (b.sight is None) or a.axis != b.axis:
                return None
            sight = a.sight.beside(b.sight) if a.sight and b.sight else None
            if a.sight and sight is None:
                return None
            parts.append(a._replace(sight=sight))
        result = tuple(parts)
    return result


def regrouped(dims: Sequence[Dim], shape: Sequence[int]) -> tuple[Dim, ...] | None:
    """Return the dimensions after a reshape, which keeps the order of all numbers.

    Parameters
    ----------
    dims : sequence of Dim
        The dimensions before.
    shape : sequence of int
        The shape after.

    Returns
    -------
    tuple of Dim or None
        None if places that see the input in order were cut apart.
    """
    parts = [part for dim in dims for part in dim if part.length > 1 or part.sight]
    result: list[Dim] = []
    for length in shape:
        taken: list[Part] = []
        missing = length
        while parts and (missing > 1 or (length == 1 and not taken and parts[0].length == 1)):
            part = parts.pop(0)
            if part.length > missing or missing % part.length:
                if part.sight or part.length % missing:
                    return None
                parts.insert(0, Part(part.length // missing))
                part = Part(missing)
            taken.append(part)
            missing //= part.length
        result.append(tuple(taken) or (Part(1),))
    if parts and result:  # maps of one pixel
        result[-1] = (*result[-1], *parts)
    return tuple(result)

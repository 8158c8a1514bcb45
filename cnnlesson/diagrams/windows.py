"""Which pixels of one map a pixel of another one sees, along one axis, and how that composes."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil, floor, gcd, lcm
from typing import Any, NamedTuple

from cnnlesson._support.arguments import checked
from cnnlesson._support.axes import AxisCounts, NonNegativeAxisCounts, along_each_axis

__all__ = ["Sight", "resampling", "sliding", "spreading", "transposed_output_size"]


@checked
def transposed_output_size(
    size: AxisCounts,
    kernel_size: AxisCounts,
    stride: AxisCounts = 1,
    padding: NonNegativeAxisCounts = 0,
    output_padding: NonNegativeAxisCounts = 0,
    dilation: AxisCounts = 1,
) -> Any:
    r"""Return the size after a transposed convolution, along one axis, or along each.

    Each input pixel spreads over a window, and the windows lie s pixels apart. So the formula is
    that of ``output_size``, solved for n:

    .. math::

        n_\text{out} = (n - 1) s - 2p + d(k - 1) + 1 + p_\text{out}

    Parameters
    ----------
    size : int or tuple of int
        Input size n, in pixels, 1 or more. Give a pair, here or below, for height and width.
    kernel_size : int or tuple of int
        Window size k, 1 or more.
    stride : int or tuple of int, default 1
        Distance s between the windows, 1 or more.
    padding : int or tuple of int, default 0
        Pixels p cut off on each side, 0 or more.
    output_padding : int or tuple of int, default 0
        Pixels added at the end, less than the stride or the dilation: several input sizes of a
        convolution give one output size, and this says which of them is meant.
    dilation : int or tuple of int, default 1
        Distance d between the pixels of the window, 1 or more.

    Returns
    -------
    int or tuple of int
        Output size, 1 or more; a tuple if any argument is one.

    Raises
    ------
    ValueError
        If an argument is out of its range, or nothing is left.

    References
    ----------
    PyTorch documentation, ``torch.nn.ConvTranspose2d``, section *Shape*.
    """
    return along_each_axis(
        _pixels,
        size=size,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )


def _pixels(n: int, k: int, s: int, p: int, extra: int, d: int) -> int:
    if extra >= max(s, d):
        raise ValueError(
            f"output_padding: expected less than the stride, {s}, or the dilation, {d}, "
            f"found {extra}"
        )
    spread = (n - 1) * s + d * (k - 1) + 1 + extra
    if spread <= 2 * p:
        raise ValueError(
            f"padding: expected to cut off less than all of {spread} pixels, found {p} on each side"
        )
    return spread - 2 * p


Ends = tuple[int, int]
Looks = Callable[[int], Iterable[int]]


class Sight(NamedTuple):
    """Which pixels each pixel sees, along one axis: the first and the last of them, or none.

    The picture repeats: the pixel ``period`` further on sees what lies ``advance`` further on.
    After convolution and pooling the period is 1. A transposed convolution of stride 2 looks from
    every other pixel only, and has the period 2.

    Attributes
    ----------
    period, advance : int
        How far apart two pixels are that see alike, and how far apart what they see.
    ends : tuple of tuple of int
        First and last pixel seen by pixel 0, 1, and so on until it repeats; None for no pixel.
    """

    period: int = 1
    advance: int = 1
    ends: tuple[Ends | None, ...] = ((0, 0),)

    def seen_by(self, pixel: int) -> Ends | None:
        """Return the first and the last pixel that a pixel sees.

        Parameters
        ----------
        pixel : int
            Which one, from 0; it may lie beyond the map.

        Returns
        -------
        tuple of int or None
            First and last; they too may lie beyond the map. None if it sees none.
        """
        turns, place = divmod(pixel, self.period)
        ends = self.ends[place]
        by = turns * self.advance
        return None if ends is None else (ends[0] + by, ends[1] + by)

    @property
    def size(self) -> int:
        """How many pixels lie from the first to the last, at most."""
        return max((last - first + 1 for first, last in filter(None, self.ends)), default=0)

    @property
    def stride(self) -> Fraction:
        """How far apart two neighbours look, on average."""
        return Fraction(self.advance, self.period)

    def through(self, looks: Looks, period: int = 1, advance: int = 1) -> "Sight":
        """Return what the pixels of a further map see, each by way of those it looks at here.

        Parameters
        ----------
        looks : callable
            Returns the pixels of this map that a pixel of the further map looks at.
        period, advance : int, default 1
            The further map's pixel ``period`` further on looks ``advance`` further on.

        Returns
        -------
        Sight
            Of the further map.
        """
        times = self.period // gcd(self.period, advance)
        ends = (_span(self.seen_by(p) for p in looks(k)) for k in range(period * times))
        return _repeating(tuple(ends), advance * times // self.period * self.advance)

    def beside(self, other: "Sight") -> "Sight | None":
        """Return what a pixel sees by way of two maps.

        Parameters
        ----------
        other : Sight
            Of the other map, along the same axis.

        Returns
        -------
        Sight or None
            From the first pixel that either sees to the last. None if their strides differ, so that
            they drift apart.
        """
        if self.stride != other.stride:
            return None
        period = lcm(self.period, other.period)
        ends = (_span([self.seen_by(k), other.seen_by(k)]) for k in range(period))
        return _repeating(tuple(ends), int(period * self.stride))


def _span(parts: Iterable[Ends | None]) -> Ends | None:
    seen = [part for part in parts if part is not None]
    return (min(p[0] for p in seen), max(p[1] for p in seen)) if seen else None


def _repeating(ends: tuple[Ends | None, ...], advance: int) -> Sight:
    """Return a sight with the shortest period."""
    for period in range(1, len(ends)):
        if len(ends) % period or (advance * period) % len(ends):
            continue
        short = Sight(period, advance * period // len(ends), ends[:period])
        if all(short.seen_by(k) == ends[k] for k in range(len(ends))):
            return short
    return Sight(len(ends), advance, ends)


def sliding(sight: Sight, kernel: int, stride: int, padding: int, dilation: int = 1) -> Sight:
    """Return the sight after a convolution or a pooling, along one axis.

    Parameters
    ----------
    sight : Sight
        Of the map before.
    kernel : int
        Window size k, 1 or more.
    stride : int
        Distance s between the windows, 1 or more.
    padding : int
        Pixels p added before the first one; below 0 they are cut off.
    dilation : int, default 1
        Distance d between the pixels of the window, 1 or more.

    Returns
    -------
    Sight
        Of the map after.
    """
    first = -padding
    return sight.through(
        lambda k: range(k * stride + first, k * stride + first + dilation * kernel, dilation),
        1,
        stride,
    )


def spreading(sight: Sight, kernel: int, stride: int, padding: int, dilation: int = 1) -> Sight:
    """Return the sight after a transposed convolution, along one axis.

    Parameters
    ----------
    sight : Sight
        Of the map before.
    kernel : int
        Window size k, 1 or more.
    stride : int
        Distance s between the windows, 1 or more.
    padding : int
        Pixels p cut off on each side, 0 or more.
    dilation : int, default 1
        Distance d between the pixels of the window, 1 or more.

    Returns
    -------
    Sight
        Of the map after.
    """
    return sight.through(
        lambda k: [
            place // stride
            for place in (k + padding - dilation * tap for tap in range(kernel))
            if place % stride == 0
        ],
        stride,
    )


def resampling(sight: Sight, scale: Fraction, mode: str) -> Sight:
    """Return the sight after enlarging by a factor, along one axis.

    Parameters
    ----------
    sight : Sight
        Of the map before.
    scale : fractions.Fraction
        Pixels after for each before.
    mode : str
        "nearest", "nearest-exact", "linear" or "cubic", as in ``torch.nn.functional.interpolate``
        with ``align_corners=False``.

    Returns
    -------
    Sight
        Of the map after.
    """

    def looks(pixel: int) -> Iterable[int]:
        if mode == "nearest":
            return [floor(pixel / scale)]
        place = (pixel + Fraction(1, 2)) / scale
        if mode == "nearest-exact":
            return [floor(place)]
        place -= Fraction(1, 2)  # between the middles of two pixels
        beyond = 0 if place.denominator == 1 else int(mode == "cubic")
        return range(floor(place) - beyond, ceil(place) + beyond + 1)

    return sight.through(looks, scale.numerator, scale.denominator)

"""Still pictures: what stands for a figure where it cannot run."""

from collections.abc import Iterable

__all__ = ["svg_image", "svg_path", "svg_window"]


def svg_image(
    body: str,
    *,
    label: str,
    size: tuple[float, float] = (640, 320),
    width: float | None = None,
    margin: int = 0,
    look: str = "",
) -> str:
    """Return a picture that shrinks with its column, and is an image with words to screen readers.

    Parameters
    ----------
    body : str
        What is drawn, as SVG.
    label : str
        What the picture shows, in words.
    size : tuple of float, default (640, 320)
        Width and height of what is drawn, in its own pixels, from (0, 0) on.
    width : float, optional
        Width on the page, in pixels; by default that of what is drawn.
    margin : int, default 0
        Room on each side, in the pixels of what is drawn.
    look : str, default ""
        Attributes that hold for all of it.

    Returns
    -------
    str
        An ``<svg>``.
    """
    drawn, height = size
    origin = f"{-margin} {-margin}" if margin else "0 0"
    return (
        f'<svg viewBox="{origin} {drawn + 2 * margin:.0f} {height + 2 * margin:.0f}" '
        f'width="{width or drawn:.0f}" role="img" style="max-width:100%;height:auto" '
        f'{look}{" " * bool(look)}aria-label="{label}">{body}</svg>'
    )


def svg_path(points: Iterable[tuple[float, float]]) -> str:
    """Return a line through points.

    Parameters
    ----------
    points : iterable of tuple of float
        Places, in pixels.

    Returns
    -------
    str
        The ``d`` of an SVG path, to a tenth of a pixel.
    """
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def svg_window(body: str, box: tuple[float, float, float, float]) -> str:
    """Return what is drawn, as far as it lies in a box.

    Parameters
    ----------
    body : str
        What is drawn, as SVG.
    box : tuple of float
        Left, top, width and height, in its pixels.

    Returns
    -------
    str
        An ``<svg>`` that clips.
    """
    x, y, width, height = box
    return (
        f'<svg role="presentation" x="{x}" y="{y}" width="{width}" height="{height}" '
        f'viewBox="{x} {y} {width} {height}">{body}</svg>'
    )

"""The colours of a network's stages."""

from cnnlesson.diagrams.stages import Stage

__all__ = ["COLOURS", "colour_of"]

# After Okabe and Ito, for colour-blind readers, as light as shows on white and on black.
COLOURS = {"input": "#767676", "map": "#1a80bb", "pooled": "#009e73", "features": "#d55e00"}


def colour_of(stage: Stage) -> str:
    """Return the colour that a stage is drawn in.

    Parameters
    ----------
    stage : Stage
        The input, maps, pooled maps, or features.

    Returns
    -------
    str
        A colour such as ``"#1a80bb"``.
    """
    if stage.kind == "Input":
        return COLOURS["input"]
    if len(stage.shape) == 1:
        return COLOURS["features"]
    return COLOURS["pooled" if "Pool" in stage.kind else "map"]

"""Scripts in fewer bytes: a phone need not fetch comments, indentation and long names."""

try:
    import minify
except ModuleNotFoundError:  # no build of it for Apple's own processors
    minify = None

__all__ = ["shorter"]


def shorter(script: str) -> str:
    """Return a script that does the same, with short names for what no other script can see.

    Parameters
    ----------
    script : str
        A classic script or a module. Comments that begin with ``/*!`` name a licence, and stay.

    Returns
    -------
    str
        The script; as it is where the library that shortens it does not run.

    Raises
    ------
    ValueError
        If it is no JavaScript.
    """
    return script if minify is None else minify.string("text/javascript", script)

"""Point a fork's book at the fork.

`_config.yml` names the repository. When the hosting platform builds the book, its environment
says which repository is being built, and that one wins: the Binder, Colab and source buttons of a
fork then open the fork, without an edit.
"""

import os

from sphinx.application import Sphinx
from sphinx.config import Config


def _use_own_repository(app: Sphinx, config: Config) -> None:
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    if server and name:
        config.html_theme_options["repository_url"] = f"{server}/{name}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", _use_own_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

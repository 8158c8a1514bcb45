"""Point a fork's book at the fork.

`_config.yml` names the repository. When the hosting platform builds the book, its environment
says which repository is being built, and that one wins: the Binder, Colab and source buttons of a
fork then open the fork, without an edit. Where the book is published follows from its name.
"""

import os

from sphinx.application import Sphinx
from sphinx.config import Config


def published_at(repository: str) -> str:
    """Return the address at which a repository's pages are published."""
    owner, name = repository.rstrip("/").split("/")[-2:]
    return f"https://{owner}.github.io/{name}/"


def _use_own_repository(app: Sphinx, config: Config) -> None:
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    if server and name:
        config.html_theme_options["repository_url"] = f"{server}/{name}"
    config.html_baseurl = published_at(config.html_theme_options["repository_url"])
    config.myst_substitutions = {
        "as_pdf": f"[one PDF]({config.html_baseurl}book.pdf)",
        "as_zip": f"[one archive]({config.html_baseurl}book.zip)",
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", _use_own_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

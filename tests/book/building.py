"""Building the book, as `make build` does, and what pages it has."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
CHAPTERS = [page for part in TOC["parts"] for page in part["chapters"]]
PAGES = [TOC["root"]]
for page in CHAPTERS:
    PAGES += [page["file"], *(section["file"] for section in page.get("sections", []))]


def build(source, options, folder, **environment):
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(source), "--all"]
    result = subprocess.run(
        [*command, *options, "--path-output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]

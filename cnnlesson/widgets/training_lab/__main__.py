"""Compile ``kernel.c`` to the WebAssembly that the figure ``TrainingLab`` runs.

The compiler comes from PyPI, in the version that ``compiler.txt`` names; `make kernel` installs it.
The same version gives the same bytes on every system.

    python -m cnnlesson.widgets.training_lab
"""

import argparse
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_OPTIONS = (
    "--target=wasm32-freestanding",
    "-msimd128",  # 128-bit vectors, and no relaxed ones: those differ from processor to processor
    "-O2",
    "-fno-unroll-loops",  # the source says which loops are worth it
    "-ffp-contract=off",  # every product is rounded before it is added, everywhere
    "-fvisibility=hidden",
    *("-Wall", "-Wextra", "-Werror"),
    "-nostdlib",
    *("-Wl,--no-entry", "-Wl,--export-dynamic", "-Wl,--strip-all"),
)


def compile_kernel(path: Path) -> None:
    """Compile the kernel into a file.

    Parameters
    ----------
    path : pathlib.Path
        The file, overwritten.

    Raises
    ------
    subprocess.CalledProcessError
        If the compiler is missing, or finds a fault.
    """
    files = ["-o", str(path), str(_HERE / "kernel.c")]
    command = [sys.executable, "-m", "ziglang", "cc", *_OPTIONS, *files]
    subprocess.run(command, check=True)


def main() -> None:
    """Compile, and say how large it is."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    path = _HERE / "kernel.wasm"
    compile_kernel(path)
    sys.stdout.write(f"{path}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()

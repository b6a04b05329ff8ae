"""What every command line shares: plain logs, one-line errors, and no stack trace for a user's mistake."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from avsieve.errors import AvsieveError


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return an argument parser that shows a script's docstring as it is and the default of every option."""

    class Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
        def _get_help_string(self, action: argparse.Action) -> str | None:
            return action.help if action.default is None or action.required else super()._get_help_string(action)

    return argparse.ArgumentParser(description=description, formatter_class=Formatter, allow_abbrev=False)


def make_folder(path: Path, name: str) -> None:
    """Make the folder that a user named for results, before the work is done that would fill it.

    Parameters
    ----------
    path, name
        The folder, and the option that names it.

    Raises
    ------
    AvsieveError
        If it is a file, or cannot be made or written to.
    """
    if path.exists() and not path.is_dir():
        raise AvsieveError(f"{name} {path} is a file; name a folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise AvsieveError(f"{name} {path} cannot be written to ({error.strerror}); name another folder") from None


def run(main: Callable[[], int | None]) -> None:
    """Run ``main`` and exit: 0 when it ends, 1 with one message for an `AvsieveError`; bugs keep their stack trace."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        code = main() or 0
    except AvsieveError as error:
        sys.stderr.write(f"error: {error}\n")
        code = 1
    sys.exit(code)

"""What every command line shares: plain logs, one-line errors, and no stack trace for what is no bug."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.runtime.terminal import flush_output, has_reader, take_any_text
from avsieve.storage.file_names import harmless

# As a shell reports a program that a signal ended: SIGINT, SIGPIPE.
INTERRUPTED, NO_READER = 130, 141


class HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Show a description as it is, and the default of every option that has one, unless its help tells it already."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_switch = isinstance(action, argparse._StoreTrueAction)
        told = "(default" in (action.help or "")
        silent = told or is_switch or action.required or action.default in (None, [])
        return action.help if silent else super()._get_help_string(action)


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return an argument parser that shows a script's docstring as it is and the default of every option."""
    return argparse.ArgumentParser(description=description, formatter_class=HelpFormatter, allow_abbrev=False)


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


class _Harmless(logging.Formatter):
    """Writes what a file or a server has said so that no terminal obeys it."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record))


def run(main: Callable[[], int | None]) -> None:
    """Run ``main`` and exit: 0 when it ends, 1 with one message for an `AvsieveError`; bugs keep their stack trace.

    An interrupt (Ctrl-C) is told in a line, and a reader of the output that has left (``| head``) is no error.
    """
    take_any_text()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Harmless("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    code: int | str | None
    try:
        code = main() or 0
    except SystemExit as end:  # of argparse, for --help and for options that it refuses
        code = end.code
    except AvsieveError as error:
        sys.stderr.write(f"error: {harmless(str(error))}\n")
        code = 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what is finished is kept\n")
        code = INTERRUPTED
    except BrokenPipeError:
        if flush_output() and has_reader():  # not of the output, but of something inside
            raise
        code = NO_READER
    if not flush_output():
        code = code or NO_READER
    sys.exit(code)

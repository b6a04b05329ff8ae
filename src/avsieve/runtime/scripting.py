"""What every command line shares: plain logs, one-line errors, and no stack trace for what is no bug."""

from __future__ import annotations

import argparse
import errno
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avsieve.errors import AvsieveError
from avsieve.runtime import records
from avsieve.runtime.memory import MORE_MEMORY
from avsieve.runtime.terminal import flush_output, has_reader, take_any_text
from avsieve.storage.file_names import harmless

# As a shell reports a program that a signal ended: SIGINT, SIGPIPE.
INTERRUPTED, NO_READER = 130, 141
_NO_ROOM = "make room there (df -h, quota), or write elsewhere; then run again: what is finished is kept"
REMEDIES = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: "the file system or `ulimit -f` does not allow so large a file; write elsewhere, then run again",
    errno.EROFS: "make it writable (mount -o remount,rw), or write elsewhere",
    errno.EACCES: "change its permissions or its owner, or name another place",
    errno.EPERM: "change its permissions or its owner, or name another place",
    errno.EIO: "its disk or its file server fails; mend that, then run again and `avsieve verify` what is there",
    errno.ESTALE: "the file server has lost it; mount it anew, then run again",
    errno.EMFILE: "too many open files for this process; raise `ulimit -n`",
    errno.ENAMETOOLONG: "the file system does not take so long a name; choose a shorter one",
}
"""What to do about what the system refuses: no fault of the code, and told in a line."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Show a description as it is, and the default of every option that has one, unless its help tells it already."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_switch = isinstance(action, argparse._StoreTrueAction)
        told = "(default" in (action.help or "")
        silent = told or is_switch or action.required or action.default in (None, [])
        return action.help if silent else super()._get_help_string(action)


class _Parser(argparse.ArgumentParser):
    """A parser whose answers stand in the record of a job."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        parsed = super().parse_known_args(args, namespace)
        records.note(parsed[0])
        return parsed


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return an argument parser that shows a script's docstring as it is and the default of every option."""
    return _Parser(description=description, formatter_class=HelpFormatter, allow_abbrev=False)


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

    What the system refuses (`REMEDIES`: a full disk, a folder that is read-only) and memory that runs out are told in a
    line, too, and so is an interrupt (Ctrl-C). A reader of the output that has left (``| head``) is no error.
    """
    take_any_text()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Harmless("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    code: int | str | None
    try:
        code = main() or 0
        if not code:
            records.write_record()
    except SystemExit as end:  # of argparse, for --help and for options that it refuses
        code = end.code
    except AvsieveError as error:
        sys.stderr.write(f"error: {harmless(str(error))}\n")
        code = 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what is finished is kept\n")
        code = INTERRUPTED
    except MemoryError as error:
        sys.stderr.write(f"error: out of memory{f' ({error})' if str(error) else ''}; {MORE_MEMORY}\n")
        code = 1
    except BrokenPipeError:
        if flush_output() and has_reader():  # not of the output, but of something inside
            raise
        code = NO_READER
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        sys.stderr.write(f"error: {error.filename or 'a file'}: {error.strerror}; {REMEDIES[error.errno]}\n")
        code = 1
    if not flush_output():
        code = code or NO_READER
    sys.exit(code)

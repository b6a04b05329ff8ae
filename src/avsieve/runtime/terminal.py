"""Streams as they are: terminals without UTF-8, and readers such as ``head`` that leave early."""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
import unicodedata

# What is shown in place of a character that the terminal does not have.
_INSTEAD = {
    "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "×": "x", "µ": "u", "μ": "u", "·": ".", "≤": "<=", "≥": ">=",
    "±": "+-", "’": "'", "‘": "'", "“": '"', "”": '"', "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
_HANDLER = "avsieve"


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Write what a terminal lacks with what it has: the nearest letters, or a question mark for each character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = ""
    for character in error.object[error.start : error.end]:
        plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
        text += _INSTEAD.get(character) or plain or "?"
    return text, error.end


def take_any_text() -> None:
    """Let the standard streams take any text: what their encoding lacks is written with what it has."""
    codecs.register_error(_HANDLER, _nearest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def flush_output() -> bool:
    """Write out what standard output still holds; tell whether its reader is there.

    Where nobody reads any more, what is left is thrown away, so that Python does not complain of it at its end.
    """
    if sys.stdout is None:
        return True
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return False
    return True


def has_reader() -> bool:
    """Tell whether the other end of standard output is open; without a buffer a flush has nothing to fail with."""
    if sys.stdout is None:
        return True
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # in memory
        return True
    if not hasattr(select, "poll"):  # Windows
        return True
    watch = select.poll()
    watch.register(number, 0)
    return not any(event & (select.POLLERR | select.POLLNVAL) for _, event in watch.poll(0))

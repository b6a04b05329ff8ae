"""Tables with a line of column names, as users bring them to a source."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from avsieve.errors import ListError
from avsieve.storage.text_files import read_text


def in_words(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def read_rows(
    path: Path, what: str, needed: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV that hold anything, by the names of their columns, each with the number of its last line.

    Commas, semicolons or tabs stand between the values, and the text is in UTF-8 or UTF-16. Blank lines do not count,
    and blanks around a value are no part of it.

    Parameters
    ----------
    what
        What the table is, in words, for the message where there is none.
    needed, optional
        The columns that it must and may have.

    Raises
    ------
    ListError
        Naming the line: a column that is missing or unknown, more values than columns, or quotes that do not fit. Or as
        `avsieve.storage.text_files.read_text`.
    """
    lines = read_text(path, f"{what} (a CSV with the columns {' and '.join(needed)})").split("\n")
    above = next((n for n, line in enumerate(lines) if line.strip()), 0)  # blank lines before the names
    separator = max(",;\t", key=lines[above].count)
    text = io.StringIO("\n".join(lines[above:]), newline="")
    # Strict, since a quote that is never closed would take all lines below it for one value.
    reader = csv.DictReader(text, delimiter=separator, restkey="more", restval="", strict=True)
    done = above
    try:
        columns = [" ".join(c.split()) for c in reader.fieldnames or []]
        reader.fieldnames = columns
        if any(c not in columns for c in needed) or any(c not in (*needed, *optional) for c in columns):
            more = f" and, where they are known, {in_words(optional)}" if optional else ""
            raise ListError(
                f"{path}, line {above + 1}: columns {', '.join(columns)[:200] or 'none'}; "
                f"expected {in_words(needed)}{more}"
            )
        done += reader.line_num
        for row in reader:
            done = above + reader.line_num
            if "more" in row:
                raise ListError(
                    f"{path}, line {done}: more values than the {len(columns)} columns; a value that holds "
                    f"{separator!r} needs quotes"
                )
            values = {name: (value or "").strip() for name, value in row.items()}
            if any(values.values()):
                yield done, values
    except csv.Error as error:
        raise ListError(
            f"{path}, from line {done + 1} on: quotes that do not fit ({error}); expected a value in quotes to end "
            "with one, and a quote within it to be written twice"
        ) from None

"""Lines of a name and numbers: CSV, TSV or blanks between, with or without a heading."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from avsieve.embedding_files.places import Place, short
from avsieve.embedding_files.raw import Options, Raw, stack
from avsieve.errors import AvsieveError

_ABSENT = frozenset({"", "nan", "null", "none", "na", "n/a", "<na>", "-", "#n/a"})
_MARKS = (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"))


def encodings_of(path: Path) -> list[str]:
    """Return the encodings to try: as the file's mark says, else UTF-8, else Latin-1.

    Raises
    ------
    AvsieveError
        If the file cannot be opened.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(4)
    except OSError as error:
        raise AvsieveError(f"{path}: cannot be read ({error.strerror}); fix the path or its permissions") from error
    return [name for name, mark in _MARKS if head.startswith(mark)] or ["utf-8", "latin-1"]


def decode(path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    AvsieveError
        If it is no text.
    """
    for encoding in encodings_of(path):
        try:
            text = path.read_text(encoding=encoding)
        except UnicodeError:
            continue
        if "\0" not in text:
            return text
    raise AvsieveError(f"{path}: no text; expected a list of names")


def read(place: Place, options: Options) -> Raw:
    """Read lines of a name and its numbers.

    Numbers may stand in columns, or together in one, in brackets. Empty fields and words for null are not-a-number.

    Raises
    ------
    AvsieveError
        If a field is no number or lines differ in length, naming the line.
    """
    for encoding in encodings_of(place.path):
        try:
            return _read(place, options, encoding)
        except UnicodeError:
            continue
        except csv.Error as error:
            raise AvsieveError(f"{place.text}: {error}; expected lines of a name and numbers") from error
    raise AvsieveError(f"{place.text}: no text; expected lines of a name and numbers")


def _read(place: Place, options: Options, encoding: str) -> Raw:
    names: list[str] = []
    vectors: list[np.ndarray | None] = []
    numbers: list[int] = []
    with place.path.open(encoding=encoding, newline="") as handle:
        rows = _rows(handle)
        first = next(rows, None)
        if first is None:
            raise AvsieveError(f"{place.text}: no lines; expected lines of a name and numbers")
        titles, name_at, columns = _heading(options, first[1])
        if not titles:
            rows = _chained(first, rows)
        elif not columns:
            raise AvsieveError(f"{place.text}: line 1 names no column of numbers: {short(' '.join(titles))}")
        closed = not titles and len(first[1]) > 2 and first[1][-1] == ""  # every line ends with the delimiter
        for number, fields in rows:
            # What lies behind the last title belongs to it: `utterance embedding`, then blanks between the numbers.
            wanted = [fields[c] for c in columns if c < len(fields)] + fields[len(titles) :] if titles else fields[1:]
            if closed and wanted and wanted[-1] == "":
                wanted.pop()
            names.append(fields[name_at].strip() if name_at < len(fields) else "")
            vectors.append(_vector(place.text, number, wanted))
            numbers.append(number)
    return stack(place.text, names, vectors, unit="line", numbers=numbers)


def _rows(handle: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each line that is not empty, and its number."""
    delimiter = None
    number = 0
    for line in handle:
        number += 1
        if not line.strip():
            continue
        found = re.match(r'\s*(?:"[^"]*"|[^,;\t "]*)\s*?([,;\t ])', line)
        delimiter = found[1] if found else " "
        if delimiter == " ":
            yield number, line.split()
        else:
            fields = csv.reader(_chained(line, handle), delimiter=delimiter, skipinitialspace=True)
            for row in fields:
                if any(field.strip() for field in row):
                    yield number - 1 + fields.line_num, row
            return
        break
    for line in handle:
        number += 1
        if line.strip():
            yield number, line.split()


def _chained(first: object, rest: Iterator) -> Iterator:
    yield first
    yield from rest


def _heading(options: Options, fields: Sequence[str]) -> tuple[list[str], int, list[int]]:
    """Return the titles, the column of the names and those of the numbers; no titles where there is no heading."""
    titles = [field.strip() for field in fields]
    counted = titles[1:] == [str(i) for i in range(len(titles) - 1)]  # pandas counts columns without names
    if options.names_key not in titles and (len(titles) < 2 or (all(map(_is_number, titles[1:])) and not counted)):
        return [], 0, []
    name_at = titles.index(options.names_key) if options.names_key in titles else 0
    if options.vectors_key in titles:
        return titles, name_at, [titles.index(options.vectors_key)]
    # A column without a title is the index that pandas writes.
    return titles, name_at, [i for i, title in enumerate(titles) if i != name_at and title]


def _is_number(field: str) -> bool:
    text = field.strip(" \t\"'[]()")
    if text.lower() in _ABSENT:
        return True
    try:
        float(re.split(r"[\s,;]+", text)[0])
    except ValueError:
        return False
    return True


def _vector(label: str, number: int, fields: Sequence[str]) -> np.ndarray | None:
    """Return the numbers of a line, None where there are none."""
    try:
        return np.array(list(map(float, fields)), np.float32) if fields else None
    except ValueError:
        pass  # words, brackets or empty fields: looked at below
    if len(fields) == 1 or any("[" in f for f in fields):
        words = re.split(r"[\s,;]+", " ".join(fields).strip(" \t\r\n[]()\"'"))
        words = [] if words == [""] else words
    else:
        words = [word for field in fields for word in (field.split() or [""])]
    if "..." in words:
        raise AvsieveError(
            f"{label}: line {number}: '...' among the numbers: NumPy cut the vector short when it was printed; save "
            "the vectors as npz or Parquet"
        )
    if all(word.lower() in _ABSENT for word in words):
        return None
    values = []
    for word in words:
        try:
            values.append(float("nan") if word.lower() in _ABSENT else float(word))
        except ValueError:
            raise AvsieveError(
                f"{label}: line {number}: {short(word, 40)!r} is not a number; expected a name, then numbers"
            ) from None
    return np.array(values, np.float32)

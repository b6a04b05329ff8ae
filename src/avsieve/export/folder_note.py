"""A folder holds one export: a note in it tells which, and anything else is refused rather than mixed in."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from avsieve.errors import AvsieveError

NOTE = "export.json"


def digest(table: pd.DataFrame, checksums: Iterable[int]) -> str:
    """Return a digest of everything that an export holds: other faces, flags or labels make another one."""
    text = table.to_csv(index=False, lineterminator="\n") + ",".join(map(str, checksums))
    return hashlib.sha256(text.encode()).hexdigest()


def claim(out: Path, told: dict[str, Any]) -> None:
    """Note in ``out`` what it will hold, or refuse it when it holds something else.

    The same export finds its own note, so that one that was broken off is taken up, and two may write at a time.

    Raises
    ------
    AvsieveError
        If the folder holds another export, or files of which nothing is known.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / NOTE
    if not path.is_file():
        # Hidden ones are a writer's that was killed, or of one that begins at this very moment.
        others = sorted(entry.name for entry in out.iterdir() if not entry.name.startswith("."))
        if others and not path.is_file():
            raise AvsieveError(
                f"{out}: holds files ({', '.join(others[:3])}{', …' * (len(others) > 3)}), and no {NOTE} to say which "
                "export; name another folder, or empty this one"
            )
        if _begin(path, told):
            return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if found == told:
        return
    raise AvsieveError(
        f"{out}: holds another export ({_difference(found, told)}); name another folder, or remove this one"
    )


def _begin(path: Path, told: dict[str, Any]) -> bool:
    """Write the note, whole, unless another writer was faster."""
    text = json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(0o644)
        try:
            path.hardlink_to(partial)
        except FileExistsError:
            return False
        except OSError:  # a file system without links: who comes last wins, and the reader compares
            Path(partial).replace(path)
            return path.read_text(encoding="utf-8") == text
    finally:
        Path(partial).unlink(missing_ok=True)
    return True


def _difference(found: Any, told: dict[str, Any]) -> str:
    """Name what differs, as far as it can be said in a few words."""
    if not isinstance(found, dict):
        return f"its {NOTE} cannot be read"
    for name in ("form", "what", "utterances", "speakers", "shuffle_seed"):
        if found.get(name) != told.get(name):
            return f"{name} {_shown(found.get(name))} there, {_shown(told.get(name))} now"
    return "of other utterances, or of a run that has changed since"


def _shown(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)

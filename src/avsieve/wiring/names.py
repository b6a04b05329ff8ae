"""Paths and words on their way through Snakemake: prefixes, braces, and what the user named.

Snakemake takes ``{word}`` in a param or an input for a wildcard, and puts the prefix of a module in front of every
relative path of a rule but not in front of those in its params. Runs inside Snakemake, like `avsieve.wiring.rules`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avsieve.errors import ConfigError
from avsieve.storage import paths as P

# Aliases of the user's files whose names look like wildcards, and what was found in the code; beside Snakemake's own
# notes about the working folder.
ALIASES = Path(".snakemake") / "avsieve"
# What Snakemake takes for a wildcard: a name, and perhaps a regular expression, in braces.
_WILDCARD = re.compile(r"\{\s*[.\w]+\s*(,[^{}]*(\{\d+(,\d+)?\}[^{}]*)*)?\}")
# Rules write the paths of results into commands as they are.
_PLAIN = re.compile(r"[\w./@%+=:,~-]+")


def looks_like_wildcard(path: str) -> bool:
    """Tell whether Snakemake would take a part of ``path`` for a wildcard."""
    return _WILDCARD.search(path) is not None


class Words(str):
    """Text of a param that Snakemake takes as it is: it looks for wildcards in text, but not in what functions return.

    So this is text that can be called.
    """

    __slots__ = ()

    def __call__(self, wildcards: Any) -> str:
        """Return the text, whatever the wildcards."""
        return str(self)


def plain(path: str) -> str:
    """Return ``path``, or the path of a link to it where Snakemake would take a part of its name for a wildcard.

    An input cannot be written so that braces in it are none. The link's own time is long ago: only the file itself
    decides what runs again.
    """
    if not looks_like_wildcard(path):
        return path
    name = Path(path).name.translate({ord("{"): "(", ord("}"): ")"})
    alias = ALIASES / f"{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}-{name}"
    # Written anew where the project was moved; relative ones would fail where .snakemake itself is a link.
    target = Path(path).absolute()
    if not alias.is_symlink() or alias.readlink() != target:
        alias.parent.mkdir(parents=True, exist_ok=True)
        partial = alias.with_name(f".{os.getpid()}-{alias.name}")
        partial.unlink(missing_ok=True)
        partial.symlink_to(target)
        os.utime(partial, (0, 0), follow_symlinks=False)
        partial.replace(alias)
    return alias.as_posix()


class Places:
    """Where the results lie: below ``results``, and below the prefix of a module where there is one.

    Parameters
    ----------
    moved
        Returns where the importer of a module wants a path; None for a workflow that is nobody's module.

    Raises
    ------
    ConfigError
        If the importer scatters the results, or wants characters in their paths that a shell does not take as they are.
    """

    def __init__(self, moved: Callable[[str], str] | None = None) -> None:
        self._moved = moved
        self.results = self(P.RESULTS)
        if _PLAIN.fullmatch(self.results) is None:
            raise ConfigError(
                f"the prefix of the module gives {self.results!r}; expected a prefix of letters, digits and _ - . / "
                "alone"
            )
        for folder in (P.plan.folder, P.lists.folder, P.LOGS, P.BENCHMARKS, P.report.folder):
            if self(folder) != f"{self.results}{folder.removeprefix(P.RESULTS)}":
                raise ConfigError(
                    f"replace_prefix of the module puts {folder} in {self(folder)} and the rest "
                    f"in {self.results}; give one for 'results/', since the results belong together"
                )

    def __call__(self, path: str) -> str:
        """Return where a path of the results lies, as Snakemake itself moves inputs and outputs."""
        # The slash lets a prefix that ends with one fit a folder's own name.
        return path if self._moved is None else str(self._moved(f"{path}/")).removesuffix("/")

"""Load a source by its name."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import avsieve.sources
from avsieve.errors import AvsieveError
from avsieve.sources.watch_list import Watched


def source_names() -> list[str]:
    """Return the names of the sources: the packages beside this module."""
    return sorted(m.name for m in iter_modules(avsieve.sources.__path__) if m.ispkg)


def load_source(name: str, part: str) -> ModuleType:
    """Return the module ``part`` (``plan`` or ``fetch``) of the source ``name``.

    Raises
    ------
    AvsieveError
        If there is no such source.
    """
    if name not in source_names():
        raise AvsieveError(f"no source {name!r}; expected one of {', '.join(source_names())}")
    return import_module(f"avsieve.sources.{name}.{part}")


def also_watched(source: ModuleType, rows: Any, index: Any, args: argparse.Namespace) -> Iterable[Watched]:
    """Return what a source looked at beside what its index points to, if it says: see `avsieve.sources.watch_list`.

    Parameters
    ----------
    source
        Its module ``fetch``.
    rows, index, args
        What that took, and the media index that it made: tables of as many rows.
    """
    found: Iterable[Watched] = source.also_watched(rows, index, args) if hasattr(source, "also_watched") else []
    return found


def parse_with_source(ap: argparse.ArgumentParser, part: str, argv: list[str]) -> tuple[argparse.Namespace, ModuleType]:
    """Parse a command line that begins with a source's name; the source adds its own options.

    Raises
    ------
    AvsieveError
        If there is no such source.
    """
    ap.usage = f"%(prog)s {{{','.join(source_names())}}} [options]"
    if not argv or argv[0].startswith("-"):
        ap.parse_args(argv)
        ap.error(f"name a source first: {', '.join(source_names())}")
    source = load_source(argv[0], part)
    source.add_options(ap)
    return ap.parse_args(argv[1:]), source

"""Load a source by its name."""

from __future__ import annotations

import argparse
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import avsieve.sources
from avsieve.errors import AvsieveError


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

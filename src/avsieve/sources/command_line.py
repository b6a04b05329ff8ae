"""Command lines that begin with a source's name: the settings that a part of the source reads are their options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal

from avsieve.errors import ConfigError
from avsieve.runtime.options import add_settings, settings_of
from avsieve.sources.contract import SourceContract
from avsieve.sources.registry import SOURCES


def parse_with_source(
    ap: argparse.ArgumentParser, part: Literal["plan", "fetch"], argv: list[str]
) -> tuple[argparse.Namespace, SourceContract[Any], dict[str, Path]]:
    """Parse a command line that begins with a source's name.

    Parameters
    ----------
    ap
        The parser; it gets an option for each key that the part reads, and for each file that it writes of its own.

    Returns
    -------
    tuple
        What was parsed, the source with its settings, and where the part writes its own files, by name.

    Raises
    ------
    ConfigError
        If there is no such source, or the settings do not fit it.
    """
    ap.usage = f"%(prog)s {{{','.join(SOURCES)}}} [options]"
    if not argv or argv[0].startswith("-"):
        ap.parse_args(argv)
        ap.error(f"name a source first: {', '.join(SOURCES)}")
    contract = SOURCES[argv[0]]
    keys, outputs = (
        (contract.plan_keys, contract.plan_outputs) if part == "plan" else (contract.fetch_keys, contract.fetch_outputs)
    )
    add_settings(ap, contract.block, only=keys, required=True)
    for name in outputs:
        ap.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, help="a file to write")
    args = ap.parse_args(argv[1:])
    source = contract(settings_of(contract.block, args))
    if contract.needed is not None and contract.needed[0] in keys and (missing := source.missing()):
        raise ConfigError(missing)
    return args, source, {name: getattr(args, name) for name in outputs}

"""The options of every command line that reads embeddings; nothing heavy is imported."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from avsieve.embedding_files.formats import KNOWN, NAMES_HELP, NAMES_KEY, PREFIX_HELP, VECTORS_HELP, VECTORS_KEY

if TYPE_CHECKING:
    from avsieve.embedding_files.raw import Options

FORMATS_HELP = f"Embedding formats: {KNOWN}. Several files of a modality are read as one table."


def add_table_options(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add what tells how names and vectors are found in a table; scripts of the workflow ask for it (``required``)."""
    for flag, default, words in (
        ("--names-key", NAMES_KEY, NAMES_HELP),
        ("--vectors-key", VECTORS_KEY, VECTORS_HELP),
    ):
        parser.add_argument(flag, required=required, default=None if required else default, metavar="KEY", help=words)
    parser.add_argument("--strip-prefix", metavar="TEXT", help=PREFIX_HELP)


def table_options(args: argparse.Namespace, *, several: bool = False) -> Options:
    """Return what these options say."""
    from avsieve.embedding_files.raw import Options

    return Options(args.names_key, args.vectors_key, args.strip_prefix, several)

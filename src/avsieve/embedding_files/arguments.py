"""The options of every command line that reads embeddings; nothing heavy is imported."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from avsieve.embedding_files.formats import KNOWN, NAMES_HELP, NAMES_KEY, PREFIX_HELP, VECTORS_HELP, VECTORS_KEY

if TYPE_CHECKING:
    from avsieve.embedding_files.raw import Options

FORMATS_HELP = f"Formats of embeddings: {KNOWN}. Several files of a modality are read as one table."


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Add what tells how names and vectors are found in a table."""
    parser.add_argument("--names-key", default=NAMES_KEY, metavar="KEY", help=NAMES_HELP)
    parser.add_argument("--vectors-key", default=VECTORS_KEY, metavar="KEY", help=VECTORS_HELP)
    parser.add_argument("--strip-prefix", metavar="TEXT", help=PREFIX_HELP)


def table_options(args: argparse.Namespace, *, several: bool = False) -> Options:
    """Return what these options say."""
    from avsieve.embedding_files.raw import Options

    return Options(args.names_key, args.vectors_key, args.strip_prefix, several)

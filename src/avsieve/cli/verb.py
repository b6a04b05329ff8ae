"""The contract of a verb of the command `avsieve`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """A verb: what it is for, what may be said, and what it does.

    Its module imports little, since ``avsieve --help`` imports them all; what ``run`` needs it imports itself.

    Attributes
    ----------
    help
        One line for the list of verbs.
    description
        What stands at the head of its own help.
    add_arguments
        Adds its options to a parser.
    run
        Does it, and returns the exit status.
    """

    help: str
    description: str | None
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]

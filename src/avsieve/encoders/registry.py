"""Look up an architecture by name: tables of ``"module:factory"`` strings, imported when they are asked for.

The tables are `avsieve.encoders.audio.AUDIO` and `avsieve.encoders.visual.VISUAL`, apart from each other so that an
edit of a face network does not rerun the audio stages. To add an architecture, write its module with a factory that
takes no arguments and returns an ``nn.Module``, and name it in the table of its modality.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from avsieve.errors import ModelError

if TYPE_CHECKING:
    from torch import nn


def build(table: Mapping[str, str], arch: str, **options: object) -> nn.Module:
    """Return a new network of architecture ``arch`` with untrained weights.

    Parameters
    ----------
    table
        Architecture name -> ``"module:factory"``.
    arch
        The name to look up.
    options
        Passed to the factory.

    Raises
    ------
    ModelError
        If the table has no such name.
    """
    if arch not in table:
        raise ModelError(f"architecture {arch!r}: not known; expected one of {', '.join(sorted(table))}")
    module, _, factory = table[arch].partition(":")
    network: nn.Module = getattr(import_module(module), factory)(**options)
    return network

"""The contract of an export form: what a new one implements, in a module of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from avsieve.settings import Block

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.export.contents import Contents

S = TypeVar("S", bound=Block)


class ExportForm(ABC, Generic[S]):
    """A layout that a run can be written in.

    The rules and the command line read all but `write` inside Snakemake, so a form's module imports nothing heavier
    than pydantic; what `write` needs it imports itself.

    Attributes
    ----------
    label
        What it is, for ``--help``.
    settings
        Its own keys of the configuration's block ``export``, and its own options. Keys that two forms share come from
        one block.
    packages
        Packages that it imports and AVSieve does not need otherwise.
    threads
        Utterances that it writes at a time, hence the cores of its rule; 1 for a form that has no use for more.
    """

    label: ClassVar[str]
    settings: ClassVar[type[Block]] = Block
    packages: ClassVar[tuple[str, ...]] = ()
    threads: ClassVar[int] = 1

    @abstractmethod
    def write(
        self, table: pd.DataFrame, contents: Contents, out: Path, settings: S, *, seed: int, threads: int
    ) -> dict[str, int]:
        """Write the chosen utterances; an export that was broken off is taken up where it stopped.

        Parameters
        ----------
        table
            From `avsieve.export.selection.select`.
        contents
            Their files.
        out
            Folder to write to.
        settings
            Values of the keys of `settings`.
        seed
            Decides an order that is shuffled.
        threads
            Utterances to write at a time.

        Returns
        -------
        dict
            ``utterances``, ``files`` and ``bytes`` of the whole export, what of it was ``written`` now and what was
            ``left``, there before; further counts if need be, such as ``parts``.

        Raises
        ------
        AvsieveError
            If the folder holds another export.
        """

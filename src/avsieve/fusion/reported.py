"""What papers and their repositories report of a model. Snakemake reads it: nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """A figure as its source states it, which stands beside our own and is never mixed with them.

    Attributes
    ----------
    figure
        With its unit.
    protocol
        On which trials it was reached, with what encoders and training data, as far as the source says.
    source
        Where it is stated.
    """

    figure: str
    protocol: str
    source: str

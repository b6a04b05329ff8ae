"""Write a run as Parquet that the package `datasets` reads, with sound and images as features."""

from __future__ import annotations

from avsieve.export.command import run_export
from avsieve.export.forms import add_options
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Export."""
    ap = parser(__doc__)
    add_options(ap, "parquet")
    run_export("parquet", ap.parse_args())


if __name__ == "__main__":
    run(main)

"""Write a run as WebDataset: tars of limited size, a sample an utterance."""

from __future__ import annotations

from avsieve.export.command import run_export
from avsieve.export.forms import add_options
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Export."""
    ap = parser(__doc__)
    add_options(ap, "webdataset")
    run_export("webdataset", ap.parse_args())


if __name__ == "__main__":
    run(main)

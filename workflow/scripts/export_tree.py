"""Write AVCleanse's folders of a run: aligned faces and sound, one file each, with the lists about them."""

from __future__ import annotations

from avsieve.export.command import run_export
from avsieve.export.forms import add_options
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Export."""
    ap = parser(__doc__)
    add_options(ap, "tree")
    run_export("tree", ap.parse_args())


if __name__ == "__main__":
    run(main)

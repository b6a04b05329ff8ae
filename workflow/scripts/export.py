"""Write a run in another layout: AVCleanse's folders, WebDataset, Parquet, or whatever form there is."""

from __future__ import annotations

from avsieve.export.command import add_options, run_export
from avsieve.export.registry import FORMS
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Export."""
    ap = parser(__doc__)
    forms = ap.add_subparsers(dest="form", metavar="FORM", required=True)
    for name, form in FORMS.items():
        add_options(forms.add_parser(name, help=form.label, description=form.label), name, required=True)
    args = ap.parse_args()
    run_export(args.form, args)


if __name__ == "__main__":
    run(main)

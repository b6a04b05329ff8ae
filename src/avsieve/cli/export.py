"""`avsieve export`: faces and sound of a run in other layouts."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the verb to the command line."""
    from avsieve.export.forms import FORMS, add_options

    ap = subparsers.add_parser("export", help="faces and sound of a run in other layouts", description=__doc__)
    forms = ap.add_subparsers(dest="form", metavar="FORM", required=True)
    for form, told in FORMS.items():
        own = forms.add_parser(
            form,
            help=told,
            description=told,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
        )
        add_options(own, form)


def main(args: argparse.Namespace) -> int:
    """Export."""
    from avsieve.export.command import run_export

    return run_export(args.form, args)

"""`avsieve export`: write the faces and sound of a run in other formats."""

from __future__ import annotations

import argparse

from avsieve.cli.verb import Verb
from avsieve.export.command import add_options, run_export
from avsieve.export.registry import FORMS
from avsieve.runtime.scripting import HelpFormatter


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the forms and their options."""
    forms = ap.add_subparsers(dest="form", metavar="FORM", required=True)
    for name, form in FORMS.items():
        own = forms.add_parser(
            name, help=form.label, description=form.label, formatter_class=HelpFormatter, allow_abbrev=False
        )
        add_options(own, name)


def run(args: argparse.Namespace) -> int:
    """Export."""
    return run_export(args.form, args)


VERB = Verb("write the faces and sound of a run in other formats", __doc__, add_arguments, run)

"""The `avsieve` command: one module a verb."""

from __future__ import annotations

from avsieve import __version__
from avsieve.cli.registry import VERBS
from avsieve.runtime.scripting import HelpFormatter, parser, run


def main() -> None:
    """Run a verb."""
    run(_main)


def _main() -> int:
    ap = parser("Find wrong labels in audio-visual identity datasets, and measure what cleansing gains.")
    ap.add_argument("--version", action="version", version=f"avsieve {__version__}")
    verbs = ap.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, verb in VERBS.items():
        verb.add_arguments(
            verbs.add_parser(
                name,
                help=verb.help,
                description=verb.description,
                formatter_class=HelpFormatter,
                allow_abbrev=False,
            )
        )
    args = ap.parse_args()
    return VERBS[args.verb].run(args)

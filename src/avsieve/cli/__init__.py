"""The `avsieve` command: one module a verb, with ``add_parser(subparsers)`` and ``main(args) -> int``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from avsieve import __version__
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Run a verb."""
    run(_main)


def _main() -> int:
    ap = parser("Find the wrong labels in audio-visual identity datasets, and prove what that is worth.")
    ap.add_argument("--version", action="version", version=f"avsieve {__version__}")
    verbs = ap.add_subparsers(dest="verb", metavar="VERB", required=True)
    modules = {name: import_module(f"{__name__}.{name}") for _, name, _ in sorted(iter_modules(__path__))}
    for module in modules.values():
        module.add_parser(verbs)
    args = ap.parse_args()
    return int(modules[args.verb.replace("-", "_")].main(args) or 0)

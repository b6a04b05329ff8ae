"""The verbs of the command `avsieve`."""

from __future__ import annotations

from avsieve.cli.verb import Verb
from avsieve.registry import Registry

VERBS: Registry[Verb] = Registry(
    "verb",
    {
        "cleanse": "avsieve.cli.cleanse:VERB",
        "compare": "avsieve.cli.compare:VERB",
        "doctor": "avsieve.cli.doctor:VERB",
        "evaluate": "avsieve.cli.evaluate:VERB",
        "export": "avsieve.cli.export:VERB",
        "real": "avsieve.cli.real:VERB",
        "simulate": "avsieve.cli.simulate:VERB",
    },
)

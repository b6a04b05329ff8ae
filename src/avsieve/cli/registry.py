"""The verbs of the command `avsieve`."""

from __future__ import annotations

from avsieve.cli.verb import Verb
from avsieve.registry import Registry

VERBS: Registry[Verb] = Registry(
    "verb",
    {
        "anchors": "avsieve.cli.anchors:VERB",
        "audit": "avsieve.cli.audit:VERB",
        "cleanse": "avsieve.cli.cleanse:VERB",
        "compare": "avsieve.cli.compare:VERB",
        "doctor": "avsieve.cli.doctor:VERB",
        "evaluate": "avsieve.cli.evaluate:VERB",
        "export": "avsieve.cli.export:VERB",
        "inspect": "avsieve.cli.inspect:VERB",
        "overlap": "avsieve.cli.overlap:VERB",
        "real": "avsieve.cli.real:VERB",
        "review": "avsieve.cli.review:VERB",
        "show": "avsieve.cli.show:VERB",
        "simulate": "avsieve.cli.simulate:VERB",
        "status": "avsieve.cli.status:VERB",
        "verify": "avsieve.cli.verify:VERB",
    },
)

"""Settings as words of a command line, and what stands before every command. Runs inside Snakemake."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from avsieve.runtime.records import RESULTS_VARIABLE
from avsieve.wiring.names import Words


def flags(values: BaseModel | dict[str, Any], *, leave: Iterable[str] = ()) -> Words:
    """Write settings as command-line flags: ``min_score: 0.5`` becomes ``--min-score 0.5``.

    ``None`` and empty lists are left out, true and false become ``--x`` and ``--no-x``, and keys in ``leave`` are
    passed over. Braces in it are no wildcards (`avsieve.wiring.names.Words`).
    """
    items = values.model_dump() if isinstance(values, BaseModel) else values
    words: list[str] = []
    for name, value in items.items():
        flag = f"--{name.replace('_', '-')}"
        if name in leave or value is None or value == []:
            continue
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, dict):
            words += [flag, shlex.quote(json.dumps(value, sort_keys=True))]
        elif isinstance(value, list | tuple):
            texts = (json.dumps(item, sort_keys=True) if isinstance(item, dict) else str(item) for item in value)
            words += [flag, *map(shlex.quote, texts)]
        else:
            # A value that begins with a dash would be taken for an option.
            words += (
                [f"{flag}={shlex.quote(str(value))}"] if str(value).startswith("-") else [flag, shlex.quote(str(value))]
            )
    return Words(" ".join(words))


def shell_prefix(src: Path, scripts: Path, results: str, *, own_environments: bool) -> str:
    """Return what runs before every shell command, with braces doubled as Snakemake wants them there.

    ``results`` is where the results lie: jobs leave a record of what they made there (`avsieve.runtime.records`).

    Snakemake unsets ``PYTHONPATH`` in conda environments, so it is set here. Without environments of its own a job
    runs under the Python that runs Snakemake, whether or not its environment is activated.
    """
    python = "" if own_environments else f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
    words = (
        # No word of a variable is split or taken for a pattern: the checkout may lie in any folder.
        f"set -feuo pipefail; IFS=; {python}export PYTHONPATH={shlex.quote(str(src))} "
        f"AVSIEVE_SCRIPTS={shlex.quote(str(scripts))} {RESULTS_VARIABLE}={shlex.quote(results)} PYTHONHASHSEED=0; "
    )
    return words.replace("{", "{{").replace("}", "}}")

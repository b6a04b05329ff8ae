"""Write what is derived from the configuration's model: the default file, the reference and the JSON schema.

``python -m avsieve.config.docs --write`` writes them anew, ``--check`` fails if one of them is out of step.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from avsieve.config.model import Config
from avsieve.settings import Block, limits_in_words, type_in_words
from avsieve.storage.atomic import write_text
from avsieve.training.encoder.presets import keys_of
from avsieve.training.encoder.settings import Preset

ROOT = Path(__file__).resolve().parents[3]

INTRO = """\
# Configuration

`config.yaml` contains every key with its default (commented out with `#` if a preset may set it). Your own file needs
only the keys that differ:

    snakemake --cores 8 --configfile my.yaml

or, for one key, `--config device=cuda` (nested: `--config 'cleansing={policy: audio}'`). An unknown key or a wrong
value gives one message that names the key. Paths are relative to the folder that Snakemake runs in. The number of
cores, GPUs or cluster jobs is not part of the configuration: see `workflow/profiles`.

The last column gives the first rule that reruns when a key changes; everything that depends on that rule reruns too.
With `none` nothing runs again. With `refused` the key names another source: that needs a folder of results of its own.

*This page is written by `make docs` from `src/avsieve/config/model.py`.*
"""


def _is_block(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _yaml(value: Any) -> str:
    if isinstance(value, float) and "e" in repr(value) and "." not in repr(value):
        return repr(value).replace("e", ".0e")  # YAML takes 1e-05 for text
    return json.dumps(value) if not isinstance(value, str) or value == "" else value


def _presets(model: type[BaseModel]) -> list[str]:
    """Return a paragraph a preset with the keys that it sets."""
    if not issubclass(model, Preset):
        return []
    return [
        f"`preset: {name}` sets {', '.join(f'`{key}: {_yaml(value)}`' for key, value in values.items())}.\n"
        for name, values in model.PRESETS.items()
        if values
    ]


def _row(name: str, field: FieldInfo) -> str:
    """Return what a row of a table tells of a key."""
    value = f"{type_in_words(field.annotation)}{limits_in_words(field.metadata)}"
    return f"| `{name}` | {field.description} | {value} | `{_yaml(field.get_default(call_default_factory=True))}`"


def _plug_ins(model: type[Block], path: str) -> list[str]:
    """Return a table of the settings that plug-ins have of their own, for each key that takes them."""
    parts = []
    for name, plug_ins in model.PLUG_INS.items():
        owners: dict[str, list[str]] = {}  # those that have a key in common share its row
        for plug_in in plug_ins:
            for key, field in plug_ins[plug_in].settings.model_fields.items():
                owners.setdefault(_row(key, field), []).append(plug_in)
        rows = []
        for row, of in owners.items():
            label = f": {plug_ins[of[0]].label}" if len(of) == 1 else ""
            rows.append(f"| {', '.join(f'`{owner}`' for owner in of)}{label} {row} |")
        if rows:
            head = "| of | key | meaning | value | default |\n|---|---|---|---|---|"
            parts += [f"\nWhat `{path}.{name}` may hold:\n", head, *rows]
    return parts


def reference() -> str:
    """Return config/README.md."""
    parts = [INTRO]

    def section(model: type[Block], path: str) -> None:
        plain = {n: f for n, f in model.model_fields.items() if not _is_block(f)}
        if plain:
            parts.append(f"\n## {f'`{path}`' if path else 'General'}\n")
            if path:
                parts.append(f"{' '.join((model.__doc__ or '').split())}\n")
            parts.extend(_presets(model))
            parts.append("| key | meaning | value | default | reruns |\n|---|---|---|---|---|")
            for name, field in plain.items():
                full = f"{path}.{name}" if path else name
                parts.append(f"{_row(full, field)} | `{model.reruns(name)}` |")
            parts.extend(_plug_ins(model, path))
        for name, field in model.model_fields.items():
            if _is_block(field):
                section(field.annotation, f"{path}.{name}" if path else name)  # type: ignore[arg-type]

    section(Config, "")
    return "\n".join(parts) + "\n"


def default_file() -> str:
    """Return config/config.yaml."""
    lines = [
        "# yaml-language-server: $schema=../workflow/schemas/config.schema.json",
        "# The default: the embedded corpus of synthetic people, in a few minutes on a laptop. Written by `make docs`;",
        "# keep your own settings in another file. config/README.md explains every key.",
    ]

    def block(model: type[Block], indent: str) -> None:
        preset = keys_of(model.PRESETS) if issubclass(model, Preset) else set()
        for name, field in model.model_fields.items():
            if _is_block(field):
                if not indent:
                    lines.append("")
                lines.append(f"{indent}{name}:")
                block(field.annotation, indent + "  ")  # type: ignore[arg-type]
            else:
                comment = textwrap.wrap((field.description or "").replace("`", ""), 116 - len(indent))
                lines.extend(f"{indent}# {line}" for line in comment)
                # A default that stood here would count as given, and no preset could change it.
                mark = "# " if name in preset else ""
                lines.append(f"{indent}{mark}{name}: {_yaml(field.get_default(call_default_factory=True))}")

    block(Config, "")
    return "\n".join(lines) + "\n"


def schema() -> str:
    """Return workflow/schemas/config.schema.json."""
    value = Config.model_json_schema()
    value["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(value, indent=2) + "\n"


def derived() -> dict[Path, str]:
    """Return the derived files, relative to the checkout, and what they should hold."""
    return {
        Path("config/config.yaml"): default_file(),
        Path("config/README.md"): reference(),
        Path("workflow/schemas/config.schema.json"): schema(),
    }


def main() -> int:
    """Write or check the derived files."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = ap.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the files anew")
    what.add_argument("--check", action="store_true", help="fail if a file is out of step")
    args = ap.parse_args()
    stale = 0
    for path, text in derived().items():
        found = (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else ""
        if found == text:
            continue
        if args.write:
            write_text(ROOT / path, text)
            continue
        stale += 1
        difference = difflib.unified_diff(found.splitlines(True), text.splitlines(True), str(path), "expected")
        sys.stderr.writelines(difference)
        sys.stderr.write(f"{path} is out of step with src/avsieve/config/model.py; run `make docs`\n")
    return int(stale > 0)


if __name__ == "__main__":
    sys.exit(main())

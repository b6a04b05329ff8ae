"""The configuration as a run would see it: the workflow's own file, and those given on top of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.errors import AvsieveError, ConfigError
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Config


_LONGEST = 10_000_000
"""Characters of a configuration; parsing YAML takes a second for 100,000."""


def default_file() -> Path | None:
    """Return the configuration that the workflow starts from; None where the library was installed without it."""
    from avsieve.wiring.trial_run import checkout

    try:
        path = checkout() / "config" / "config.yaml"
    except AvsieveError:
        return None
    return path if path.is_file() else None


def read_settings(paths: list[Path]) -> tuple[Config, list[Path]]:
    """Merge the workflow's configuration with ``paths`` as Snakemake does: later wins, block by block.

    Returns
    -------
    tuple
        The configuration, and the files that it came from.

    Raises
    ------
    ConfigError
        If a file cannot be read, or has an unknown key or a wrong value.
    """
    from avsieve.config.model import parse_config

    base = default_file()
    given = [path for path in paths if base is None or path.resolve() != base.resolve()]
    files = [base, *given] if base else given
    values: dict[str, Any] = {}
    for path in files:
        _update(values, _read(path))
    return parse_config(values, " + ".join(map(str, given or files)) or "config"), files


def _read(path: Path) -> dict[str, Any]:
    """Read a file as Snakemake does: JSON, else YAML, with keys at its top."""
    import json

    import yaml

    text = _text(path)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: not YAML: {_in_one_line(error)}; fix it there") from None
        except (ValueError, RecursionError) as error:  # a date that is none; text that nests without end
            what = "it nests too deep" if isinstance(error, RecursionError) else str(error)
            raise ConfigError(f"{path}: cannot be read as YAML: {what}; fix it there") from None
    if values is None:
        raise ConfigError(
            f"{path}: holds no key, and Snakemake stops at such a file; write {{}} into it, or do not name it"
        )
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, found a {type(values).__name__}")
    return values


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as handle:
            text = handle.read(_LONGEST + 1)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text ({error.reason}); name a YAML file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name an existing configuration") from None
    if len(text) > _LONGEST:
        raise ConfigError(f"{path}: more than {_LONGEST:,} characters; name a configuration")
    return text


def _in_one_line(error: Any) -> str:
    """Return what a parser found, and where."""
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    tab = ": indent with blanks, not with tabs" if "\\t" in what else ""
    return f"{what}{tab}" + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else "")


def repeated_keys(path: Path) -> list[Finding]:
    """Warn of keys that a file has twice: the last one counts, and YAML says nothing."""
    import yaml

    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, OSError, ValueError, RecursionError):
        return []  # JSON with tabs, which Snakemake takes
    return list(_repeated(node, "", path, set()))


def _repeated(node: Any, above: str, path: Path, seen: set[int]) -> Iterator[Finding]:
    import yaml

    if id(node) in seen:
        return  # an alias of what was looked at
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, above, path, seen)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = f"{above}{key.value}", key.start_mark.line + 1
        if name in lines:
            text = f"{path} has it in line {lines[name]} and again in line {line}, and the last one counts alone"
            yield Finding("warning", name, text, "keep one of them")
        lines[name] = line
        yield from _repeated(value, f"{name}.", path, seen)


def _update(values: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            _update(values[name], value)
        else:
            values[name] = value

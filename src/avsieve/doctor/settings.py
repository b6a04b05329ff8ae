"""The configuration as a run would see it: the workflow's own file, and those given on top of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from avsieve.errors import AvsieveError, ConfigError

if TYPE_CHECKING:
    from avsieve.config import Config


def default_file() -> Path | None:
    """Return the configuration that the workflow starts from; None where the library was installed without it."""
    from avsieve.trial_run import checkout

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
    from avsieve.config import parse_config

    base = default_file()
    given = [path for path in paths if base is None or path.resolve() != base.resolve()]
    files = [base, *given] if base else given
    values: dict[str, Any] = {}
    for path in files:
        _update(values, _read(path))
    return parse_config(values, " + ".join(map(str, given or files)) or "config"), files


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: no text in UTF-8 ({error.reason}); name a YAML file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name an existing configuration") from None
    if values is None:  # Snakemake stops at it
        raise ConfigError(f"{path}: no keys at all; write some, or leave the file out to take the defaults")
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, found a {type(values).__name__}")
    return values


def _update(values: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            _update(values[name], value)
        else:
            values[name] = value

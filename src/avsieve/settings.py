"""What the blocks of the configuration are made of; plug-ins describe their own settings with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from avsieve.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Cosine = Annotated[float, Field(ge=-1, le=1)]


def key(default: Any, description: str, reruns: str = "", **limits: Any) -> Any:
    """Describe a key of the configuration.

    Parameters
    ----------
    default
        Its default, or a function that makes it.
    description
        What it means, with its unit: the reference and the ``--help`` of command lines show it.
    reruns
        The first rule that runs again when it changes; without one that of its block (`Block.RERUNS`).
    limits
        As pydantic has them: ``ge``, ``gt``, ``le``, ``lt``, ``min_length``.
    """
    extra: dict[str, Any] = {"reruns": reruns}
    if callable(default):
        return Field(default_factory=default, description=description, json_schema_extra=extra, **limits)
    return Field(default, description=description, json_schema_extra=extra, **limits)


class Block(BaseModel):
    """A block of keys; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    RERUNS: ClassVar[str] = ""
    """The first rule that runs again when a key changes that names none itself."""

    PLUG_INS: ClassVar[dict[str, Any]] = {}
    """Keys that hold the own settings of plug-ins -> those plug-ins by name, with ``label`` and ``settings``."""

    @classmethod
    def reruns(cls, name: str) -> str:
        """Return the first rule that runs again when the key ``name`` changes."""
        extra = cls.model_fields[name].json_schema_extra
        own = extra.get("reruns") if isinstance(extra, dict) else None
        return str(own or cls.RERUNS)


B = TypeVar("B", bound=Block)


def filled(block: type[B], values: Mapping[str, Any], owner: str) -> B:
    """Return the settings that a plug-in has of its own; what is not given has its default.

    Parameters
    ----------
    block, values
        The plug-in's block, and what the user gave.
    owner
        Its name, for messages.

    Raises
    ------
    ConfigError
        In a line: the option, its value, and what it may be.
    """
    try:
        return block.model_validate(dict(values), strict=True)
    except ValidationError as error:
        item = error.errors()[0]
    # Below its first level, snakemake's --config gives every number as text.
    with suppress(ValidationError):
        return block.model_validate(_as_in_a_file(dict(values)), strict=True)
    name = str(item["loc"][0])
    if item["type"] == "extra_forbidden":
        known = ", ".join(sorted(block.model_fields)) or "none"
        raise ConfigError(f"{owner}: unknown option {name!r}; it has {known}")
    field = block.model_fields[name]
    if item["type"] == "value_error":
        expected = item["msg"].removeprefix("Value error, ")
    else:
        expected = f"{type_in_words(field.annotation)}{limits_in_words(field.metadata)}"
        expected = "true or false" if field.annotation is bool else expected
        expected = f"a {expected}" if expected.startswith(("whole", "number", "list")) else expected
    raise ConfigError(f"{owner}: {name} {dict(values).get(name)!r}; expected {expected}")


def _as_in_a_file(value: Any) -> Any:
    """Return a value with each text in it as YAML would read it, where that is a number, true, false or null."""
    if isinstance(value, Mapping):
        return {name: _as_in_a_file(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_in_a_file(item) for item in value]
    if not isinstance(value, str):
        return value
    words = {"true": True, "false": False, "null": None, "~": None}
    if value.lower() in words:
        return words[value.lower()]
    for number in (int, float):
        with suppress(ValueError):
            return number(value)
    return value


def type_in_words(annotation: Any) -> str:
    """Return the words for a type: what the reference tells of a key's values.

    Raises
    ------
    TypeError
        If there are none, since the name of a Python type means nothing to a reader.
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *limits = get_args(annotation)
        return type_in_words(base) + limits_in_words(limits)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if origin in (Union, UnionType):
        parts = [type_in_words(a) for a in get_args(annotation) if a is not type(None)]
        # A comma, where a part has one of its own: "whole number, at least 32, or `auto`".
        joined = (", or " if any("," in part for part in parts[:-1]) else " or ").join(parts)
        return joined + (", or nothing" if type(None) in get_args(annotation) else "")
    if origin is dict or annotation is dict:
        return "keys and values"
    if origin in (list, tuple):
        return f"list of {type_in_words(get_args(annotation)[0])}"
    words = {str: "text", int: "whole number", float: "number", bool: "yes or no", Path: "path", Any: "any value"}
    if annotation not in words:
        raise TypeError(f"no words for {annotation}; add them to avsieve.settings")
    return words[annotation]


def limits_in_words(metadata: Iterable[Any]) -> str:
    """Return the words for the limits of a number, as a field or an annotation holds them."""
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below", "multiple_of": "a multiple of"}
    limits = [m for item in metadata for m in (item.metadata if isinstance(item, FieldInfo) else [item])]
    found = [f"{words[a]} {getattr(m, a):g}" for m in limits for a in words if getattr(m, a, None) is not None]
    return f", {' and '.join(found)}" if found else ""

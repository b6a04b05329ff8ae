"""Blocks of settings on a command line: their keys become options, with the block's own defaults, bounds and help.

So a default stands in its block alone. The scripts of the workflow ask for every option (``required``), since the rules
give them all; commands that people type take what is not given from the block.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from avsieve.errors import ConfigError
from avsieve.settings import Block

B = TypeVar("B", bound=Block)


def add_settings(
    ap: argparse._ActionsContainer,
    block: type[Block],
    *,
    only: Iterable[str] | None = None,
    leave: Iterable[str] = (),
    required: bool = False,
) -> None:
    """Add an option for each key of a block: ``min_score`` becomes ``--min-score``.

    Parameters
    ----------
    ap
        The parser, or a group of it.
    block
        The settings. A key that is a block itself becomes an option that takes JSON.
    only, leave
        Keys to add, all unless given, and keys to pass over.
    required
        Whether every option must be given. Those whose values are lists or may be nothing need not be: without them
        the list is empty and there is no value, as `avsieve.wiring.flags.flags` leaves them out.
    """
    for name, field in block.model_fields.items():
        if name not in leave and (only is None or name in only):
            _add(ap, name, field, required=required)


def settings_of(block: type[B], args: argparse.Namespace, **values: Any) -> B:
    """Return the block that a parsed command line gives, with ``values`` for keys that are no options.

    Raises
    ------
    ConfigError
        If the values do not fit each other.
    """
    found = {name: getattr(args, name) for name in block.model_fields if hasattr(args, name)} | values
    try:
        return block.model_validate(found)
    except ValidationError as error:
        lines = []
        for item in error.errors():
            option = "".join(f"--{str(part).replace('_', '-')} " for part in item["loc"][:1])
            lines.append(f"{option}{item['msg'].removeprefix('Value error, ')}")
        raise ConfigError("; ".join(lines)) from None


def _add(ap: argparse._ActionsContainer, name: str, field: FieldInfo, *, required: bool) -> None:
    kinds = _kinds(field.annotation)
    words = (field.description or "").replace("`", "").replace("%", "%%")
    default = field.get_default(call_default_factory=True)
    is_list = any(get_origin(kind) in (list, tuple) for kind in kinds)
    options: dict[str, Any] = {"help": words}
    if is_list or type(None) in kinds:
        options["default"] = ([] if is_list and type(None) not in kinds else None) if required else default
    elif required:
        options["required"] = True
    else:
        options["default"] = default
    flag = f"--{name.replace('_', '-')}"
    if bool in kinds:
        ap.add_argument(flag, action=argparse.BooleanOptionalAction, **options)
        return
    if is_list:
        inner = next(kind for kind in kinds if get_origin(kind) in (list, tuple))
        options |= {"nargs": "*", "type": _reader(get_args(inner)[0], [])}
        choices = _choices(_kinds(get_args(inner)[0]))
    else:
        options["type"] = _reader(field.annotation, field.metadata)
        choices = _choices(kinds)
    if choices:
        options["choices"] = choices
    elif not is_list and _takes_json(kinds):
        options["metavar"] = "JSON"
    ap.add_argument(flag, **options)


def _kinds(annotation: Any) -> list[Any]:
    """Return the types that a value may have, without the limits that are noted on them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _kinds(part)]
    return [annotation]


def _choices(kinds: list[Any]) -> list[Any]:
    """Return the values of a type that lists them all."""
    if all(get_origin(kind) is Literal or kind is type(None) for kind in kinds):
        return [value for kind in kinds for value in get_args(kind)]
    return []


def _reader(annotation: Any, metadata: list[Any]) -> Callable[[str], Any]:
    """Return what makes a value of text, and refuses what is out of bounds."""
    kinds = _kinds(annotation)
    from_json = _takes_json(kinds)
    # A name, or keys and values in its place.
    or_text = any(kind is str or get_origin(kind) is Literal for kind in kinds)
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[(annotation, *metadata)] if metadata else annotation)

    def read(text: str) -> Any:
        try:
            parsed = from_json and not (or_text and not text.lstrip().startswith("{"))
            value = json.loads(text) if parsed else text
            if parsed and not isinstance(value, dict):
                raise argparse.ArgumentTypeError(f"{text!r}: expected a JSON object")
            return adapter.validate_python(value)
        except json.JSONDecodeError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error}; expected a JSON object") from None
        except ValidationError as error:
            item = error.errors()[0]
            where = "".join(f"{part}: " for part in item["loc"] if from_json)
            raise argparse.ArgumentTypeError(f"{text!r}: {where}{item['msg'].removeprefix('Value error, ')}") from None

    return read


def _takes_json(kinds: list[Any]) -> bool:
    """Tell whether a value is keys and values."""
    return any(
        kind is dict or get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, Block))
        for kind in kinds
    )

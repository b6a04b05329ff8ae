"""The settings of damaged trials. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, WithJsonSchema, field_validator

from avsieve.errors import ConfigError
from avsieve.evaluation.conditions.contract import (
    MISSING,
    MODALITIES,
    NOISE,
    RERUNS,
    RESERVED,
    Condition,
    ConditionPart,
    Kind,
)
from avsieve.evaluation.conditions.registry import KINDS, PRESETS
from avsieve.registry import Registry
from avsieve.settings import Block, Cosine, Share, filled, key

ALL, ONE = "parts", "one_of"
# Part of a version's id, and a word of tables and options.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+\-]{0,39}")

if TYPE_CHECKING:
    KindName = str
else:
    KindName = Literal[KINDS.names]


class PartKeys(Block):
    """What a part of a condition tells besides the parameters of its kind."""

    kind: KindName = key(..., "The kind of damage.")
    modality: Literal["audio", "visual"] | None = key(None, "What is damaged, where the kind can damage either.")
    side: Literal["enrol", "test", "both"] = key("test", "The sides of a trial that are damaged.")
    share: Share = key(1.0, "Share of the utterances of these sides that are damaged.")
    similarity: Cosine | None = key(None, "Of the stand-in: the cosine of the damaged embedding to the clean one.")


def conditions_of(entries: Iterable[str | Mapping[str, Any]], sounds: str | list[str] | None = None) -> list[Condition]:
    """Return the conditions, those of presets in their place.

    Parameters
    ----------
    entries
        Names of presets; mappings of ``name``, ``kind``, perhaps ``modality``, ``side`` and ``share``, and parameters
        of the kind; or of ``name`` and ``parts`` (all of them) or ``one_of`` (one an utterance), lists of such.
    sounds
        What noise is whose ``sound`` is not given.

    Raises
    ------
    ConfigError
        Naming the condition, what is wrong with it and what it may be.
    """
    found: dict[str, Condition] = {}
    for entry in entries:
        if isinstance(entry, str) and entry not in PRESETS:
            raise ConfigError(f"no preset {entry!r}; expected one of {', '.join(PRESETS)}, or a condition with a name")
        for values in PRESETS[entry] if isinstance(entry, str) else [entry]:
            condition = _condition(values, sounds)
            if condition.name in found:
                raise ConfigError(f"the name {condition.name!r} is given twice; name each condition once")
            found[condition.name] = condition
    return list(found.values())


def _condition(values: Mapping[str, Any], sounds: str | list[str] | None) -> Condition:
    rest = dict(values)
    name = rest.pop("name", None)
    if not isinstance(name, str) or name in RESERVED or _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"the name {name!r}; expected up to 40 letters, digits and _ . + -, no dash or dot first, and neither of "
            f"{', '.join(RESERVED)}"
        )
    lists = [word for word in (ALL, ONE) if word in rest]
    if not lists:
        return Condition(name, (_part(name, rest, sounds),))
    given = rest.pop(lists[0])
    if rest or not isinstance(given, list) or not given or not all(isinstance(part, dict) for part in given):
        raise ConfigError(
            f"{name}: {lists[0]} {given!r}{''.join(f', beside {word}' for word in rest)}; expected a list of parts "
            "{kind: ..., ...}, and no other key than the name"
        )
    parts = tuple(_part(name, part, sounds) for part in given)
    condition = Condition(name, parts, exclusive=lists[0] == ONE)
    _check_exclusive(condition) if condition.exclusive else _check_together(condition)
    return condition


def _part(name: str, values: Mapping[str, Any], sounds: str | list[str] | None) -> ConditionPart:
    own = {word: value for word, value in values.items() if word in PartKeys.model_fields}
    if "kind" not in own:
        raise ConfigError(f"{name}: no kind; expected one of {', '.join(KINDS)}")
    if own["kind"] not in KINDS.names:
        raise ConfigError(f"{name}: kind {own['kind']!r}; expected one of {', '.join(KINDS)}")
    keys = filled(PartKeys, own, name)
    kind = KINDS[keys.kind]
    if keys.modality is None and len(kind.modalities) > 1:
        raise ConfigError(f"{name}: {keys.kind} needs a modality: {' or '.join(kind.modalities)}")
    modality = keys.modality or kind.modalities[0]
    if modality not in kind.modalities:
        raise ConfigError(f"{name}: {keys.kind} damages {kind.modalities[0]}, not {modality}; leave the modality out")
    given = {word: value for word, value in values.items() if word not in own}
    if sounds is not None and keys.kind == NOISE:
        given.setdefault("sound", sounds)
    if keys.similarity is not None and not kind.signals:
        raise ConfigError(f"{name}: {keys.kind} has no stand-in, so no similarity; leave it out")
    parameters = _parameters(kind, given, f"{name}: {keys.kind}")
    return ConditionPart(keys.kind, modality, keys.side, keys.share, parameters, keys.similarity)


def _parameters(kind: Kind, given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return the parameters of a kind: what is not given has its default, and ranges and choices stay lists."""
    lists = {name: value for name, value in given.items() if isinstance(value, list)}
    for name, value in lists.items():
        numbers = all(isinstance(item, int | float) for item in value)
        words = all(isinstance(item, str) for item in value)
        if not value or not (words or (numbers and len(value) == 2 and value[0] <= value[1])):
            raise ConfigError(
                f"{owner}: {name} {value!r}; expected a value, [lowest, highest], or words to choose from"
            )
    plain = {name: value for name, value in given.items() if name not in lists}
    first = plain | {name: value[0] for name, value in lists.items()}
    found = filled(kind.settings, first, owner).model_dump()
    for name, value in lists.items():
        whole = isinstance(found[name], int)
        # As the kind has them: 1 of a number that may be broken is 1.0. Each whole number of a range must be allowed.
        tried = range(value[0], value[1] + 1) if whole and isinstance(value[1], int) else value
        held = [getattr(filled(kind.settings, first | {name: item}, owner), name) for item in tried]
        found[name] = [held[0], held[-1]] if whole else held
    return found


def _check_exclusive(condition: Condition) -> None:
    total = sum(part.share for part in condition.parts)
    if total > 1 + 1e-9:
        raise ConfigError(f"{condition.name}: the shares of one_of are {total:g} together; expected 1 at most")
    if len({part.side for part in condition.parts}) > 1:
        raise ConfigError(f"{condition.name}: the parts of one_of damage several sides; expected one side for all")


def _check_together(condition: Condition) -> None:
    """Refuse what would give an utterance two damaged versions of a modality: there is one in a condition."""
    for modality in MODALITIES:
        own = [part for part in condition.parts if part.modality == modality]
        if sum(len(part.sides) for part in own) > len(frozenset().union(*(part.sides for part in own))):
            raise ConfigError(
                f"{condition.name}: two parts damage {modality} on one side; give each a condition, or take one_of"
            )
        if sum(part.kind != MISSING for part in own) > 1:
            raise ConfigError(
                f"{condition.name}: both sides' {modality} is damaged by a part of its own; expected one part with "
                "side: both"
            )


def _checked(entry: Any) -> Any:
    """Refuse an entry of `Damage.conditions` that is no condition."""
    if not isinstance(entry, str | dict):
        raise ValueError(  # noqa: TRY004 - pydantic tells the key of no other
            f"expected a preset ({', '.join(PRESETS)}) or a condition: {{name: ..., kind: ...}}"
        )
    try:
        conditions_of([entry])
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return entry


def _schema() -> dict[str, Any]:
    """Return the JSON schema of an entry."""
    part = dict(PartKeys.model_json_schema()["properties"])
    for kind in KINDS.values():
        for name, known in kind.settings.model_json_schema().get("properties", {}).items():
            # Of a parameter that two kinds have the later one tells: both take the same values.
            one = {word: value for word, value in known.items() if word not in ("default", "title")}
            part[name] = {"anyOf": [one, {"type": "array"}]}

    parts = {"type": "array", "items": {"type": "object", "required": ["kind"]}, "minItems": 1}
    condition = {
        "type": "object",
        "properties": {"name": {"type": "string"}, **part, ALL: parts, ONE: parts},
        "required": ["name"],
        "additionalProperties": False,
    }
    return {"anyOf": [{"enum": list(PRESETS), "type": "string"}, condition]}


def entry_of(condition: Condition) -> dict[str, Any]:
    """Return an entry that says all of a condition, defaults too: what decides of a table is then in its rule."""
    parts = [
        {"kind": part.kind, "modality": part.modality, "side": part.side, "share": part.share}
        | ({} if part.similarity is None else {"similarity": part.similarity})
        | dict(part.parameters)
        for part in condition.parts
    ]
    return {"name": condition.name, ONE if condition.exclusive else ALL: parts}


class Damage(Block):
    """Damaged trials: what a fusion model does with bad or missing voices and faces.

    A condition is a preset (`standard`, `vut`, `avn`), or a mapping of its `name`, a `kind` (one of the table below,
    `missing` or `other_person`) and its parameters, and perhaps `side` (`enrol`, `test`, `both`; `test` by default) and
    `share` of the utterances on that side (1 by default), such as `{name: loud, kind: noise, snr_db: [0, 10], share:
    0.5}`. `missing` and `other_person` need a `modality` (`audio`, `visual`). With `parts` in place of `kind`, a list
    of such, all are done; with `one_of` one of them at most to an utterance. Two numbers as a parameter are a range to
    draw from.
    """

    PLUG_INS: ClassVar[dict[str, Registry[Kind]]] = {"conditions": KINDS}
    RERUNS = RERUNS

    conditions: list[
        Annotated[str | dict[str, Any], BeforeValidator(_checked), WithJsonSchema(_schema())]
    ] = key(
        list,
        "Conditions to evaluate besides the trials as they are. With any, the results also have `pooled`: the trials "
        "as they are and those of all conditions under one threshold.",
    )  # fmt: skip
    level: Literal["auto", "embedding"] = key(
        "auto",
        "`auto` damages the signals and embeds them again where the source has clips; `embedding` moves the embeddings "
        "by the `similarity` of the kind, which is fast and a stand-in.",
    )
    noise: str | list[str] | None = key(
        None,
        "Folder of recordings of noise, such as MUSAN's, or several. A `noise` that names no `sound` is then a "
        "recording; without a folder it is `white`, `pink` or `babble`, drawn for each utterance.",
        "damage_shard",
    )
    rooms: str | list[str] | None = key(
        None, "Folder of impulse responses of rooms, or several; without one, rooms are generated.", "damage_shard"
    )
    seed: int = key(0, "Seed for choosing the utterances and of each one's own seed.", ge=0)

    @field_validator("conditions")
    @classmethod
    def _each_name_once(cls, entries: list[Any]) -> list[Any]:
        try:
            conditions_of(entries)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return entries

    @property
    def chosen(self) -> list[Condition]:
        """The conditions, those of presets in their place; noise has the sounds that there are."""
        sounds = "recording" if self.noise else ["white", "pink", "babble"]
        return conditions_of(self.conditions, sounds)

    @property
    def expanded(self) -> dict[str, Any]:
        """What decides of the table of damages: conditions with all that they stand for, and the seed."""
        return {"conditions": [entry_of(condition) for condition in self.chosen], "seed": self.seed}

    def damaged_signals(self) -> set[str]:
        """Return the modalities whose signals some condition damages."""
        return {part.modality for c in self.chosen for part in c.parts if KINDS[part.kind].signals}

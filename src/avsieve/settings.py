"""What the blocks of the configuration are made of; plug-ins describe their own settings with it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


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

    @classmethod
    def reruns(cls, name: str) -> str:
        """Return the first rule that runs again when the key ``name`` changes."""
        extra = cls.model_fields[name].json_schema_extra
        own = extra.get("reruns") if isinstance(extra, dict) else None
        return str(own or cls.RERUNS)

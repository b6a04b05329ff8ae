"""Plug-ins by name: sources, cleansing methods, fusion models, encoders, forms of export.

A registry is a table of ``"module:attribute"`` strings. Only what is asked for is imported, so that a choice costs
nothing until it is made, and the rules can hash the code of what was chosen and of nothing else. Where a plug-in is
described apart from its code, the table may hold the description itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar, cast

from avsieve.errors import ConfigError

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """The plug-ins of one kind: name -> the object that implements the kind's contract.

    Parameters
    ----------
    kind
        What they are, for messages: "cleansing method".
    entries
        Name -> ``"module:attribute"``, or the object itself.
    """

    def __init__(self, kind: str, entries: Mapping[str, str | T]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> T:
        """Import and return a plug-in; `ConfigError` if there is none of that name."""
        found = self._entry(name)
        if not isinstance(found, str):
            return found
        module, _, attribute = found.partition(":")
        return cast(T, getattr(import_module(module), attribute))

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:  # the mixin's would import the plug-in, and let its error through
        return name in self._entries

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the table."""
        return tuple(self._entries)

    def _entry(self, name: str) -> str | T:
        if name not in self._entries:
            raise ConfigError(f"{self.kind} {name!r}; expected one of {', '.join(self._entries)}")
        return self._entries[name]

    def module(self, name: str) -> str:
        """Return the module that a plug-in lies in, for the hash of the code that a rule runs.

        Raises
        ------
        ConfigError
            If there is none of that name.
        TypeError
            If the table holds the object itself: it must tell its modules.
        """
        found = self._entry(name)
        if not isinstance(found, str):
            raise TypeError(f"{self.kind} {name!r} is described in the table; ask it for its modules")
        return found.partition(":")[0]

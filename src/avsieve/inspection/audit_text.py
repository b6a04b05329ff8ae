"""The figures of an audit in words."""

from __future__ import annotations

from typing import Any

_KINDS = {
    "video": "voice and face of somebody else",
    "audio": "voice of somebody else",
    "visual": "face of somebody else",
    "mixed": "two voices at once; no part of the recall above",
}


def audit_lines(found: dict[str, Any]) -> list[str]:
    """Return the figures of an audit (`avsieve.cleansing.audit.audit`), a fact a line."""
    lines = [
        _line("utterances", f"{found['utterances']:,}", "of which the audit counts"),
        _line("flagged in the list", f"{found['flagged']:,}"),
        _line("injected", f"{found['injected']:,}", "labels broken on purpose"),
        _line("set aside", f"{found['set_aside']:,}", "suspects of the list itself, no part of the count"),
    ]
    lines += [_line(f"{name} measured", *_interval(item)) for name, item in found["measured"].items()]
    for name in ("precision", "recall", "f1"):
        lines.append(_line(f"{name} expected", _share(found["estimated"].get(name)), "by the method itself"))
    lines += [_line(f"recall of {k}", _share(v), _KINDS.get(k, "")) for k, v in found["recall_by_kind"].items()]
    people = {"any": "of anybody", "lookalike": "of people who are like the speaker"}
    lines += [_line(f"recall {name}", _share(v), people.get(name, "")) for name, v in found["recall_by_person"].items()]
    mixed = found.get("mixed_voices") or {}
    if mixed.get("hidden_at_most") is not None:
        lines.append(_line("mixed voices", f"{mixed['hidden_at_most']:,.0f}", "may be hidden in the list, at most"))
    if mixed.get("recall"):
        value, ends = _interval(mixed["recall"])
        lines.append(_line("recall with them", value, f"{ends}; if any number of them up to that is there"))
    lines.append(_line("outside the list", _share(found["outside"]), "share of its own errors that are strangers"))
    return lines


def _interval(item: dict[str, float | None]) -> tuple[str, str]:
    low, high = item.get("low"), item.get("high")
    return _share(item.get("value")), "" if low is None or high is None else f"95 %: {low:.3f} to {high:.3f}"


def _line(name: str, value: str, words: str = "") -> str:
    return f"{name:<22}{value:>8}{f'  {words}' if words else ''}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

"""The audit that lies beside a run, and whether it is one of its list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from avsieve.cleansing.list_digest import list_digest
from avsieve.inspection.decided import Decided
from avsieve.inspection.figures import read_json

SETTINGS = ("method", "policy", "threshold")
"""Settings of the cleansing that an audit measures; with others its figures are those of other decisions."""


def read_audit(path: Path) -> dict[str, Any]:
    """Read ``audit.json``; empty where there is none.

    Raises
    ------
    AvsieveError
        If it is no JSON object.
    """
    return read_json(path, "the audit") if path.is_file() else {}


def audit_of(path: Path, summary: Mapping[str, Any], decided: Callable[[], Decided]) -> tuple[dict[str, Any], str]:
    """Read ``audit.json``, and say why it is not one of a run's list.

    Parameters
    ----------
    path
        The audit; it need not exist.
    summary, decided
        ``summary.json`` of the run, and what returns its decisions.

    Returns
    -------
    The audit, empty where there is none, and the reason, empty where it is one of this list.

    Raises
    ------
    AvsieveError
        If it is no JSON object.
    """
    audit = read_audit(path)
    return audit, misfit(audit, summary, lambda: digest_of(decided())) if audit else ""


def digest_of(decided: Decided) -> str:
    """Return the digest of the list that was decided about."""
    return list_digest(decided.utterance.to_pylist(), decided.speaker.names[decided.speaker.code].tolist())


def misfit(audit: Mapping[str, Any], summary: Mapping[str, Any], digest: Callable[[], str]) -> str:
    """Say why an audit is not one of this run; empty where it is.

    Parameters
    ----------
    audit
        As `avsieve.cleansing.audit.audit` returns it.
    summary
        ``summary.json`` of the run.
    digest
        Returns `avsieve.cleansing.list_digest.list_digest` of its list.
    """
    known = audit.get("list_sha256")
    if not known:
        return "the audit does not say of which list it is"
    if known != (own := digest()):
        return f"the audit is of another list ({known[:12]}, not {own[:12]})"
    theirs, ours = audit.get("settings") or {}, summary.get("settings") or {}
    for name in SETTINGS:
        if name in theirs and name in ours and theirs[name] != ours[name]:
            return f"the audit was made with {name} {theirs[name]}, this list with {ours[name]}"
    return ""

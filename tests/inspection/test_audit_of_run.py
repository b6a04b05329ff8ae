from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.audit_of_run import misfit, read_audit

SETTINGS = {"method": "posterior", "policy": "either", "threshold": 0.5}
AUDIT = {"list_sha256": "a" * 64, "settings": SETTINGS | {"rate": 0.1}}
SUMMARY = {"settings": SETTINGS}


def of_list(sign: str) -> str:
    return sign * 64


def test_an_audit_of_this_list_with_these_settings_fits() -> None:
    assert misfit(AUDIT, SUMMARY, lambda: of_list("a")) == ""
    assert misfit(AUDIT, {}, lambda: of_list("a")) == ""


def test_an_audit_of_another_list_is_told_by_both_digests() -> None:
    told = misfit(AUDIT, SUMMARY, lambda: of_list("b"))
    assert told == "the audit is of another list (aaaaaaaaaaaa, not bbbbbbbbbbbb)"


@pytest.mark.parametrize(("name", "value"), [("method", "glad"), ("policy", "both"), ("threshold", 0.7)])
def test_an_audit_with_other_settings_is_told(name: str, value: object) -> None:
    told = misfit(AUDIT, {"settings": SETTINGS | {name: value}}, lambda: of_list("a"))
    assert told == f"the audit was made with {name} {SETTINGS[name]}, this list with {value}"


def test_an_audit_of_an_older_version_does_not_say_of_which_list_it_is() -> None:
    assert "does not say" in misfit({"settings": SETTINGS}, SUMMARY, lambda: pytest.fail("nothing to compare with"))


def test_an_audit_is_read_where_it_is_there(tmp_path: Path) -> None:
    assert read_audit(tmp_path / "audit.json") == {}
    (tmp_path / "audit.json").write_text("[]")
    with pytest.raises(AvsieveError, match="the audit is list; expected a JSON object"):
        read_audit(tmp_path / "audit.json")

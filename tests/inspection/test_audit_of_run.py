from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.cleansing.inputs import read_plan
from avsieve.cleansing.list_digest import list_digest
from avsieve.errors import AvsieveError
from avsieve.inspection.audit_of_run import digest_of, misfit, read_audit
from avsieve.inspection.decided import read_decided
from avsieve.inspection.figures import MEASURED
from avsieve.inspection.overview import overview
from avsieve.inspection.run_files import find_run
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json

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


def test_the_overview_of_a_run_leaves_the_audit_of_another_list_out(copied: Path) -> None:
    run = find_run(copied)
    run.audit.parent.mkdir()
    measured = {"measured": {"precision": {"value": 0.9, "low": 0.8, "high": 0.95}}}
    decisions = read_decided(run.decisions)
    write_json(run.audit, measured | {"list_sha256": digest_of(decisions)})
    own = overview(run)
    assert [f.value for f in own.figures if f.origin == MEASURED] == [0.9]
    assert not [step for step in own.next if "avsieve audit" in step]
    write_json(run.audit, measured | {"list_sha256": of_list("b")})
    other = overview(run)
    assert not [f for f in other.figures if f.origin == MEASURED]
    (note,) = [note for note in other.notes if "audit" in note.text]
    assert note.severe
    assert note.text.startswith("the audit is of another list (bbbbbbbbbbbb, not ")
    assert [step for step in other.next if "avsieve audit" in step]


def test_the_digest_of_decisions_is_that_of_the_list_that_was_audited(copied: Path) -> None:
    run = find_run(copied)
    plan = read_plan(run.below(P.plan.utterances))
    assert digest_of(read_decided(run.decisions)) == list_digest(plan["utterance"], plan["speaker"])


def test_an_audit_is_read_where_it_is_there(tmp_path: Path) -> None:
    assert read_audit(tmp_path / "audit.json") == {}
    (tmp_path / "audit.json").write_text("[]")
    with pytest.raises(AvsieveError, match="the audit is list; expected a JSON object"):
        read_audit(tmp_path / "audit.json")

from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.storage.reasons import DESCRIPTIONS, Reason


def test_every_reason_is_described() -> None:
    assert list(DESCRIPTIONS) == list(Reason)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_given_somewhere(reason: Reason, repository: Path) -> None:
    source = repository / "src" / "avsieve"
    files = [file for file in source.rglob("*.py") if file != source / "storage" / "reasons.py"]
    # A report that looks for a reason does not give it.
    texts = [file.read_text(encoding="utf-8") for file in files if file.parent != source / "report"]
    assert any(f"Reason.{reason.name}" in text for text in texts)


def test_the_documents_name_every_reason(repository: Path) -> None:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in text] == []

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.runtime.scripting import run
from avsieve.storage.file_names import harmless, path_from_text, path_to_text, shown
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import read_table


@pytest.mark.parametrize("path", ["id1/vA/00001.mp4", "Zoë/a b/clip#1.mp4", "a=41.mp4", "/abs/a,b.mp4"])
def test_a_path_that_is_text_stands_as_it_is(path: str) -> None:
    assert path_to_text(path) == path
    assert path_from_text(path) == path


@pytest.mark.parametrize("path", ["a|b.mp4", "caf\udce9/a=41.mp4", "a\nb.mp4", "=?x.mp4", "\udcff|=7C"])
def test_any_other_path_can_stand_in_a_table_and_comes_back(path: str) -> None:
    text = path_to_text(path)
    text.encode()
    assert "|" not in text
    assert "\n" not in text
    assert path_from_text(text) == path


def test_a_message_shows_any_name_on_one_line() -> None:
    assert shown("Zoë/caf\udce9\n") == "Zoë/caf\\xe9\\x0a"


HOSTILE = "a\x1b[2J\x1b]0;title\x07\u202egnp.exe\x9bm\u2028\ud800\udcff\rz"


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert shown(HOSTILE) == r"a\x1b[2J\x1b]0;title\x07\u202egnp.exe\x9bm\u2028\ud800\xff\x0dz"
    assert harmless("one\n\ttwo é 漢\r") == "one\n\ttwo é 漢\\x0d"


def test_the_detail_of_a_row_is_harmless_and_can_be_stored(tmp_path: Path) -> None:
    status = StatusTable("x")
    status.add("a/v/1", Reason.NOT_MEDIA, HOSTILE)
    status.write(tmp_path / "status.parquet")
    detail = read_table(tmp_path / "status.parquet")["detail"].iloc[0]
    assert detail.isprintable()


def test_messages_and_logs_are_harmless(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])

    def fail() -> None:
        logging.getLogger("x").warning("said %s", HOSTILE)
        raise AvsieveError(HOSTILE)

    with pytest.raises(SystemExit):
        run(fail)
    said = capsys.readouterr().err
    assert "said a" in said
    assert "error: a" in said
    assert all(line.isprintable() for line in said.splitlines())

from __future__ import annotations

from pathlib import Path

from avsieve.wiring.trial_run import checkout


def test_real_data_do_not_lie_in_the_checkout(avsieve, tmp_path: Path, capsys) -> None:
    inside = checkout() / "build" / "real"
    assert avsieve("real", "--real", tmp_path, "--work", inside) == 1
    assert "is inside the checkout; real data must stay outside" in capsys.readouterr().err
    assert not inside.exists()


def test_what_the_folder_lacks_is_told_before_anything_is_made(avsieve, tmp_path: Path, capsys) -> None:
    assert avsieve("real", "--real", tmp_path / "real", "--work", tmp_path / "work", "--voices", tmp_path / "v") == 1
    told = capsys.readouterr().err
    assert "make_corpus.py" in told
    assert str(tmp_path / "v") in told
    assert str(tmp_path / "real/faces") in told
    assert not (tmp_path / "work").exists()

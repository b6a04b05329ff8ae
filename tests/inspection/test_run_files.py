from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import find_run, results_folder


def test_a_run_is_found_from_its_results_and_from_the_folder_it_ran_in(made: Path) -> None:
    assert find_run(made) == find_run(made / "results")
    assert find_run(made).of_workflow
    assert find_run(made).has_faces


def test_the_folder_of_avsieve_cleanse_is_a_run_without_faces(flat: Path) -> None:
    run = find_run(flat)
    assert not run.of_workflow
    assert not run.has_faces
    assert run.scores == flat / "scores.parquet"
    assert run.audit == flat / "audit.json"


def test_results_that_hold_a_folder_called_results_are_themselves_meant(copied: Path) -> None:
    (copied / "results" / "results").mkdir()
    assert results_folder(copied / "results") == copied / "results"


def test_what_is_no_run_is_told_with_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(AvsieveError, match=r"nowhere: no such folder; name the results of a run"):
        find_run(tmp_path / "nowhere")
    with pytest.raises(AvsieveError, match=r"neither lists/decisions.parquet nor decisions.parquet is there"):
        find_run(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(AvsieveError, match=r"file: a file; expected the folder of a run's results"):
        find_run(tmp_path / "file")


def test_a_run_that_goes_on_is_told_with_the_command_that_shows_how_far_it_is(copied: Path) -> None:
    shutil.rmtree(copied / "results" / "lists")
    with pytest.raises(AvsieveError, match=r"the run has no decisions yet .* avsieve status .* tells how far"):
        find_run(copied)

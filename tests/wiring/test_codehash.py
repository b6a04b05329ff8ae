from __future__ import annotations

import os
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.wiring.codehash import Library, code_hashes, modules_of

FILES = {
    "src/avsieve/__init__.py": "",
    "src/avsieve/faces/__init__.py": "",
    "src/avsieve/faces/align.py": (
        '"""Align."""\nfrom avsieve.shape import area\n\ndef align(x):\n    """Do it."""\n    return area(x) + 1\n'
    ),
    "src/avsieve/shape.py": "def area(x):\n    return x * 2\n",
    "src/avsieve/media.py": "def extract(x):\n    from .shape import area\n    return x\n",
    "src/avsieve/unused.py": "value = 1\n",
    "src/avsieve/nets.py": "def build(): return 3\n",
    "src/avsieve/registry.py": 'TABLE = {"a": "avsieve.nets:build"}\n',
    "scripts/align.py": "from avsieve.faces.align import align\nprint(align(1))\n",
    "scripts/extract.py": "import numpy\nfrom avsieve import unused\n",
    "scripts/embed.py": "import avsieve.registry\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def hash_of(project: Path, script: str) -> list[str]:
    return code_hashes(project / "scripts" / f"{script}.py", Library(project / "src"))


def edit(project: Path, name: str, text: str) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)


def test_modules_are_found_through_other_modules_and_nothing_else(project: Path) -> None:
    found = modules_of(project / "scripts/align.py", Library(project / "src"))
    assert sorted(found) == ["avsieve", "avsieve.faces", "avsieve.faces.align", "avsieve.shape"]
    found = modules_of(project / "scripts/extract.py", Library(project / "src"))
    assert sorted(found) == ["avsieve", "avsieve.unused"]


def test_modules_loaded_by_name_count_when_they_are_named(project: Path) -> None:
    script, src = project / "scripts/embed.py", Library(project / "src")
    assert "avsieve.nets" not in modules_of(script, src)
    assert "avsieve.nets" in modules_of(script, src, also=["avsieve.nets"])
    assert set(code_hashes(script, src, also=["avsieve.nets"])) > set(code_hashes(script, src))


def test_a_module_that_does_not_exist_is_refused(project: Path) -> None:
    with pytest.raises(AvsieveError, match=r"no module avsieve\.net "):
        code_hashes(project / "scripts/embed.py", Library(project / "src"), also=["avsieve.net"])


def test_an_edit_of_an_indirect_import_changes_the_hash(project: Path) -> None:
    before = hash_of(project, "align")
    edit(project, "src/avsieve/shape.py", "def area(x):\n    return x * 3\n")
    assert hash_of(project, "align") != before


def test_what_differs_names_the_module_that_was_edited(project: Path) -> None:
    before = set(hash_of(project, "align"))
    edit(project, "src/avsieve/shape.py", "def area(x):\n    return x * 3\n")
    (gone,), (came,) = before - set(hash_of(project, "align")), set(hash_of(project, "align")) - before
    assert gone.split()[0] == came.split()[0] == "avsieve.shape"
    names = [line.split()[0] for line in hash_of(project, "align")]
    assert names == ["align.py", "avsieve.faces.align", "avsieve.shape"]  # packages without code are left out


def test_an_edit_elsewhere_does_not_change_the_hash(project: Path) -> None:
    before = hash_of(project, "extract")
    edit(project, "src/avsieve/faces/align.py", "def align(x):\n    return 0\n")
    assert hash_of(project, "extract") == before


def test_comments_docstrings_formatting_and_times_do_not_count(project: Path) -> None:
    before = hash_of(project, "align")
    edit(
        project,
        "src/avsieve/faces/align.py",
        '"""Another text."""\n# why\nfrom avsieve.shape import (\n    area,\n)\n\n\n'
        'def align( x ):\n    """Words."""\n    # more\n'
        "    return (area(x)\n            + 1)\n",
    )
    os.utime(project / "src/avsieve/shape.py", (1, 1))
    assert hash_of(project, "align") == before


def test_the_place_of_the_project_does_not_count(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    moved = tmp_path_factory.mktemp("moved") / "elsewhere"
    before = hash_of(project, "align")
    project.rename(moved)
    assert hash_of(moved, "align") == before


def test_the_version_and_what_only_shows_do_not_count(project: Path) -> None:
    before = hash_of(project, "align")
    edit(project, "src/avsieve/__init__.py", '__version__ = "9.9.9"\n')
    edit(project, "src/avsieve/runtime/__init__.py", "")
    edit(project, "src/avsieve/runtime/progress.py", "BAR = 1\n")
    edit(project, "scripts/align.py", "import avsieve.runtime.progress\n" + FILES["scripts/align.py"])
    with_progress = hash_of(project, "align")
    edit(project, "src/avsieve/runtime/progress.py", "BAR = 2\n")
    assert hash_of(project, "align") == with_progress
    edit(project, "scripts/align.py", FILES["scripts/align.py"])
    assert hash_of(project, "align") == before


def test_type_only_imports_do_not_count(project: Path) -> None:
    edit(
        project,
        "scripts/extract.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from avsieve.shape import area\n",
    )
    assert modules_of(project / "scripts/extract.py", Library(project / "src")) == {}


def test_a_syntax_error_names_file_and_line(project: Path) -> None:
    edit(project, "src/avsieve/shape.py", "def area(x):\n    return (\n")
    with pytest.raises(AvsieveError, match=r"shape\.py:2"):
        hash_of(project, "align")

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest

from avsieve.config.export import Export
from avsieve.errors import ConfigError
from avsieve.export.registry import FORMS
from avsieve.export.settings import Wish


def test_snakemake_reads_every_form_without_tables_and_networks() -> None:
    code = (
        "import sys; from avsieve.export.registry import FORMS; list(FORMS.values()); import avsieve.config.export; "
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_configuration_holds_every_key_of_every_form() -> None:
    shared = {"out", *Wish.model_fields}
    own = {name for form in FORMS.values() for name in form.settings.model_fields}
    assert not shared & own
    assert set(Export.model_fields) == shared | own
    assert all(Export.reruns(name) in {f"export_{form}" for form in FORMS} for name in Export.model_fields)


def test_no_two_forms_mean_different_things_by_one_key() -> None:
    for one, other in combinations([form.settings.model_fields for form in FORMS.values()], 2):
        for name in set(one) & set(other):
            assert repr(one[name]) == repr(other[name])


def test_every_form_says_what_it_is() -> None:
    for form in FORMS.values():
        assert form.label
        assert form.threads >= 1


def test_an_unknown_form_is_told_with_those_there_are() -> None:
    told = "export form 'zip'; expected one of tree, webdataset, parquet, spotlight, fiftyone"
    with pytest.raises(ConfigError, match=told):
        FORMS["zip"]

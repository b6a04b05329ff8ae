"""Cores that are granted, and BLAS on one of them."""

from __future__ import annotations

import os

import numpy  # noqa: F401  only libraries that are loaded have threads
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from avsieve.runtime.cores import granted_cores, one_core_for_blas


@pytest.fixture(autouse=True)
def _no_scheduler(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_grants_fewer_cores_but_never_more(monkeypatch):
    cores = granted_cores()
    assert cores >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert granted_cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", str(10 * cores))
    assert granted_cores() == cores


@pytest.mark.parametrize("odd", ["", "0", "2,1", "many"])
def test_what_is_no_number_of_cores_is_passed_over(monkeypatch, odd):
    monkeypatch.setenv("OMP_NUM_THREADS", odd)
    assert granted_cores() >= 1


def test_affinity_counts(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert granted_cores() == 1


def test_blas_has_one_thread_inside_and_as_many_as_before_outside():
    with threadpool_limits(limits=2):
        before = [library["num_threads"] for library in threadpool_info()]
        with one_core_for_blas():
            inside = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
        after = [library["num_threads"] for library in threadpool_info()]
    assert 2 in before
    assert set(inside) == {1}
    assert after == before

"""A table of URLs from strangers cannot have this machine ask its own services, or those of its network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avsieve.sources.urls import addresses
from avsieve.sources.urls.addresses import PrivateAddressError, check_url, is_public
from tests.sources.faulty_server import FaultyServer, Reply
from tests.sources.urls.url_job import Job, clip_bytes


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    server = FaultyServer()
    yield Job(tmp_path, server)
    server.close()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "10.0.0.1", "172.16.3.4",
     "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]",
     "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
     "[::7f00:1]", "[ff02::1]"],
)  # fmt: skip
def test_addresses_of_this_machine_and_of_private_networks_are_refused_in_all_their_forms(host: str) -> None:
    with pytest.raises(PrivateAddressError, match="private_addresses"):
        check_url(f"http://{host}:8080/x.mp4")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_not(address: str) -> None:
    assert is_public(address)


def test_a_name_that_resolves_to_a_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, 1, 6, "", (address, 0)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(PrivateAddressError, match=r"video\.example is 10\.0\.0\.1"):
        check_url("https://video.example/x.mp4")


def test_a_private_address_is_a_row_until_it_is_allowed(job: Job) -> None:
    job.add("a/v/1", "/1.mp4", clip_bytes(1))
    assert job.fetch(private_addresses=False) == {"a/v/1": "address_private"}
    assert "127.0.0.1" in job.details["a/v/1"]
    assert job.server.log == []
    assert job.fetch() == {"a/v/1": "ok"}


def test_a_redirect_there_is_refused_too(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first host passes for a public one; it redirects to one of this machine."""
    job.add("a/v/1", "/1.mp4", clip_bytes(1), Reply(302, {"Location": f"http://127.1:{job.server.url[17:]}/2.mp4"}))
    job.lines = [line.replace("127.0.0.1", "localhost") for line in job.lines]
    monkeypatch.setattr(addresses, "is_public", lambda address: address != "127.0.0.1" or len(job.server.log) == 0)
    assert job.fetch(private_addresses=False) == {"a/v/1": "address_private"}
    assert [asked.path for asked in job.server.log] == ["/1.mp4"]


def test_a_name_that_changes_its_meaning_between_look_and_connection_gets_nothing_sent(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = socket.getaddrinfo, threading.local()

    def first_public(host: str, *args: Any, **settings: Any) -> Any:
        calls.n = getattr(calls, "n", 0) + 1
        return [(socket.AF_INET, 1, 6, "", ("8.8.8.8", 0))] if calls.n == 1 else real("127.0.0.1", *args, **settings)

    monkeypatch.setattr(socket, "getaddrinfo", first_public)
    job.add("a/v/1", "/1.mp4", clip_bytes(1))
    job.lines = [line.replace("127.0.0.1", "rebinding.example") for line in job.lines]
    assert job.fetch(private_addresses=False, retries=0) == {"a/v/1": "address_private"}
    assert job.server.log == []

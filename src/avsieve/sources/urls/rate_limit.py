"""How fast to ask: requests a second to one host, bytes a second, and pauses that a server asks for."""

from __future__ import annotations

import threading
import time


class StoppedError(Exception):
    """The run is being ended, since another download met an error that ends it."""


MAX_ASKED_S = 300.0
"""The longest that a host is waited for; one that asks for more is not asked again in this run."""


class HeldError(Exception):
    """A host wants no request for ``wait_s`` seconds, which is too long to wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("not asked again")
        self.wait_s = wait_s


class Pace:
    """Keeps the threads of a process to the limits; all waiting is broken off when the run ends."""

    def __init__(self, requests_per_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        """Begin; 0 stands for no limit."""
        self._between_s = 1 / requests_per_s if requests_per_s else 0.0
        self._byte_s = 1 / bytes_per_s if bytes_per_s else 0.0
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._held: dict[str, float] = {}
        self._bytes_until = 0.0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Break off whatever waits, and every transfer."""
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises
        ------
        StoppedError
            If the run ends meanwhile.
        """
        if self._stopped.wait(max(seconds, 0.0)):
            raise StoppedError

    def ask(self, host: str) -> None:
        """Wait until another request may be sent to ``host``.

        Raises
        ------
        HeldError
            If the host has asked for more than `MAX_ASKED_S`.
        """
        while True:
            with self._lock:
                now = time.monotonic()
                held_s = self._held.get(host, 0.0) - now
                if held_s > MAX_ASKED_S:
                    raise HeldError(held_s)
                wait_s = max(self._next.get(host, 0.0) - now, held_s)
                if wait_s <= 0:
                    self._next[host] = now + self._between_s
                    break
            self.sleep(wait_s)
        self.sleep(0)

    def hold(self, host: str, seconds: float) -> None:
        """Send no request to ``host`` for so many seconds: it has asked for that."""
        with self._lock:
            self._held[host] = max(self._held.get(host, 0.0), time.monotonic() + seconds)

    def took(self, size: int) -> None:
        """Note ``size`` bytes, and wait until they are within the limit."""
        wait_s = 0.0
        if self._byte_s:
            with self._lock:
                now = time.monotonic()
                self._bytes_until = max(self._bytes_until, now) + size * self._byte_s
                wait_s = self._bytes_until - now
        self.sleep(wait_s)

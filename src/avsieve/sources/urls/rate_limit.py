"""How fast to ask: requests a second to one host, bytes a second, and pauses that a server asks for."""

from __future__ import annotations

import threading
import time


class StoppedError(Exception):
    """The run is being ended, since another download met an error that ends it."""


class Pace:
    """Keeps the threads of a process to the limits; all waiting is broken off when the run ends."""

    def __init__(self, requests_per_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        """Begin; 0 stands for no limit."""
        self._between_s = 1 / requests_per_s if requests_per_s else 0.0
        self._byte_s = 1 / bytes_per_s if bytes_per_s else 0.0
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
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
        """Wait until another request may be sent to ``host``."""
        while True:
            with self._lock:
                now = time.monotonic()
                wait_s = self._next.get(host, 0.0) - now
                if wait_s <= 0:
                    self._next[host] = now + self._between_s
                    break
            self.sleep(wait_s)
        self.sleep(0)

    def hold(self, host: str, seconds: float) -> None:
        """Send no request to ``host`` for so many seconds: it has asked for that."""
        with self._lock:
            self._next[host] = max(self._next.get(host, 0.0), time.monotonic() + seconds)

    def took(self, size: int) -> None:
        """Note ``size`` bytes, and wait until they are within the limit."""
        wait_s = 0.0
        if self._byte_s:
            with self._lock:
                now = time.monotonic()
                self._bytes_until = max(self._bytes_until, now) + size * self._byte_s
                wait_s = self._bytes_until - now
        self.sleep(wait_s)

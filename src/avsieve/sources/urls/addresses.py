"""Where a URL leads: to the public internet, or to this machine and the private networks that it can reach.

A table of URLs may come from strangers. Without a guard it could have this machine ask services that trust it (a
cloud's metadata at 169.254.169.254, a router, a database) and keep the answers. Names are resolved as the connection
resolves them, so decimal, octal and short forms of addresses are seen for what they are; and the address that a
connection has in the end is looked at before anything is sent: a name cannot mean something else a moment later.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


class PrivateAddressError(Exception):
    """A URL leads to an address that is not one of the public internet; the message goes into the row."""


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet, and so is the one that it embeds, if any.

    IPv6 embeds IPv4 in four ways: mapped (RFC 4291), 6to4 (RFC 3056), Teredo (RFC 4380) and NAT64 (RFC 6052).
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    inner: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [found]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            inner = [found.ipv4_mapped]  # the kernel connects to it, whatever the block is called
        if found.sixtofour is not None:
            inner.append(found.sixtofour)
        inner += found.teredo or ()
        if found in _NAT64:
            inner.append(ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF))
        if int(found) >> 32 == 0:  # IPv4-compatible, long out of use
            return False
    return all(one.is_global and not one.is_multicast for one in inner)


_KEY = "source.urls.private_addresses"


def _refuse(host: str, address: str, key: str = _KEY) -> PrivateAddressError:
    return PrivateAddressError(
        f"{host} is {address}, which is not an address of the public internet; {key}: true allows it"
    )


def check_url(url: str, key: str = _KEY) -> None:
    """Refuse a URL whose host has an address that is not public; a name that nobody knows passes, and fails later.

    Parameters
    ----------
    key
        What allows it in the configuration, for the message.

    Raises
    ------
    PrivateAddressError
        With the host and the address.
    """
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_, address in found:
        if not is_public(str(address[0])):
            raise _refuse(host, str(address[0]), key)


class _Checked(HTTPConnection):
    """A connection that nothing is sent over before the address of its other end was looked at."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        address = str(sock.getpeername()[0])
        if not is_public(address):
            sock.close()
            raise _refuse(self.host, address)
        return sock


class _CheckedTls(_Checked, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTls


class PublicOnly(HTTPAdapter):
    """Connects to public addresses alone. A proxy is the user's own choice: the connection to it is not looked at."""

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Make the pools, of connections that are looked at."""
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def guard(session: requests.Session) -> None:
    """Let a session connect to public addresses alone."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, PublicOnly())

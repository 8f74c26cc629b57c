"""Which machines may be spoken to: no private, loopback or link-local ones, unless told.

A blog's page, feed or redirect may name any address, that of a router or of a cloud's metadata service
too. The address is judged where the connection is opened, after the name was looked up, and the connection
goes to the very address that was judged: a name that resolves differently a moment later gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence

import httpcore
import httpx

from ingest.problem import UnreadableError

Resolve = Callable[[str, int], Sequence[str]]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# NAT64 carries an IPv4 address in its last 32 bits.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class ForbiddenAddressError(UnreadableError):
    """A name leads to a machine of an inner network."""


def system_resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that the system's resolver gives for a name.

    Raises:
        httpcore.ConnectError: It gives none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name {host} leads nowhere") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, what it carries inside included."""
    ip: _Address = ipaddress.ip_address(address.partition("%")[0])
    return all(one.is_global and not one.is_multicast for one in (ip, *_carried(ip)))


def _carried(ip: _Address) -> Iterable[ipaddress.IPv4Address]:
    if isinstance(ip, ipaddress.IPv4Address):
        return ()
    teredo = ip.teredo or ()
    nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    return [one for one in (ip.ipv4_mapped, ip.sixtofour, *teredo, nat64) if one is not None]


class GuardedNetwork(httpcore.NetworkBackend):
    """Opens connections to public addresses only.

    Args:
        allow: Names and addresses that may lead inside: a maintainer's own word.
        resolve: Name and port -> addresses.
    """

    def __init__(self, allow: Iterable[str] = (), resolve: Resolve = system_resolve) -> None:
        self._allow = frozenset(name.lower() for name in allow)
        self._resolve = resolve
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host, when all its addresses may be spoken to.

        Raises:
            ForbiddenAddressError: One of them may not.
        """
        addresses = self._resolve(host, port)
        for address in addresses:
            if host.lower() not in self._allow and not is_public(address):
                raise ForbiddenAddressError(
                    f"leads to {address}, which is no address of the open internet",
                    f"If that is meant, allow it by name: --allow-host {host}.",
                )
        failure: Exception = httpcore.ConnectError(f"the name {host} leads nowhere")
        for address in addresses[:3]:
            try:
                return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def sleep(self, seconds: float) -> None:
        """As the plain network does."""
        self._inner.sleep(seconds)


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport over a guarded network; proxies of the environment are not used."""

    def __init__(self, network: GuardedNetwork) -> None:
        self._pool = httpcore.ConnectionPool(network_backend=network, max_connections=4)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; errors are httpcore's own."""
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Stream(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()

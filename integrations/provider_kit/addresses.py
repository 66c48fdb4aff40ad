"""Which machines an outgoing call may reach: public ones, and private networks that the operator allows.

A name is resolved once, every answer is checked, and the line is opened to a checked address, never to the name
again: a name server that changes its mind in between gains nothing.
"""

import ipaddress
import logging
import socket
import time
from collections.abc import Sequence

from django.conf import settings

logger = logging.getLogger(__name__)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = frozenset({80, 443})
TRIES = 3  # addresses of one name
# What Python's `is_global` lets through: shared, translated and tunnelled networks, which may end at a private machine.
NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10", "192.88.99.0/24", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16",
        "3fff::/20", "5f00::/16", "fec0::/10",
    )
]  # fmt: skip


class AddressRefused(OSError):
    """The target is one that we do not call. To people it looks like any machine that does not answer."""


def unwrapped(address: Address) -> Address:
    """An IPv4 address that is written as IPv6 is judged as what it is."""
    return getattr(address, "ipv4_mapped", None) or address


def is_allowed_privately(address: Address) -> bool:
    """Whether the operator listed it in OUTGOING_PRIVATE_NETWORKS."""
    return any(unwrapped(address) in network for network in settings.OUTGOING_PRIVATE_NETWORKS)


def is_public(address: Address) -> bool:
    """Whether it is an ordinary machine on the internet."""
    address = unwrapped(address)
    return address.is_global and not address.is_multicast and not any(address in network for network in NEVER)


def checked_addresses(host: str, port: int, *, encrypted: bool = True) -> list[str]:
    """The addresses of this host, if every one of them may be called on this port; else raises `AddressRefused`.

    Out on the internet we speak encrypted only: what we send holds people's addresses and the tenant's key.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise AddressRefused("This is not the name of a machine.") from None
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    for text in found:
        address = ipaddress.ip_address(text)
        if not is_allowed_privately(address) and not (is_public(address) and encrypted and port in PORTS):
            logger.warning("Refused to call %s, port %s: not a public address, or not encrypted.", host, port)
            raise AddressRefused("This address is not called.")
    return found


def open_line(
    host: str, port: int, seconds: float, options: Sequence[tuple[int, int, int]] = (), *, encrypted: bool = True
) -> socket.socket:
    """A line to one checked address of this host; `OSError` when nobody answers in time."""
    return _dial(checked_addresses(host, port, encrypted=encrypted), port, seconds, options)


def _dial(addresses: list[str], port: int, seconds: float, options: Sequence[tuple[int, int, int]]) -> socket.socket:
    until = time.monotonic() + seconds
    trouble: OSError = OSError("The name has no address.")
    for address in addresses[:TRIES]:
        try:
            line = socket.create_connection((address, port), timeout=max(0.1, until - time.monotonic()))
        except OSError as problem:
            trouble = problem
            continue
        for option in options:
            line.setsockopt(*option)
        return line
    raise trouble

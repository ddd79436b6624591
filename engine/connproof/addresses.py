"""Tell the addresses of the public internet from all others, in whatever notation a host is written.

A host that ends in a number is an IPv4 address to URL parsers and to the system's resolver: `2130706433`,
`0x7f.1` and `127.1` are all 127.0.0.1. An address that carries another inside is judged by that one.
The tables are IANA's registries of special-purpose addresses, written out: what the standard library
calls global changes between its versions.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, TypeAlias

__all__ = ["Address", "is_address", "is_local_name", "is_loopback", "special_block"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_SPECIAL: Final = tuple(
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # public in the registry, but the host's own agent inside one large cloud
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo is in here, which carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries one too
        "3fff::/20",
    )
)
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # all that is given out of IPv6
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # how hosts without IPv4 reach the public IPv4 internet

_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_address(host: str) -> bool:
    """Whether a URL's host is an address and not a name: IPv6 in brackets, or anything that ends in a number."""
    last = host.lower().removesuffix(".").rpartition(".")[2]
    return host.startswith("[") or _NUMBER.fullmatch(last) is not None


def is_local_name(host: str) -> bool:
    """Whether a name means this machine by convention (RFC 6761)."""
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def is_loopback(address: Address) -> bool:
    """Whether an address is this machine's own, also where it is written as IPv6."""
    return _meant(address).is_loopback


def special_block(address: Address) -> str | None:
    """The block that makes an address no public one, such as "10.0.0.0/8"; None for a public address."""
    meant = _meant(address)
    for block in _SPECIAL:
        if meant in block:
            return str(block)
    if meant.version == 6 and meant not in _GLOBAL_UNICAST:
        return f"outside {_GLOBAL_UNICAST}"
    return None


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it is only a notation of one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address

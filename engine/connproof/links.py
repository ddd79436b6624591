"""Read links: the Link header into links (RFC 8288), and any next link into an absolute URL (RFC 3986).

Nothing is re-encoded: what the provider wrote as `%2F`, `%2f` or `+` goes back to it byte for byte.
Whether a URL may be asked at all is the caller's to decide, by `origin`; a reference that URL parsers
read differently is refused here, by its form. Both header parsers at hand lose legal links and
find links inside quoted titles, so this one follows RFC 8288, appendix B, alone. Every step is linear.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from connproof.errors import ForeignNextLink, LimitExceeded, ProviderBroke, printable

__all__ = ["Link", "filled", "next_target", "origin", "parse", "resolve"]

_MOST_HEADER_CHARACTERS: Final = 65_536
_MOST_LINKS: Final = 500
_MOST_URL_CHARACTERS: Final = 32_768


# The Link header.


@dataclass(frozen=True, slots=True)
class Link:
    """One link. `target` is the URI reference as written, `relations` are lower-case.

    `anchor` is the first anchor parameter, None where there is none. `parameters` are all of them,
    `rel` and `anchor` included: (lower-case name, value without its quoting), in the header's order.
    """

    target: str
    relations: frozenset[str]
    anchor: str | None
    parameters: tuple[tuple[str, str], ...]


_TARGET: Final = re.compile(r"[ \t,]*+<([^>]*+)>")
# A name, then perhaps a quoted string (which may lack its end) or everything up to the next delimiter.
_PARAMETER: Final = re.compile(
    r"""[ \t]*+;[ \t]*+([^ \t=;,]*+)[ \t]*+(?:=[ \t]*+(?:"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)|([^;,]*+)))?""", re.DOTALL
)
_END: Final = re.compile(r"[ \t]*+(?:,|\Z)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPACES: Final = re.compile(r"[ \t]+")


def parse(value: str) -> tuple[Link, ...]:
    """The links of one header value, several lines joined by commas. A link without a relation is none.

    Reading stops quietly at the first thing that is no link, as the algorithm of RFC 8288 does.
    Raises LimitExceeded above 65,536 characters or 500 links.
    """
    if len(value) > _MOST_HEADER_CHARACTERS:
        raise LimitExceeded(
            "the Link header is too long",
            facts={"seen": f"{len(value):,} characters", "most": f"{_MOST_HEADER_CHARACTERS:,}"},
        )
    links: list[Link] = []
    at = 0
    while target := _TARGET.match(value, at):
        parameters, at = _parameters(value, target.end())
        first = dict(reversed(parameters))
        relations = frozenset(_SPACES.split(first.get("rel", "").lower())) - {""}
        if relations:
            links.append(Link(target[1], relations, first.get("anchor"), tuple(parameters)))
        if len(links) > _MOST_LINKS:
            raise LimitExceeded("the Link header has too many links", facts={"most": str(_MOST_LINKS)})
        end = _END.match(value, at)
        if end is None:
            break
        at = end.end()
    return tuple(links)


def _parameters(value: str, at: int) -> tuple[list[tuple[str, str]], int]:
    parameters: list[tuple[str, str]] = []
    while found := _PARAMETER.match(value, at):
        at = found.end()
        name, quoted, plain = found.groups()
        if name:
            text = _ESCAPED.sub(r"\1", quoted) if quoted is not None else (plain or "").rstrip(" \t")
            parameters.append((name.lower(), text))
    return parameters, at


def next_target(value: str, *, response_url: str, rel: str = "next") -> str | None:
    """The absolute URL of the link with this relation, None where there is none.

    A link whose anchor is another place than the response's URL says nothing about this page.
    Raises ProviderBroke where two links disagree, ForeignNextLink, LimitExceeded.
    """
    targets = {
        resolve(link.target, response_url): None
        for link in parse(value)
        if rel.lower() in link.relations and _is_about(link.anchor, response_url)
    }
    if len(targets) > 1:
        raise ProviderBroke(
            f"ambiguous_next: the Link header has {len(targets)} different targets with the relation {rel!r}",
            facts={"page": _shown(response_url), "targets": tuple(_shown(target) for target in targets)},
            fix="nothing was sent to either; if one of them is not the next page, name the relation that is",
        )
    return next(iter(targets), None)


def _is_about(anchor: str | None, page: str) -> bool:
    if anchor is None:
        return True
    try:
        return _same_place(_joined(anchor, page)) == _same_place(page)
    except ValueError:
        return False


def _same_place(url: str) -> tuple[str, str, str | None, str]:
    parts = _split(url)
    return origin(url), parts.path or "/", parts.query, parts.fragment or ""


# References into URLs.


class _Parts(NamedTuple):
    """The five components of a reference, None where absent (RFC 3986, section 5.2.1)."""

    scheme: str | None
    authority: str | None
    path: str
    query: str | None
    fragment: str | None

    def __str__(self) -> str:
        return "".join(
            (
                "" if self.scheme is None else f"{self.scheme}:",
                "" if self.authority is None else f"//{self.authority}",
                self.path,
                "" if self.query is None else f"?{self.query}",
                "" if self.fragment is None else f"#{self.fragment}",
            )
        )


_REFERENCE: Final = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*+):)?(?://([^/?#]*+))?([^?#]*+)(?:\?([^#]*+))?(?:#(.*+))?", re.DOTALL
)
# Controls, white space and halves of surrogate pairs of any script; and what only delimits a URI.
_NEVER: Final = re.compile("[\x00-\x20\x7f-\x9f\\s\ud800-\udfff<>]")
_AUTHORITY: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|((?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+)\.?)(?::([0-9]*))?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SHOWN: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+:)?([/\\]*+)([^?#]*+)")
_BRACES: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_IN_HOST: Final = re.compile(r"[A-Za-z0-9._-]+")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


def origin(url: str) -> str:
    """`scheme://host:port` in one spelling: lower-case, no default port, no dot at the end of the host.

    Raises ValueError, saying why, for what is not an absolute http or https URL with a plain host.
    """
    _refuse_characters(url)
    parts = _split(url)
    scheme = (parts.scheme or "").lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError(f"{_shown(url)}: the scheme must be http or https")
    if not parts.authority:
        raise ValueError(f"{_shown(url)}: no host after //")
    if "@" in parts.authority:
        raise ValueError(f"{_shown(url)}: a user name or password stands before the host")
    found = _AUTHORITY.fullmatch(parts.authority)
    if found is None:
        raise ValueError(f"{_shown(url)}: not a host name in ASCII letters, or not a port")
    literal, name, digits = found.groups()
    try:
        host = f"[{ipaddress.IPv6Address(literal)}]" if literal else name.lower()
    except ValueError:
        raise ValueError(f"{_shown(url)}: not an IPv6 address") from None
    if not digits:
        return f"{scheme}://{host}"
    if len(digits) > 5 or not 1 <= int(digits) <= 65_535:
        raise ValueError(f"{_shown(url)}: no such port")
    return f"{scheme}://{host}" if int(digits) == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{int(digits)}"


def filled(template: str, values: Mapping[str, str]) -> str:
    """A base URL with its names in braces filled, each value staying where its braces stood.

    At the very start a value is a bare origin; in the host it is host characters; behind, a path without dot segments.
    Raises ValueError, saying which name, for a value that would reach further, whatever its own pattern lets through.
    """
    start = template.find("//") + 2 if "//" in template else 0
    end = template.find("/", start) if "/" in template[start:] else len(template)

    def fill(found: re.Match[str]) -> str:
        value = values[found[1]]
        if found.start() == 0:
            stays = _bare(value)
        elif found.start() < end:
            stays = _IN_HOST.fullmatch(value) is not None
        else:
            stays = not re.search(r"[?#\\%]", value) and {".", ".."}.isdisjoint(value.split("/"))
        if not stays:
            raise ValueError(f"the value of {{{found[1]}}} would reach beyond its place")
        return value

    url = _BRACES.sub(fill, template)
    origin(url)
    return url


def _bare(url: str) -> bool:
    try:
        return url.rstrip("/").lower() == origin(url)
    except ValueError:
        return False


def resolve(reference: str, base: str) -> str:
    """Turn a next link, from a header or a body, into the absolute URL to ask.

    `base` is the URL that the response came from. Only what RFC 3986 section 5.2 says is done (dot
    segments go, the fragment goes, as neither is ever sent), and characters outside ASCII are
    percent-encoded as UTF-8; every other character stays as written. Raises ForeignNextLink for a reference
    that URL parsers read differently or that is no http URL, LimitExceeded above 32,768 characters,
    also where it gets them by being resolved and encoded.
    """
    _refuse_length(reference, base)
    try:
        url = _joined(reference, base)
    except ValueError as error:
        why = str(error)
    else:
        whole = str(_split(url)._replace(fragment=None))
        _refuse_length(whole, base)
        return whole
    raise ForeignNextLink(
        "the next link is not a URL that can be asked",
        facts={"page": _shown(base), "seen": why},
        fix="nothing was sent; if the config reads the link from the wrong place, correct it, else tell the provider",
    )


def _refuse_length(reference: str, base: str) -> None:
    if len(reference) > _MOST_URL_CHARACTERS:
        raise LimitExceeded(
            "the next link is too long",
            facts={"page": _shown(base), "seen": f"{len(reference):,} characters", "most": f"{_MOST_URL_CHARACTERS:,}"},
        )


def _joined(reference: str, base: str) -> str:
    """RFC 3986, section 5.2.2, for http and https; ValueError for every form that is refused."""
    _refuse_characters(reference)
    there, here = _split(reference), _split(base)
    if there.scheme is not None and there.authority is None:
        raise ValueError(f"{_shown(reference)}: a scheme without //host")
    if there.scheme is None and there.authority is None and re.search("[@:]", there.path.partition("/")[0]):
        raise ValueError(f"{_shown(reference)}: a relative path that looks like a host")
    if there.authority is not None:
        url = there._replace(scheme=there.scheme or here.scheme, path=_without_dots(there.path))
    elif not there.path:
        url = here._replace(query=here.query if there.query is None else there.query, fragment=there.fragment)
    else:
        folder = here.path.rpartition("/")[0]
        path = there.path if there.path.startswith("/") else f"{folder}/{there.path}"
        url = here._replace(path=_without_dots(path), query=there.query, fragment=there.fragment)
    origin(str(url))
    return _NOT_ASCII.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), str(url))


def _without_dots(path: str) -> str:
    """Take "." and ".." out of an absolute path (section 5.2.4). `%2e` is no dot: it stays."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in {".", ".."}:
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)


def _refuse_characters(url: str) -> None:
    if found := _NEVER.search(url):
        raise ValueError(f"{_shown(url)}: the character {found[0]!a} may not stand in a URL")
    if "\\" in re.split("[?#]", url, maxsplit=1)[0]:  # some parsers read it as a slash
        raise ValueError(f"{_shown(url)}: a backslash before the query")


def _split(reference: str) -> _Parts:
    found = _REFERENCE.fullmatch(reference)
    assert found is not None  # the expression matches every text
    return _Parts(found[1], found[2], found[3], found[4], found[5])


def _shown(reference: str) -> str:
    """Scheme, host and path alone: a query, a user name or the rest of a foreign scheme may hold a credential."""
    found = _SHOWN.match(reference)
    assert found is not None  # the expression matches every text
    scheme, slashes, rest = found.groups(default="")
    if scheme and scheme.lower() not in {"http:", "https:"}:
        return f"{scheme}..."
    _, at_sign, after = rest.rpartition("@")
    return printable(f"{scheme}{slashes}...@{after}" if at_sign else f"{scheme}{slashes}{rest}") or "(nothing)"

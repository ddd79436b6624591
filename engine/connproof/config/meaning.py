"""What one word of a config says about another: what a schema cannot know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from connproof.config.auth import judge_auth
from connproof.config.listings import judge_listing
from connproof.config.notes import BRACES, Notes, origin_fault, template_texts
from connproof.config.variables import judge_variables, with_samples
from connproof.documents import child
from connproof.links import origin
from connproof.model import TRANSPORT_HEADERS, ApiVersion, Auth, Connector, Ending, Operation, Pagination, Placement
from connproof.places import ABSENT, Place, put
from connproof.schemas import nearest

__all__ = ["judge"]

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, token


def judge(connector: Connector, document: dict[str, Any], notes: Notes, *, allow_loopback: bool) -> None:
    """Note all in a connector that contradicts itself or could not be sent. `document` is what it was read from."""
    _Judging(document, notes).connector(connector, allow_loopback=allow_loopback)


class _Judging:
    def __init__(self, document: dict[str, Any], notes: Notes) -> None:
        self._document = document
        self._notes = notes

    def connector(self, connector: Connector, *, allow_loopback: bool) -> None:
        if self._document.get("connector", connector.name) != connector.name:
            hint = "rename one of the two"
            self._notes.wrong("/connector", f'is not the name of its folder, "{connector.name}"', hint)
        self._base_url(connector, allow_loopback=allow_loopback)
        self._headers(self._document.get("headers", {}), "/headers")
        self._auth(connector, allow_loopback=allow_loopback)
        for operation in connector.operations():
            self._operation(operation, connector)
        for mapping in connector.unified.values():
            if mapping.resource not in connector.resources:
                hint = nearest(mapping.resource, connector.resources)
                self._notes.wrong(f"{mapping.pointer}/resource", f'there is no resource "{mapping.resource}"', hint)
            for one in mapping.filters:
                self._own_parameter(one.place, one.param, one.pointer, connector.auth)
        self._version(connector)

    def _auth(self, connector: Connector, *, allow_loopback: bool) -> None:
        judge_auth(connector, self._notes, allow_loopback=allow_loopback)
        said = self._document["auth"]
        if said["type"] in {"api_key", "session"} and connector.auth.place == "header":
            self._header_name(connector.auth.name, "/auth/name")
        self._headers(said.get("headers", {}), "/auth/headers")
        for word in ("token", "login"):
            self._headers(said.get(word, {}).get("headers", {}), f"/auth/{word}/headers")

    def _base_url(self, connector: Connector, *, allow_loopback: bool) -> None:
        judge_variables(connector, self._document, self._notes)
        sample = with_samples(connector.base_url)
        if self._origin(sample, "/base_url", allow_loopback=allow_loopback):
            self._path("/".join(["", *sample.split("/")[3:]]), "/base_url")
        if "?" in connector.base_url or "#" in connector.base_url:
            self._notes.wrong(
                "/base_url", "has a query or a fragment", 'parameters sent with every request stand under "query"'
            )
        for index, allowed in enumerate(connector.allowed_origins):
            at = f"/allowed_origins/{index}"
            if self._origin(allowed, at, allow_loopback=allow_loopback) and origin(allowed) != allowed:
                self._notes.wrong(at, "is not a bare origin", f"write {origin(allowed)}")

    def _origin(self, url: str, pointer: str, *, allow_loopback: bool) -> bool:
        fault = origin_fault(url, allow_loopback=allow_loopback)
        if fault:
            self._notes.wrong(pointer, *fault)
        return fault is None

    def _path(self, path: str, pointer: str) -> None:
        """A path that a config writes must be sendable as it stands."""
        try:
            origin(f"https://x{path}")
        except ValueError as wrong:
            self._notes.wrong(pointer, str(wrong).partition(": ")[2])
        if not path.isascii():
            self._notes.wrong(pointer, "has a character outside ASCII", "percent-encode it as UTF-8")
        if any(part in {".", ".."} for part in path.split("/")):
            self._notes.wrong(pointer, "has a dot segment")
        if re.search("[{}]", BRACES.sub("", path)):
            self._notes.wrong(
                pointer, "has a brace that is not around a name", "a name has letters, digits and _ alone"
            )

    def _headers(self, said: Mapping[str, str], pointer: str) -> None:
        seen = set[str]()
        for name in said:
            self._own_header(name, child(pointer, name))
            if name.lower() in seen:
                self._notes.wrong(child(pointer, name), "stands here a second time: case makes no other header")
            seen.add(name.lower())

    def _own_header(self, name: str, pointer: str) -> None:
        self._header_name(name, pointer)
        if name.lower() == "authorization":
            self._notes.wrong(pointer, "credentials stand in auth alone", 'see "auth"')

    def _own_parameter(self, place: str, name: str, pointer: str, auth: Auth) -> None:
        """What callers, environments and accounts give a value to is no header of HTTP's, and not the credential."""
        if place == "header":
            self._own_header(name, pointer)
            name = name.lower()
        if (place, name) == (auth.place, auth.name) and auth.type in {"api_key", "session"}:
            self._notes.wrong(pointer, f'"{name}" holds the credential', "credentials stand in auth alone")

    def _overridable(self, operation: Operation, headers: Mapping[str, str], auth: Auth) -> None:
        """A layer may set no header that the connector itself may not; and names it as the connector does."""
        for index, word in enumerate(operation.overridable):
            part, _, name = word.partition(".")
            pointer = f"{operation.pointer}/overridable/{index}"
            self._own_parameter("header" if part == "headers" else part, name, pointer, auth)
            if part == "query":
                continue
            if other := [own for own in headers if own.lower() == name.lower() and own != name]:
                self._notes.wrong(pointer, f'the header is written "{other[0]}" above', "write it the same way")

    def _header_name(self, name: str, pointer: str) -> None:
        if not _HEADER_NAME.fullmatch(name):
            self._notes.wrong(pointer, f"{name!r} is not a header name")
        if name.lower() in TRANSPORT_HEADERS or name.lower().startswith("proxy-"):
            self._notes.wrong(pointer, f'"{name.lower()}" is set by the transport alone')

    def _operation(self, operation: Operation, connector: Connector) -> None:
        said = self._document["resources"][operation.resource][operation.name]
        self._headers(said.get("headers", {}), f"{operation.pointer}/headers")
        self._overridable(operation, said.get("headers", {}), connector.auth)
        if operation.method in {"GET", "HEAD"} and operation.body is not ABSENT:
            self._notes.wrong(
                f"{operation.pointer}/body", f"{operation.method} has no body", "send it as POST, or move it to query"
            )
        if "encode" in said and operation.method in {"GET", "HEAD"}:
            self._notes.wrong(f"{operation.pointer}/encode", f"{operation.method} has no body", "leave it out")
        self._path(operation.path, f"{operation.pointer}/path")
        if operation.pagination is not None:
            self._pagination(operation.pagination, operation, self._continuing(operation, connector))
        judge_listing(operation, connector, self._notes)

    def _continuing(self, operation: Operation, connector: Connector) -> Operation | None:
        """The operation that `continue_with` names; None where it names none that is there."""
        name = operation.pagination.continue_with if operation.pagination else None
        return None if name is None else connector.resources[operation.resource].operations.get(name)

    def _pagination(self, pagination: Pagination, operation: Operation, continuing: Operation | None) -> None:
        at = pagination.pointer
        if pagination.then is not None:
            self._pagination(pagination.then.pagination, operation, None)
        size = pagination.default_page_size
        if size is not None and pagination.page_size_param is None and pagination.step != "limit":
            self._notes.wrong(
                f"{at}/default_page_size", '"page_size_param" is missing', "the size is sent nowhere without it"
            )
        if size is not None and pagination.max_page_size is not None and size > pagination.max_page_size:
            self._notes.wrong(
                f"{at}/default_page_size", f"{size} is more than max_page_size {pagination.max_page_size}"
            )
        if size is not None and size < pagination.min_page_size:
            self._notes.wrong(
                f"{at}/default_page_size", f"{size} is less than min_page_size {pagination.min_page_size}"
            )
        if pagination.step == "reported" and pagination.step_field is None:
            self._notes.wrong(f"{at}/step", '"step_field" is missing', "it says where the response reports the step")
        if (pagination.step == "limit" or pagination.short_page == "stop") and size is None:
            word = "step" if pagination.step == "limit" else "short_page"
            self._notes.wrong(
                f"{at}/{word}", '"default_page_size" is missing', "without it no page is known to be short"
            )
        if pagination.step_field is not None and pagination.step != "reported":
            self._notes.wrong(f"{at}/step_field", 'says nothing without "step": "reported"')
        if pagination.first_cursor is None and (pagination.cursor_in != "body" or operation.encode == "form"):
            self._notes.wrong(f"{at}/first_cursor", "null can stand in a JSON body alone")
        going_on = continuing or operation  # that a cursor is sent to
        seeded = pagination.seed is not None or going_on is continuing
        for word, first in (
            ("cursor", pagination.first_cursor is not ABSENT or seeded),
            ("offset", not pagination.omit_first),
            ("page", not pagination.omit_first),
            ("key", False),  # nor does the schema let one stand in braces
            ("page_size", size is not None),
        ):
            where, name = getattr(pagination, f"{word}_in"), getattr(pagination, f"{word}_param")
            asked = going_on if word == "cursor" else operation
            if name is not None:
                self._placed(where, name, f"{at}/{word}_param", asked, has_first=first)
        if pagination.window is not None:
            window = pagination.window
            self._placed(
                window.place, window.param, f"{at}/window/param", operation, has_first=window.first is not ABSENT
            )
        if pagination.bookmark is not None and pagination.bookmark.param is not None:
            bookmark = pagination.bookmark
            self._placed(bookmark.place, bookmark.param or "", f"{at}/bookmark/param", operation, has_first=False)
        if pagination.frozen is not None:
            frozen = pagination.frozen
            self._placed(frozen.place, frozen.param, f"{at}/frozen/param", operation, has_first=True)

    def _placed(self, where: Placement, name: str, pointer: str, operation: Operation, *, has_first: bool) -> None:
        """A value can be sent under this name, at this place of the operation's requests."""
        if where == "header":
            self._header_name(name, pointer)
        if where == "body":
            self._body_param(name, pointer, operation)
        if where == "template":
            self._template_param(name, pointer, operation, has_first=has_first)

    def _body_param(self, name: str, pointer: str, operation: Operation) -> None:
        if operation.method in {"GET", "HEAD"}:
            self._notes.wrong(pointer, f"goes into the body, but {operation.id} is {operation.method}")
        try:
            place = Place.parse(name)
            put({} if operation.body is ABSENT else operation.body, place, None)
        except ValueError as wrong:
            self._notes.wrong(pointer, str(wrong))
            return
        if not place.steps:
            self._notes.wrong(pointer, "would replace the whole body", "name a member")
        elif operation.encode == "form" and len(place.steps) > 1:
            self._notes.wrong(
                pointer, "leads into a member, and a form has one level", 'quote a name with dots: ["a.b"]'
            )

    def _template_param(self, name: str, pointer: str, operation: Operation, *, has_first: bool) -> None:
        slot = f"{{{name}}}"
        if not BRACES.fullmatch(slot):
            self._notes.wrong(pointer, f"{name!r} cannot stand in braces", "a name has letters, digits and _ alone")
        elif slot not in template_texts(operation):
            self._notes.wrong(pointer, f"{slot} stands nowhere in {operation.id}'s path, query, headers or body")
        elif not has_first:
            self._notes.wrong(pointer, f"the first request would send {slot} as it stands", "give it a first value")

    def _version(self, connector: Connector) -> None:
        texts = [connector.base_url, *(value for _, value in (*connector.headers, *connector.query))]
        texts += [template_texts(operation) for operation in connector.operations()]
        used = any("{api_version}" in text for text in texts)
        version = connector.api_version
        if version is not None and version.place == "header" and version.name is not None:
            self._header_name(version.name, "/api_version/name")
        if used and version is None:
            self._notes.wrong("", "{api_version} is used but not declared", 'declare "api_version"')
        if version is not None and version.place in {"path", "namespace"} and not used:
            self._notes.wrong("/api_version/in", f"says {version.place}, but {{api_version}} stands nowhere")
        if version is not None:
            self._ending(version, "/api_version")
        for operation in connector.operations():
            if operation.ending is not None:
                self._ending(operation.ending, f"{operation.pointer}/ending")

    def _ending(self, known: ApiVersion | Ending, pointer: str) -> None:
        days = {"deprecated": known.deprecated, "sunset": known.sunset}
        for word, day in days.items():
            if day is not None and not _is_of_the_calendar(day):
                self._notes.wrong(f"{pointer}/{word}", f"{day} is no day of the calendar")
        # A month is as good as each of its days.
        if known.deprecated and known.sunset and known.sunset < known.deprecated[: len(known.sunset)]:
            self._notes.wrong(f"{pointer}/sunset", f"is before deprecated, {known.deprecated}", "nothing ends first")
        if known.notice and not any(days.values()):
            self._notes.wrong(f"{pointer}/notice", 'says nothing without "deprecated" or "sunset"')


def _is_of_the_calendar(day: str) -> bool:
    """Whether a text as 2027-09-30 is a day; one as 2027-09 is a month."""
    try:
        date.fromisoformat(day if len(day) > len("2027-09") else f"{day}-01")
    except ValueError:
        return False
    return True

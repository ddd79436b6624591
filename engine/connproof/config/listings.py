"""What is wrong with how a listing is read: words that need, contradict or name one another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from connproof.config.notes import BRACES, Notes, template_texts
from connproof.documents import child
from connproof.model import Connector, Operation, Pagination
from connproof.places import ABSENT
from connproof.schemas import nearest

__all__ = ["judge_listing"]

_LEADING: Final = frozenset({"cursor", "link_header", "next_url", "keyset"})  # the page names the next one
_WHOLE_READS: Final = ("seed", "continue_with", "then", "window", "on_expired", "bookmark", "frozen", "reduce_on")


def judge_listing(operation: Operation, connector: Connector, notes: Notes) -> None:
    """Note all that is wrong with an operation's paging beyond placements and sizes."""
    _Judging(operation, connector, notes).listing()


class _Judging:
    def __init__(self, operation: Operation, connector: Connector, notes: Notes) -> None:
        self._operation = operation
        self._connector = connector
        self._notes = notes

    def listing(self) -> None:
        operation = self._operation
        if operation.pagination is None:
            for word in ("nested", "hydrate", "for_each"):
                if getattr(operation, word):
                    self._notes.wrong(
                        f"{operation.pointer}/{word}", "is for a listing", 'say "returns": "list" if this is one'
                    )
            return
        self._pagination(operation.pagination)
        self._nested()
        self._hydrate()
        self._for_each()

    def _pagination(self, paging: Pagination) -> None:
        at = paging.pointer
        if paging.seed is not None:
            self._known(paging.seed.operation, f"{at}/seed/operation")
            if paging.first_cursor is not ABSENT:
                self._notes.wrong(f"{at}/seed", 'stands beside "first_cursor"', "keep the one that is meant")
            if paging.continue_with is not None:
                hint = "make the operation that continues the listing itself"
                self._notes.wrong(f"{at}/continue_with", 'stands beside "seed": no request has no cursor', hint)
        if paging.continue_with is not None:
            self._known(paging.continue_with, f"{at}/continue_with")
        if paging.then is not None and paging.then.pagination.type not in _LEADING:
            hint = f"known here: {', '.join(sorted(_LEADING))}"
            self._notes.wrong(f"{at}/then/pagination/type", "counts too: nothing on the page leads to it", hint)
        if paging.reduce_on and paging.type == "page":
            self._notes.wrong(f"{at}/reduce_on", "would shift the pages: page 3 of another size is another page")
        self._starting_anew(paging)
        self._bookmark(paging)

    def _starting_anew(self, paging: Pagination) -> None:
        at = paging.pointer
        if paging.on_expired == "window" and paging.window is None:
            self._notes.wrong(f"{at}/on_expired", '"window" is missing', "it says by which field to go on")
        if paging.window is not None and paging.window.cap is None and paging.on_expired != "window":
            self._notes.wrong(f"{at}/window", 'says nothing without "cap" or "on_expired": "window"')
        word = "window" if paging.window is not None else "on_expired"
        if (paging.window is not None or paging.on_expired != "fail") and self._operation.key is None:
            self._notes.wrong(
                f"{at}/{word}",
                f'{self._operation.id} has no "key"',
                "by it records that come a second time are left out",
            )

    def _bookmark(self, paging: Pagination) -> None:
        mark, at = paging.bookmark, f"{paging.pointer}/bookmark"
        if mark is None:
            return
        beside = [word for word, said in (("window", paging.window), ("then", paging.then)) if said is not None] + (
            ["for_each"] if self._operation.for_each else []
        )
        if beside:
            self._notes.wrong(at, f'cannot stand beside "{beside[0]}"', "such a read has no one place to go on from")
        if mark.field is None and (paging.type == "page" or (paging.type == "offset" and paging.step != "returned")):
            self._notes.wrong(at, "is no place to go on from: the last page may be short, and grow", 'name its "field"')
        if mark.field is not None and mark.param is None and paging.type not in _LEADING:
            self._notes.wrong(at, '"param" is missing', "what stands in a page is no count to go on from")

    def _nested(self) -> None:
        for nested in self._operation.nested:
            at, paging = nested.pointer, nested.pagination
            for word in _WHOLE_READS:
                if getattr(paging, word) not in {None, "fail", ()}:
                    self._notes.wrong(f"{at}/pagination/{word}", "is for whole reads, not for a list inside a record")
            if paging.type in {"link_header", "none"}:
                self._notes.wrong(f"{at}/pagination/type", "says nothing of a list inside a record")
            if nested.operation is None:
                if paging.type != "next_url":
                    hint = "only a next URL can be followed without one"
                    self._notes.wrong(f"{at}/pagination/type", '"operation" is missing beside the pagination', hint)
                if nested.params:
                    self._notes.wrong(f"{at}/params", 'says nothing without "operation"')
                continue
            inner = self._known(nested.operation, f"{at}/operation")
            if inner is None:
                continue
            self._takes(inner, (name for name, _ in nested.params), f"{at}/params")
            if inner.pagination is None or inner.pagination.type != paging.type:
                seen = inner.pagination.type if inner.pagination else "none, it gives one record"
                self._notes.wrong(f"{at}/operation", f"its pagination is of another type: {seen}")
            elif inner.for_each or inner.nested or inner.hydrate or inner.pagination.window:
                self._notes.wrong(f"{at}/operation", f"{inner.id} is more than one listing", "name a plain one")

    def _hydrate(self) -> None:
        hydrate, at = self._operation.hydrate, f"{self._operation.pointer}/hydrate"
        whole = self._known(hydrate.operation, f"{at}/operation") if hydrate else None
        if hydrate is None or whole is None:
            return
        if whole.is_list:
            self._notes.wrong(f"{at}/operation", f"{whole.id} gives a list", "name an operation that gives one record")
        if hydrate.param not in _params(whole):
            hint = nearest(hydrate.param, _params(whole))
            self._notes.wrong(f"{at}/param", f'{whole.id} has no parameter "{hydrate.param}"', hint)

    def _for_each(self) -> None:
        each = self._operation.for_each
        if each is None:
            return
        others = {other.id: other for other in self._connector.operations() if other.is_list}
        at = f"{each.pointer}/operation"
        if each.operation not in others:
            self._notes.wrong(at, f'there is no listing "{each.operation}"', nearest(each.operation, others))
        self._takes(self._operation, (name for name, _ in each.params), f"{each.pointer}/params")
        seen, here = set[str](), each.operation
        while here in others and here not in seen:
            seen.add(here)
            further = others[here].for_each
            here = further.operation if further else ""
        if self._operation.id in seen:
            self._notes.wrong(at, "leads back to this listing itself")

    def _known(self, name: str, pointer: str) -> Operation | None:
        """The operation of this name in the same resource."""
        operations = self._connector.resources[self._operation.resource].operations
        if name not in operations or name == self._operation.name:
            others = [other for other in operations if other != self._operation.name]
            hint = nearest(name, others) if others else "it has no other"
            self._notes.wrong(pointer, f'{self._operation.resource} has no other operation "{name}"', hint)
            return None
        return operations[name]

    def _takes(self, operation: Operation, names: Iterable[str], pointer: str) -> None:
        known = _params(operation)
        for name in names:
            if name not in known:
                self._notes.wrong(
                    child(pointer, name), f'{operation.id} has no parameter "{name}"', nearest(name, known)
                )


def _params(operation: Operation) -> frozenset[str]:
    return frozenset(BRACES.findall(template_texts(operation)))

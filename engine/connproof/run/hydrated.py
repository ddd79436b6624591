"""Ask for each listed record by itself, and give the whole one in its place.

Records keep their order. A page is given when all of its records are there: a read that breaks off in between goes on
from the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connproof.errors import ProviderBroke
from connproof.model import Hydrate, Operation
from connproof.pagination import End
from connproof.places import Absent, JsonValue
from connproof.run.calls import Call
from connproof.run.walk import Reading, Source, Step, known_params, on_behalf_of, records_of, text_at

__all__ = ["Hydrated"]


class Hydrated:
    """A source whose records are asked for one by one. `params` are those with which it is read itself."""

    def __init__(self, reading: Reading, operation: Operation, inside: Source, params: Mapping[str, str]) -> None:
        """Raises CallWrong for a parameter that the single requests lack."""
        assert operation.hydrate is not None, "else records are given as they are listed"
        self._reading = reading
        self._hydrate: Hydrate = operation.hydrate
        self._single = reading.beside(operation, operation.hydrate.operation)
        self._inside = inside
        self._params = params
        self.at = inside.at
        # Asked now, before anything is sent: whatever is wrong later comes from a record.
        sample = {**params, operation.hydrate.param: operation.hydrate.param}
        reading.asking.draft(self._single, Call(params=known_params(self._single, sample)))

    async def next(self) -> Step | End:
        step = await self._inside.next()
        if isinstance(step, End):
            return step
        records = []
        for number, listed in enumerate(step.page.records, 1):
            with on_behalf_of({"record": f"{number} of the page"}):
                records.append(await self._whole(listed))
        self.at = self._inside.at
        return replace(step, page=replace(step.page, records=tuple(records)))

    async def _whole(self, listed: JsonValue) -> JsonValue:
        """The record as its own operation gives it; as it was listed where that answers that there is nothing."""
        own = {self._hydrate.param: text_at(self._hydrate.source, listed, "the listed record")}
        document = await self._reading.aside("hydrate", self._single, {**self._params, **own})
        if isinstance(document, Absent):
            return listed
        (whole,) = records_of(self._single, document, self._reading.connector)
        if not self._hydrate.merge:
            return whole
        if not isinstance(listed, dict) or not isinstance(whole, dict):
            raise ProviderBroke(
                "only objects can be merged",
                facts={"listed": type(listed).__name__, "whole": type(whole).__name__},
                fix='leave "merge" out: the whole record then replaces the listed one',
            )
        return {**listed, **whole}

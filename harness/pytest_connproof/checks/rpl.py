"""RPL: the replay: every request expected, in its turn; every exchange used; every record of every page given once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from connproof.auth.token_response import TokenRefused
from connproof.errors import ClientMisconfigured, ProviderSaid, Reauthorise, RefreshPending
from connproof.model import Operation, Pagination
from connproof.places import Absent, JsonValue, Place
from pytest_connproof.answers import document_in, meaning_of, records_in
from pytest_connproof.finding import Evidence, Finding, Inconclusive, counted, rows
from pytest_connproof.grants import outcome_of
from pytest_connproof.lane_run import LaneRun
from pytest_connproof.parity import shown_key
from pytest_connproof.recording import Exchange
from pytest_connproof.replay import Miss
from pytest_connproof.subject import Subject

_WITHOUT_A_TOKEN: Final = (Reauthorise, ClientMisconfigured, RefreshPending)  # what a refused token request leads to


def every_exchange_is_used(subject: Subject, target: str) -> Evidence:
    """The read asks for all that was recorded."""
    if target not in subject.lanes:
        raise Inconclusive(f"no recording exercises {target}", f'add a lane "{target}" to a recording')
    run = subject.run(target)
    if run.unmatched is not None:
        raise Inconclusive("the run ended at a request that is not in the recording", "see RPL-002")
    if run.error is not None and not _refused(subject, run):
        raise Inconclusive(f"the run ended early: {run.outcome}", "see RPL-004")
    unused = run.tally.unused
    if unused:
        ended = run.ended.reason if run.ended else run.outcome
        raise Finding(
            f"{target}: {counted(len(unused), 'recorded exchange')} not asked for",
            rows(
                {
                    "unused": _ids(unused),
                    "ended by": f"{ended}, after {counted(run.tally.requests, 'request')}",
                    **_leads(subject, run),
                    "ledger": _ledger(run),
                    "fix": "correct what the next page is read from; or take out of the recording what no caller needs",
                }
            ),
        )
    if not any(_is_success(subject, run.operation, page) for page in _answers_to(subject, run.lane.operation)):
        raise Inconclusive(
            f"no recording shows {run.lane.operation} succeed",
            "record a lane in which the provider does",
        )
    return {"exchanges": len(run.tally.used)}


def every_request_is_recorded(subject: Subject, target: str) -> Evidence:
    """The read asks for nothing else, and in the recorded order."""
    run = subject.run(target)
    miss = run.unmatched
    if miss is not None:
        times = f"     ({_ordinal(miss.times)} time)" if miss.times > 1 else ""
        raise Finding(
            f"request {miss.order} is not in the recording",
            rows(
                {
                    "sent": unquote(subject.shown(run, miss.request)) + times,
                    "nearest": [line for near in miss.misses for line in _miss_lines(near)],
                    **_leads(subject, run),
                    "ledger": _ledger(run),
                }
            ),
        )
    if run.tally.out_of_turn:
        use = run.tally.out_of_turn[0]
        raise Finding(
            f"request {use.order} came before its turn",
            rows(
                {
                    "answered by": use.exchange.id,
                    "order": "strict: the exchanges before it were not used yet",
                    "fix": 'if the provider\'s traffic has no order here, set "order": "unordered" on the lane',
                }
            ),
        )
    if run.tally.requests == 0:
        raise Inconclusive(f"the run sent no request: {run.outcome}", str(run.error or ""))
    return {"requests": run.tally.requests}


def the_read_ends(subject: Subject, target: str) -> Evidence:
    """The read ends by itself, or in the error that the provider's last answer is; it never loops or trips."""
    run = subject.run(target)
    if run.unmatched is not None:
        raise Inconclusive("the run ended at a request that is not in the recording", "see RPL-002")
    if run.error is not None and not _refused(subject, run):
        raise Finding(f"{target} ended in {type(run.error).__name__}", _indented(str(run.error)))
    return {"pages": len(run.pages) or 1}


def every_record_arrives(subject: Subject, target: str) -> Evidence:
    """Each used page's records, read from the recording itself, reach the caller once, each as mapped alone."""
    run = subject.run(target)
    if run.unmatched is not None or (run.error is not None and not _refused(subject, run)):
        raise Inconclusive(f"the run ended early: {run.outcome}", "see RPL-002 and RPL-004")
    pages = _recorded_pages(subject, run)
    limit = run.lane.call.limit if run.lane.call else None
    recorded = _once(run.operation, [(exchange, record) for exchange, records in pages for record in records])[:limit]
    if len(run.records) != len(recorded):
        path, at = run.operation.response_path, subject.line_of(f"{run.operation.pointer}/response_path")
        raise Finding(
            f"the recording holds {counted(len(recorded), 'record')}, the caller got {len(run.records)}",
            rows(
                {
                    "pages": [f"{exchange.id}   {counted(len(records), 'record')}" for exchange, records in pages],
                    "config": f"{at} response_path {path or '$'}",
                }
            ),
        )
    if _is_put_together(run.operation):
        return {"records": len(run.records), "exchanges": len(run.tally.used)}
    expected = subject.mapped(target, [record for _, record in recorded])
    for number, (got, wanted) in enumerate(zip(run.records, expected, strict=True)):
        if _canonical(got) != _canonical(wanted):
            other = next((i for i, record in enumerate(expected) if _canonical(record) == _canonical(got)), None)
            raise Finding(
                f"record {number + 1} that the caller got is not record {number + 1} of the recording",
                rows(
                    {
                        "recorded": f"{recorded[number][0].id}   {shown_key(recorded[number][1], _key(run), number)}",
                        "got": "a record of no recorded page"
                        if other is None
                        else f"record {other + 1}   {shown_key(recorded[other][1], _key(run), other)}",
                    }
                ),
            )
    nameless = [
        record
        for exchange, record in recorded
        # A write may be answered without a body: then there is nothing to name.
        if run.operation.key and exchange.response.body and _is_nothing(run.operation.key.find(record))
    ]
    if nameless:
        raise Finding(
            f'"{run.operation.key}" leads nowhere in {len(nameless)} of {counted(len(recorded), "recorded record")}',
            rows(
                {
                    "config": subject.line_of(f"{run.operation.pointer}/key"),
                    "it has": ", ".join([*nameless[0]][:12]) if isinstance(nameless[0], dict) else "no members",
                    "fix": 'point "key" at what identifies a record',
                }
            ),
        )
    return {"records": len(run.records), "exchanges": len(run.tally.used)}


def _recorded_pages(subject: Subject, run: LaneRun) -> list[tuple[Exchange, list[JsonValue]]]:
    """What the listing's own pages hold; where each record is asked for by itself, what those answers hold."""
    operation, asides, elements = run.operation, run.asides, run.operation.elements
    answers = [use for use in run.tally.used if not use.grants and _is_success(subject, operation, use.exchange)]
    if run.error is not None and (operation.hydrate is not None or operation.nested):
        # A page that broke off before its records were whole is not given: the read goes on from its beginning.
        answers = [use for use in answers if run.asked and use.order <= run.asked[-1]]
    if elements is not None:  # of a batch the caller gets the fate of each; ERR-004 holds it against the result
        places = [place for place in (elements.at, elements.failures_at) if place]
        documents = [(use.exchange, document_in(operation, use.exchange.response)) for use in answers]
        found = [(exchange, [_all_at(place, document) for place in places]) for exchange, document in documents]
        return [(exchange, [result for results in lists for result in results]) for exchange, lists in found]
    if operation.hydrate is not None and not operation.hydrate.merge:
        single = subject.connector.resources[operation.resource].operations[operation.hydrate.operation]
        whole = [use.exchange for use in answers if use.order in asides and asides[use.order].purpose == "hydrate"]
        return [(exchange, records_in(single, exchange.response)) for exchange in whole]
    own = [use.exchange for use in answers if use.order not in asides]
    return [(exchange, records_in(operation, exchange.response)) for exchange in own]


def _all_at(place: Place, document: JsonValue | Absent) -> list[JsonValue]:
    found = None if isinstance(document, Absent) else place.find(document)
    return found if isinstance(found, list) else []


def _once(operation: Operation, recorded: list[tuple[Exchange, JsonValue]]) -> list[tuple[Exchange, JsonValue]]:
    """The records, without those that come again where the read begins anew on purpose."""
    paging, key = operation.pagination, operation.key
    if paging is None or key is None or (paging.window is None and paging.on_expired == "fail"):
        return recorded
    found: dict[str, tuple[Exchange, JsonValue]] = {}
    for exchange, record in recorded:
        value = key.find(record)
        found.setdefault("" if isinstance(value, Absent) else _canonical(value), (exchange, record))
    return list(found.values())


def _is_put_together(operation: Operation) -> bool:
    """Whether a record that the caller gets stands nowhere as it is: then they are counted, and not compared."""
    if operation.elements is not None:
        return True
    is_merged = operation.hydrate is not None and operation.hydrate.merge
    return (
        bool(operation.nested) or is_merged or (operation.for_each is not None and operation.for_each.into is not None)
    )


def every_paging_is_exercised(subject: Subject, target: str) -> Evidence:  # noqa: ARG001 the checks share one signature
    """Every listing with pages was read past its first page, and what its paging reads is there."""
    paged = subject.paged
    most = {operation.id: 0 for operation in paged}
    for lane_id, recorded in subject.lanes.items():
        operation_id = recorded.lane.operation
        if operation_id in most:
            most[operation_id] = max(most[operation_id], len(subject.run(lane_id).pages))
    single = [operation_id for operation_id, pages in most.items() if pages < 2]
    if single:
        raise Inconclusive(
            f"no recording reads a second page of {', '.join(single)}",
            'record one that does; or, if there never is a second page, set "pagination": {"type": "none"}',
        )
    idle = [
        f'{word} "{getattr(operation.pagination, word)}" of {operation.id}'
        for operation in paged
        for word in _READ_FROM_A_PAGE
        if getattr(operation.pagination, word) is not None
        and not any(_has(page, operation, word) for page in _answers_to(subject, operation.id))
    ]
    if idle:
        raise Inconclusive(
            f"leads nowhere in every recorded page: {', '.join(idle)}",
            "correct the place, or record a page that has it",
        )
    return {"listings": len(most), "pages": sum(most.values())}


_READ_FROM_A_PAGE: Final = (
    "cursor_field",
    "cursor_header",
    "next_url_field",
    "stop_field",
    "stop_header",
    "total_field",
    "total_header",
)


def _has(page: Exchange, operation: Operation, word: str) -> bool:
    place: Place | str = getattr(operation.pagination, word)
    if isinstance(place, str):
        return page.response.header(place) is not None
    document = document_in(operation, page.response)
    return not isinstance(document, Absent) and not isinstance(place.find(document), Absent)


def _answers_to(subject: Subject, operation: str) -> Iterator[Exchange]:
    for recorded in subject.lanes.values():
        if recorded.lane.operation == operation:
            yield from subject.answered(recorded.lane)


def _is_success(subject: Subject, operation: Operation, exchange: Exchange) -> bool:
    return meaning_of(subject.connector, operation, exchange.response).is_success


def _refused(subject: Subject, run: LaneRun) -> bool:
    """Whether the run ended because the provider's last answer is an error: what the recording is about."""
    if run.tally.used and run.tally.used[-1].grants:
        came = outcome_of(subject.connector.auth, subject.account, run.tally.used[-1].exchange.response)
        return isinstance(came, TokenRefused) and isinstance(run.error, _WITHOUT_A_TOKEN)
    last = run.tally.used[-1].exchange.response.status if run.tally.used else 200
    # A success that the engine cannot read is no answer of the provider's: the config reads it wrong.
    error = run.error
    return isinstance(error, ProviderSaid) and error.status == last and (bool(error.meaning) or not 200 <= last < 300)


def _key(run: LaneRun) -> str | None:
    return run.operation.key.text if run.operation.key else None


def _is_nothing(value: JsonValue | Absent) -> bool:
    return value is None or isinstance(value, Absent)


def _canonical(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True)


def _miss_lines(miss: Miss) -> Iterator[str]:
    if not miss.differences:
        yield f"{miss.exchange.id}   every part equal; already used by request {miss.used_by}"
        return
    first, *more = miss.differences
    used = f"; used by request {miss.used_by}" if miss.used_by else ""
    yield f"{miss.exchange.id}   differs in  {first}{used if not more else ''}"
    for difference in more:
        yield f"{'':<{len(miss.exchange.id)}}               {difference}"


def _ledger(run: LaneRun) -> str:
    tally = run.tally
    unused = f"{len(tally.unused)} unused" + (f" ({_ids(tally.unused)})" if tally.unused else "")
    return f"{len(tally.used)} used, {len(tally.unmatched)} unmatched, {unused}"


def _ids(exchanges: Sequence[Exchange]) -> str:
    ids = [exchange.id for exchange in exchanges]
    return f"{ids[0]} ... {ids[-1]}" if len(ids) > 2 else ", ".join(ids)


def _leads(subject: Subject, run: LaneRun) -> dict[str, str]:
    """Where the config reads the next page from, and where the recording offers what the next request needs."""
    paging = run.operation.pagination
    if paging is None or not run.tally.used or not run.tally.unused:
        return {}
    word = {"cursor": "cursor_field", "next_url": "next_url_field", "keyset": "key_field"}.get(paging.type)
    place: Place | None = getattr(paging, word) if word else None
    if word is None or place is None:
        return {}
    label = word.partition("_")[0]
    line = subject.connector.source.line(f"{paging.pointer}/{word}")
    said = f'read from "{place}" ({subject.file.name}:{line})'
    wanted = _wanted(paging, run.tally.unused[0])
    document = document_in(run.operation, run.tally.used[-1].exchange.response)
    scalars = () if isinstance(document, Absent) else _scalars(document, "")
    offered = next((path for path, value in scalars if wanted(value)), None)
    if offered is None or offered == place.text:
        return {label: said}
    return {label: f'{said}; the recording offers "{offered}"'}


def _wanted(paging: Pagination, following: Exchange) -> Callable[[JsonValue], bool]:
    """Whether a value of the last answer is what the next recorded request sends."""
    url = following.request.url
    texts = {value for _, value in _sent_values(following)}

    def is_wanted(value: JsonValue) -> bool:
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            return False
        if paging.type == "next_url":
            return isinstance(value, str) and url.endswith(value)
        return str(value) in texts

    return is_wanted


def _sent_values(exchange: Exchange) -> Iterator[tuple[str, str]]:
    yield from parse_qsl(urlsplit(exchange.request.url).query)
    if exchange.request.body:
        try:
            body = json.loads(exchange.request.body)
        except ValueError:
            return
        yield from ((path, str(value)) for path, value in _scalars(body, ""))


def _scalars(value: JsonValue, path: str) -> Iterator[tuple[str, JsonValue]]:
    """Every scalar of a document and the path that names its place; of each object, what stands in its lists last."""
    later: list[tuple[JsonValue, str]] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            step = f".{name}" if path else name
            later.append((inner, f"{path}{step}" if name.isidentifier() else f'{path}["{name}"]'))
    elif isinstance(value, list):
        later = [(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
    else:
        yield path, value
    for inner, below in sorted(later, key=lambda pair: isinstance(pair[0], list)):
        yield from _scalars(inner, below)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _ordinal(number: int) -> str:
    last = 0 if 10 < number % 100 < 20 else number % 10
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"

"""Each MAP check passes on a whole project with something counted, and fails on an engine that maps otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from projects import Project

from connproof.errors import MappingFailed
from connproof.mapping import CompiledMapping
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/orders.json"
MODEL = "sales.order"
AT = "connectors/orders/connector.json"
FAULT = "this is a fault of the engine, not of the connector: report it"


def _refuted(project: Project, check: str, target: str = MODEL) -> Finding:
    with pytest.raises(Finding) as found:
        project.judge(check, target)
    return found.value


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("MAP-001", {"records": 8, "variants": 32}),
        ("MAP-002", {"records": 8, "fields": 24}),
        ("MAP-003", {"variants": 24, "errors": 17}),
    ],
)
def test_MAP_passes_with_counts(orders: Project, check: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == orders.judge(check, MODEL)


def test_MAP_passes_on_members_of_members(deals: Project) -> None:
    """What stands inside is changed like what stands at the top, as far as an expression may read it: MAP-001."""
    variants = 8 * len(["id", "properties", "dealname", "amount", "stage", "owner", "updatedAt"])

    assert {"records": 6, "variants": 6 + variants} == deals.judge("MAP-001", "crm.deal")


@pytest.mark.parametrize("check", ["MAP-001", "MAP-002", "MAP-003"])
def test_MAP_001_MAP_002_MAP_003_fails_with_a_doubt_without_records(orders: Project, check: str) -> None:
    """What was never mapped is not certified."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][2:3])

    with pytest.raises(Inconclusive) as doubt:
        orders.judge(check, MODEL)

    assert "no recording holds a record of sales.order\n  fix  record a lane with records" == str(doubt.value)


@pytest.mark.parametrize("check", ["MAP-001", "MAP-003"])
def test_MAP_001_MAP_003_fails_with_a_doubt_where_the_mapping_cannot_be_compiled(orders: Project, check: str) -> None:
    """CFG-001 says what is wrong with it; that is no second finding."""
    orders.drop("connector.json", "/unified/sales.order/fields/id")

    with pytest.raises(Inconclusive, match=r"no record of orders\.list was mapped: ConfigWrong"):
        orders.judge(check, MODEL)


# MAP-001


def _applied_otherwise(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any, Any], Any]) -> None:
    """An engine whose way to map is another than jsonata's. `change` gets the mapped record and the provider's."""
    real = CompiledMapping.apply
    monkeypatch.setattr(
        CompiledMapping, "apply", lambda self, record, **words: change(real(self, record, **words), record)
    )


def test_MAP_001_fails_on_a_field_that_differs(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record, the field, and no value."""
    _applied_otherwise(monkeypatch, lambda mapped, _: {**mapped, "title": str(mapped.get("title")).strip() + "."})

    assert (
        "the fast path and jsonata-python differ\n"
        "\n"
        "  record    1 of orders.list, as recorded\n"
        "  differs   title\n"
        f"  fix       {FAULT}"
    ) == str(_refuted(orders, "MAP-001"))


def test_MAP_001_fails_on_what_no_recorded_record_is_like(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Null and absent are two things: a path that takes one for the other is found though no record holds a null."""
    _applied_otherwise(
        monkeypatch, lambda mapped, _: {name: value for name, value in mapped.items() if value is not None}
    )

    found = _refuted(orders, "MAP-001")

    assert "record    1 of orders.list, with title as null\n  differs   title" in found.facts


def test_MAP_001_fails_on_a_failure_that_is_passed_over(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one way fails the other must, at the same field."""
    real = CompiledMapping.apply

    def apply(self: CompiledMapping, record: Any, **words: Any) -> Any:
        try:
            return real(self, record, **words)
        except MappingFailed:
            return {}

    monkeypatch.setattr(CompiledMapping, "apply", apply)

    found = _refuted(orders, "MAP-001")

    assert "record    1 of orders.list, without id\n  differs   maps / failed at" in found.facts


def test_MAP_001_fails_on_an_integer_that_loses_digits(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 2^53 a float is another number."""
    _applied_otherwise(
        monkeypatch,
        lambda mapped, _: {**mapped, **({"total": float(mapped["total"])} if mapped.get("total") else {})},
    )

    found = _refuted(orders, "MAP-001")

    assert "record    1 of orders.list, with total as a large number\n  differs   total" in found.facts


# MAP-002


def test_MAP_002_fails_on_what_the_model_does_not_allow(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that does not look: the field, what the model says, and the line that maps it."""
    monkeypatch.setattr(CompiledMapping, "_allowed", lambda *_: None)
    orders.change("connector.json", "/unified/sales.order/fields/total", "$string(total)")

    line = orders.subject().connector.source.line("/unified/sales.order/fields/total")
    assert (
        "a mapped record is not what sales.order allows\n"
        "\n"
        "  record      1 of orders.list\n"
        "  field       /total\n"
        "  model       type ['number', 'null']\n"
        f"  mapped by   {AT}:{line}"
    ) == str(_refuted(orders, "MAP-002"))


def test_MAP_002_fails_on_a_member_too_many(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added after the mapping is no part of the model."""
    _applied_otherwise(monkeypatch, lambda mapped, _: {**mapped, "source": "orders"})

    assert "model       additionalProperties False" in _refuted(orders, "MAP-002").facts


def test_MAP_002_fails_with_a_doubt_where_nothing_was_mapped(orders: Project) -> None:
    """The reads broke before a record came: RPL says of what."""
    orders.change("connector.json", "/unified/sales.order/fields/title", "$error('no')")

    with pytest.raises(Inconclusive, match=r"no record of sales\.order reached the caller"):
        orders.judge("MAP-002", MODEL)


# MAP-003


def _failing_otherwise(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any, MappingFailed], Exception]) -> None:
    """An engine that tells of a failure otherwise. `change` gets the provider's record and the error."""
    real = CompiledMapping.apply

    def apply(self: CompiledMapping, record: Any, **words: Any) -> Any:
        try:
            return real(self, record, **words)
        except MappingFailed as failed:
            raise change(record, failed) from None

    monkeypatch.setattr(CompiledMapping, "apply", apply)


def _without(failed: MappingFailed, text: str) -> MappingFailed:
    failed.what = failed.what.replace(text, "...")
    failed.facts = {name: str(fact).replace(text, "...") for name, fact in failed.facts.items()}
    return failed


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("field", "title"),
        ("line", "/unified/sales.order/fields/"),
        ("level", "platform base"),
    ],
)
def test_MAP_003_fails_on_an_error_that_does_not_say_where(
    orders: Project, monkeypatch: pytest.MonkeyPatch, what: str, text: str
) -> None:
    """Whoever reads it must find the expression."""
    _failing_otherwise(monkeypatch, lambda _, failed: _without(failed, text))

    found = _refuted(orders, "MAP-003")

    assert found.what.startswith("a mapping error falls short: it does not name its ")
    assert what in found.what
    assert f"error    MappingFailed\n  fix      {FAULT}" in found.facts


def test_MAP_003_fails_on_an_error_that_shows_a_value(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is personal data, and errors are logged."""

    def quoting(record: Any, failed: MappingFailed) -> MappingFailed:
        failed.facts["record"] = json.dumps(record)
        return failed

    _failing_otherwise(monkeypatch, quoting)

    assert "a mapping error falls short: it shows a value of the record" == _refuted(orders, "MAP-003").what


def test_MAP_003_fails_on_a_cause_that_shows_a_value(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs on an error is printed with it."""

    def caused(record: Any, failed: MappingFailed) -> MappingFailed:
        failed.__cause__ = ValueError(json.dumps(record))
        return failed

    real = CompiledMapping.apply

    def apply(self: CompiledMapping, record: Any, **words: Any) -> Any:
        try:
            return real(self, record, **words)
        except MappingFailed as failed:
            raise caused(record, failed)  # noqa: B904 its cause is what is tried

    monkeypatch.setattr(CompiledMapping, "apply", apply)

    assert "a mapping error falls short: it shows a value of the record" == _refuted(orders, "MAP-003").what


def test_MAP_003_fails_on_an_error_of_another_class(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who catches a MappingFailed does not catch a KeyError."""
    _failing_otherwise(monkeypatch, lambda _, failed: KeyError(failed.field))

    found = _refuted(orders, "MAP-003")

    assert "a mapping error falls short: it is no MappingFailed" == found.what
    assert "record   the first of orders.list, without id\n  error    KeyError" in found.facts


def test_MAP_003_fails_with_a_doubt_on_a_model_that_allows_everything(orders: Project) -> None:
    """No error was seen, so nothing is known of errors."""
    model = orders.read("/connectors/unified/sales/order.schema.json")
    model["properties"] = {name: {} for name in model["properties"]}
    model["required"] = []
    orders.write("/connectors/unified/sales/order.schema.json", model)

    with pytest.raises(Inconclusive) as doubt:
        orders.judge("MAP-003", MODEL)

    assert (
        "no change to a record of sales.order made its mapping fail\n  fix  let the model say what each field may be"
    ) == str(doubt.value)

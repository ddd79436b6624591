"""Each OVR check passes on a whole project with something counted, and fails on each way to mix levels up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from projects import Project

from connproof.documents import PLATFORM_BASE, Standing
from connproof.documents import read_json as read_document
from connproof.mapping import CompiledMapping, compile_mapping
from connproof.overrides import Layer, LayeredSource
from connproof.overrides import lay as lay_layer
from connproof.run import Engine, mapped
from pytest_connproof.finding import Finding, Inconclusive

FILE = "recordings/orders.json"
MODEL = "sales.order"
NORTH = "accounts/north.json"
FAULT = "fix       this is a fault of the engine, not of the connector: report it"


def _refuted(project: Project, check: str, target: str = "") -> Finding:
    with pytest.raises(Finding) as found:
        project.judge(check, target)
    return found.value


def _doubt(project: Project, check: str, target: str = "") -> str:
    with pytest.raises(Inconclusive) as doubt:
        project.judge(check, target)
    return str(doubt.value)


@pytest.mark.parametrize(
    ("check", "target", "evidence"),
    [
        ("OVR-001", "", {"values": 1, "lanes": 2, "records": 6}),
        ("OVR-002", "", {"accounts": 3, "lanes": 2, "readings": 14}),
        ("OVR-003", MODEL, {"fields": 1, "records": 1}),
        ("OVR-004", MODEL, {"fields": 13}),
    ],
)
def test_OVR_passes_with_counts(orders: Project, check: str, target: str, evidence: dict[str, int]) -> None:
    """A pass says how much it looked at."""
    assert evidence == orders.judge(check, target)


def test_OVR_passes_on_a_model_without_custom_fields(deals: Project) -> None:
    """Where all is mapped and nothing is left to map to, another field takes what one has: OVR-003."""
    assert {"fields": 1, "records": 1} == deals.judge("OVR-003", "crm.deal")


def test_OVR_passes_on_what_a_merge_patch_cannot_repeat(orders: Project) -> None:
    """A null means to remove there; everything else that may be overridden is repeated: OVR-001."""
    listing = "/resources/orders/list"
    orders.change("connector.json", f"{listing}/query", {"sort": "id"})
    orders.change("connector.json", f"{listing}/overridable", ["query.sort"])
    for page, query in enumerate(([], [["from", "n2"]], [["from", "n3"]])):
        orders.change(FILE, f"/lanes/0/exchanges/{page}/request/query", [["sort", "id"], *query])

    assert {"values": 2, "lanes": 2, "records": 6} == orders.judge("OVR-001")


# OVR-001


def _laid_otherwise(monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], Any]) -> None:
    """An engine that does something more to the document when it lays a layer on it."""
    real = lay_layer

    def lay(document: dict[str, Any], source: Any, layer: Layer) -> Any:
        merged, standing = real(document, source, layer)
        change(merged)
        return merged, standing

    monkeypatch.setattr("connproof.config.lay", lay)


def test_OVR_001_fails_on_a_field_that_is_lost(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Already an empty layer shows it."""
    _laid_otherwise(monkeypatch, lambda merged: merged["unified"][MODEL]["fields"].pop("total"))

    assert f"an empty layer changes the connector\n\n  changed   unified\n  {FAULT}" == str(_refuted(orders, "OVR-001"))


def test_OVR_001_fails_on_fields_in_another_order(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the fields is the config's too."""
    _laid_otherwise(
        monkeypatch,
        lambda merged: merged["unified"][MODEL].update(
            fields=dict(sorted(merged["unified"][MODEL]["fields"].items())[::-1])
        ),
    )

    assert "an empty layer changes the connector" == _refuted(orders, "OVR-001").what


def test_OVR_001_fails_on_an_engine_that_maps_layers_otherwise(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connectors are equal, and the records are not."""
    real = CompiledMapping.apply

    def apply(self: CompiledMapping, *args: Any, **kwargs: Any) -> Any:
        own = {rule.name for rule in self.mapping.fields if rule.level == PLATFORM_BASE}
        return {name: value for name, value in real(self, *args, **kwargs).items() if name in own}

    monkeypatch.setattr(CompiledMapping, "apply", apply)

    assert (
        "a layer that repeats the base changes what orders.list gives\n"
        "\n"
        "  without       complete, 5 records\n"
        "  with          complete, 5 records\n"
        "  first other   record 1"
    ) == str(_refuted(orders, "OVR-001"))


def test_OVR_001_fails_with_a_doubt_without_records(orders: Project) -> None:
    """No record shows that records stay the same."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][2:3])

    assert _doubt(orders, "OVR-001").startswith("no recording holds a record that is mapped\n")


# OVR-002


def test_OVR_002_fails_on_mappings_that_are_shared(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was compiled last decides for all: the example account reads with another's fields."""
    latest: dict[str, CompiledMapping] = {}
    real, apply = compile_mapping, CompiledMapping.apply

    def compiled(mapping: Any, **words: Any) -> CompiledMapping:
        latest[mapping.model] = real(mapping, **words)
        return latest[mapping.model]

    monkeypatch.setattr("connproof.run.mapped.compile_mapping", compiled)
    monkeypatch.setattr(
        CompiledMapping, "apply", lambda self, *args, **kw: apply(latest[self.mapping.model], *args, **kw)
    )

    assert (
        "what the probe reads depends on what others read\n"
        "\n"
        "  lane     orders.list\n"
        "  others   the example account, account north\n"
        "  fix      this is a fault of the engine, not of the connector: report it"
    ) == str(_refuted(orders, "OVR-002"))


def test_OVR_002_fails_on_readers_that_mix_in_turns(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other all is well; a read that another one begins in the middle of goes on as that one."""
    current: list[Any] = []
    real = mapped.Mapper.unified
    begin = Engine.pages

    def pages(self: Engine, *args: Any) -> Any:
        current[:] = [self._mapper]
        return begin(self, *args)

    monkeypatch.setattr(Engine, "pages", pages)
    monkeypatch.setattr(
        mapped.Mapper, "unified", lambda self, *args, **words: real(current[0] if current else self, *args, **words)
    )
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][:1])

    assert "what the example account reads depends on what others read" == _refuted(orders, "OVR-002").what


def test_OVR_002_fails_on_a_base_that_a_layer_changes(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer laid on a document that is kept stays on it."""
    kept: dict[str, Any] = {}
    real = read_document

    def read_json(data: bytes, name: str) -> Any:
        value, source = real(data, name)
        return (kept.setdefault(name, value), source) if name.endswith("connector.json") else (value, source)

    def lay(document: dict[str, Any], source: Any, layer: Layer) -> Any:
        merged, standing = real_lay(document, source, layer)
        document.update(merged)
        return document, standing

    real_lay = lay_layer
    monkeypatch.setattr("connproof.config.read_json", read_json)
    monkeypatch.setattr("connproof.config.lay", lay)

    assert "what the example account reads depends on what others read" == _refuted(orders, "OVR-002").what


def test_OVR_002_fails_with_a_doubt_where_no_layer_is_seen(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that drops all layers keeps accounts apart, and proves nothing: OVR-003 says what is wrong."""
    monkeypatch.setattr("connproof.config.lay", lambda document, source, _layer: (document, source))

    assert _doubt(orders, "OVR-002").startswith("the probe changed no record, so nothing could be seen by others\n")


# OVR-003


def test_OVR_003_fails_on_a_layer_that_is_dropped(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The member that was to be mapped, and the field that it does not reach."""
    monkeypatch.setattr("connproof.config.lay", lambda document, source, _layer: (document, source))

    assert (
        "a layer that maps region does not reach sales.order/custom_fields\n"
        "\n"
        "  lane         orders.get\n"
        "  read         complete\n"
        '  expression   {"region": region}'
    ) == str(_refuted(orders, "OVR-003", MODEL))


def test_OVR_003_fails_on_a_field_without_its_level(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that an account added and that says to be the platform's is looked for in vain."""
    monkeypatch.setattr(LayeredSource, "standing", lambda self, pointer: self._below.standing(pointer))

    found = _refuted(orders, "OVR-003", MODEL)

    assert "sales.order/custom_fields does not say that an account gave it" == found.what
    assert "level   platform base" in found.facts


def test_OVR_003_fails_on_a_null_that_removes_nothing(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7396: null removes."""
    real = lay_layer

    def lay(document: dict[str, Any], source: Any, layer: Layer) -> Any:
        data = layer.data if b"null" not in layer.data else json.dumps({"overrides": {}}).encode()
        return real(document, source, replace(layer, data=data))

    monkeypatch.setattr("connproof.config.lay", lay)

    found = _refuted(orders, "OVR-003", MODEL)

    assert "null does not take sales.order/custom_fields away" == found.what
    assert "has it   1 of 1 records" in found.facts


def test_OVR_003_fails_with_a_doubt_without_a_record(orders: Project) -> None:
    """There is no member to map."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][2:3])

    assert _doubt(orders, "OVR-003", MODEL).startswith(
        "no recording holds a record of sales.order with a member to map\n"
    )


# OVR-004


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: replace(one, level=PLATFORM_BASE), "level platform base"),
        (lambda one: replace(one, line=one.line + 1), "line "),
        (lambda one: replace(one, line=0), "line 0"),
        (lambda one: replace(one, document="connectors/orders/connector.json"), "document "),
    ],
)
def test_OVR_004_fails_on_an_overridden_field_with_a_wrong_standing(
    orders: Project, monkeypatch: pytest.MonkeyPatch, change: Callable[[Standing], Standing], says: str
) -> None:
    """Level, document and line: each leads somebody who asks to the wrong place."""
    real = LayeredSource.standing

    def standing(self: LayeredSource, pointer: str) -> Standing:
        one = real(self, pointer)
        return change(one) if one.level.startswith("account:") else one

    monkeypatch.setattr(LayeredSource, "standing", standing)

    found = _refuted(orders, "OVR-004", MODEL)

    assert "sales.order/custom_fields does not say what gave it" == found.what
    assert "under      account:probe\n" in found.facts
    assert f"says       {says}" in found.facts


def test_OVR_004_fails_on_a_field_of_the_base_that_a_layer_claims(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an account did not touch is the platform's."""
    monkeypatch.setattr(LayeredSource, "_gave", lambda _self, _pointer: True)

    found = _refuted(orders, "OVR-004", MODEL)

    assert "sales.order/id does not say what gave it" == found.what
    assert "given by   platform base   connectors/orders/connector.json" in found.facts


def test_OVR_004_fails_on_an_account_of_the_folder(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The accounts that lie in the folder are asked too, by their own file and line."""
    real = LayeredSource.standing

    def standing(self: LayeredSource, pointer: str) -> Standing:
        one = real(self, pointer)
        return replace(one, line=1) if one.level == "account:north" else one

    monkeypatch.setattr(LayeredSource, "standing", standing)

    found = _refuted(orders, "OVR-004", MODEL)

    assert "sales.order/title does not say what gave it" == found.what
    assert f"given by   account:north   connectors/orders/{NORTH}\n  says       line 1" in found.facts


def test_OVR_004_fails_with_a_doubt_without_a_record(orders: Project) -> None:
    """Fields are explained for a record."""
    orders.change(FILE, "/lanes", orders.read(FILE)["lanes"][2:3])

    assert _doubt(orders, "OVR-004", MODEL).startswith("no recording holds a record of sales.order")


def test_OVR_004_passes_on_custom_fields_that_a_layer_gives_in_part(orders: Project) -> None:
    """Of an object that two levels make together, it is the last one's."""
    orders.change("connector.json", "/unified/sales.order/custom_fields", {"from": {"keys": {"prefix": "x_"}}})
    orders.write(
        NORTH,
        {
            **orders.read(NORTH),
            "overrides": {"unified": {MODEL: {"custom_fields": {"from": {"keys": {"prefix": "reg"}}}}}},
        },
    )

    assert {"fields": 16} == orders.judge("OVR-004", MODEL)


def test_OVR_004_fails_with_a_doubt_on_a_layer_that_cannot_map_the_record(orders: Project) -> None:
    """An account's expression may want what the example account does not have; that is no wrong level."""
    overrides = {"unified": {MODEL: {"fields": {"title": "$error('only here')"}}}}
    orders.write(NORTH, {**orders.read(NORTH), "overrides": overrides})

    assert "sales.order/title of account:north fails on a record of orders.get" == _doubt(orders, "OVR-004", MODEL)

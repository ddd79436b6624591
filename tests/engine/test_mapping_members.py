"""What an expression reads is told from its text: never too little, and no more than it must."""

from __future__ import annotations

import pytest

from connproof.mapping.members import members_read
from connproof.mapping.values import ExpressionRefused

WHOLE = ((),)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a.b.c", (("a", "b", "c"),)),
        ("`a b`.c", (("a b", "c"),)),
        ("1", ()),
        ("$now()", ()),
        ("$account.id", ()),
        ("$", WHOLE),
        ("$.a", (("a",),)),
        ("$$.a.b", (("a", "b"),)),
        ('[a ? {"x": a}]', (("a",),)),
        ('p.(a or b) ? p.{"x": a, "y": c}', (("p", "a"), ("p", "b"), ("p", "c"))),
        ('p.n in [null, ""] ? null : $number(p.n)', (("p", "n"),)),
        ("a ?? b", (("a",), ("b",))),
        ("a.$string(b)", (("a", "b"),)),
        ("email.$contains('@')", (("email",),)),
        ("a ~> $uppercase()", (("a",),)),
        ("orders[status='open'].lines[0].sku", (("orders", "lines", "sku"), ("orders", "status"))),
        ("orders^(>date).id", (("orders", "date"), ("orders", "id"))),
        ("orders{id: total}", (("orders", "id"), ("orders", "total"))),
        ("orders@$o.items[$o.id=id].n", (("items", "id"), ("items", "n"), ("orders", "id"))),
        ("orders#$i.name", (("orders", "name"),)),
        ("$map(orders, function($o){ $o.id })", (("orders", "id"),)),
        ("orders ~> $map(function($o){$o.x})", (("orders", "x"),)),
        ("$filter(orders, function($o){ $o.ok }).id", (("orders", "id"), ("orders", "ok"))),
        ("$sort(o, function($l,$r){$l.p > $r.p}).q", (("o", "p"), ("o", "q"))),
        ("$lookup(p, 'x')", (("p", "x"),)),
        ("($x := a.b; $x.c)", (("a", "b", "c"),)),
        ("[a,b].c", (("a", "c"), ("b", "c"))),
        ("-a + b", (("a",), ("b",))),
        ("a & a.b", (("a",),)),
    ],
)
def test_members_that_an_expression_reads(expression: str, expected: tuple[tuple[str, ...], ...]) -> None:
    """A path is read with all below it; what a condition, a filter or an order looks at is read too."""
    assert set(expected) == members_read(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("p.*", (("p",),)),
        ("p.**.x", (("p",),)),
        ("**.x", WHOLE),
        ("$lookup(p, k)", (("k",), ("p",))),
        ("$keys(p)", (("p",),)),
        ("orders.(%.id)", WHOLE),
        ("$each(p, function($v, $k){$k})", WHOLE),
        ("($f := function($x){$x.a}; $f(b))", WHOLE),
        ('a ~> |b|{"c": d}|', WHOLE),
    ],
)
def test_what_is_read_by_a_name_that_only_the_record_knows(
    expression: str, expected: tuple[tuple[str, ...], ...]
) -> None:
    """Where the text does not say which members are read, all that stand there are."""
    assert set(expected) == members_read(expression)


def test_text_that_is_no_expression_is_refused() -> None:
    """It reads nothing that could be told."""
    with pytest.raises(ExpressionRefused):
        members_read("a.(")

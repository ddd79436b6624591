"""JSONata text to a compiled expression, and a record through it to a value of our own.

The only module that touches jsonata-python. Nothing that the library did leaves it: no null marker,
no list subclass, no function, no reference into the record. Its exceptions do: `cause_of` words them.

Native calls such as `$pad` do not look at the clock, so a stranger's expression is evaluated in a process that
can be killed; see `apart`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_recursion_limit = sys.getrecursionlimit()
from jsonata.functions import Functions  # noqa: E402 - the limit above must be read first
from jsonata.jexception import JException  # noqa: E402 - as above
from jsonata.jsonata import Jsonata  # noqa: E402 - as above
from jsonata.parser import Parser  # noqa: E402 - as above
from jsonata.utils import Utils  # noqa: E402 - as above

sys.setrecursionlimit(_recursion_limit)  # importing the library sets it to 10,000 for the whole process

from connproof.clock import Clock  # noqa: E402 - as above
from connproof.mapping.instants import InstantWrong, date, instant  # noqa: E402 - as above
from connproof.mapping.patterns import Pattern, PatternWrong  # noqa: E402 - as above
from connproof.mapping.values import ExpressionRefused, NotJson, owned  # noqa: E402 - as above
from connproof.places import ABSENT, Absent, JsonValue  # noqa: E402 - as above

__all__ = ["MOST_CHARACTERS", "MOST_NESTING", "Expression", "Scope", "cause_of", "parsed"]

MOST_CHARACTERS: Final = 20_000
MOST_NESTING: Final = 100
_STEPS_PER_CHARACTER: Final = 3  # expressions take one at most, but for defaults inside the left sides of defaults
_INSERT: Final = re.compile(r"\{+\w+\}+")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Expression:
    """One compiled expression."""

    __slots__ = ("_engine",)

    def __init__(self, text: str) -> None:
        """Compile. Raises ExpressionRefused."""
        self._engine = _Engine("null")
        self._engine.ast = parsed(text)
        # Records come from our own decoder and results go through `owned`: both walks would be for nothing.
        self._engine.set_validate_input(False)
        self._engine.set_output_convert_nulls(False)

    def evaluate(self, record: JsonValue, frame: Any) -> JsonValue | Absent:
        """What the expression gives for a record: a value of our own, or ABSENT. Raises anything."""
        if not isinstance(getattr(Jsonata.CURRENT, "jsonata", None), _Engine):
            Jsonata.CURRENT.jsonata = copy(self._engine)  # whichever engine this thread made last would evaluate
        result = self._engine.evaluate(record, frame)
        return ABSENT if result is None else owned(result, Utils.NULL_VALUE)


class _Engine(Jsonata):  # type: ignore[misc]  # the library has no types
    """The library's engine, kept from two side effects: it changes records, and it prints their values."""

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:  # noqa: A002 - its name there
        if not self.is_function_like(proc):
            raise JException("T1006", -1)  # the library would print `proc` first
        return super().apply_inner(proc, args, input, environment)

    def evaluate_group_expression(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002 - as above
        own = [] if isinstance(input, list) and not input else input  # it appends to an empty list
        return super().evaluate_group_expression(expr, own, environment)


class Scope:
    """What an expression sees besides the record: our own functions, and the bindings."""

    __slots__ = ("_bindings", "_clock", "_milliseconds")

    def __init__(self, clock: Clock, bindings: Mapping[str, JsonValue], milliseconds: int) -> None:
        self._clock = clock
        self._milliseconds = milliseconds
        own = {"id": _exact_id, "instant": _of_a_value(instant), "date": _of_a_value(date)}
        self._bindings: dict[str, Any] = {**{name: Jsonata.JLambda(each) for name, each in own.items()}, **bindings}

    def frame(self) -> Any:
        """A new frame for one record: time stands still in it, and it ends after `milliseconds`.

        There is no depth bound: the library counts every array constructor as a level that never ends,
        so that a long record would fail; real recursion meets the interpreter's own limit.
        """
        frame = Jsonata.Frame(None)
        frame.bindings.update(self._bindings)
        moment: list[int] = []

        def millis() -> int:
            if not moment:
                moment.append((self._clock.now() - _EPOCH) // timedelta(milliseconds=1))
            return moment[0]

        def now(picture: str | None = None, timezone: str | None = None) -> Any:
            return Functions.datetime_from_millis(millis(), picture, timezone)

        frame.bindings["millis"] = Jsonata.JLambda(millis)
        frame.bindings["now"] = Jsonata.JLambda(now)
        frame.set_runtime_bounds(self._milliseconds, None)
        return frame


def cause_of(error: Exception) -> str:
    """What the library objected to, without a value: its texts quote the record."""
    if isinstance(error, JException):
        words = _INSERT.sub("...", str(JException.error_codes.get(error.error, "")))
        return f"{words} (JSONata error {error.error})"
    if isinstance(error, _NotAnId | InstantWrong | NotJson | PatternWrong):
        return str(error)
    return f"{type(error).__name__} inside JSONata"


def _of_a_value(function: Callable[..., str | None]) -> Callable[..., Any]:
    """A function as JSONata calls it: of nothing it gives nothing, of null it gives null."""

    def called(value: Any, *rest: Any) -> Any:
        if value is None or value is Utils.NULL_VALUE:
            return value
        given = function(value, *rest)
        return Utils.NULL_VALUE if given is None else given

    return called


class _NotAnId(TypeError):
    pass


def _exact_id(value: Any) -> Any:
    """An id as text, every digit kept: `$string` rounds integers from 1e15 up. Null and nothing pass."""
    if value is None or value is Utils.NULL_VALUE or value.__class__ is str:
        return value
    if value.__class__ is int:
        return str(value)
    seen = "list" if isinstance(value, list) else value.__class__.__name__
    raise _NotAnId(f"$id takes an integer or a string and was given a {seen}")


def parsed(text: str) -> Any:
    """The library's tree of an expression. Raises ExpressionRefused."""
    if len(text) > MOST_CHARACTERS:
        raise ExpressionRefused(f"the expression has {len(text)} characters; at most {MOST_CHARACTERS} are read")
    try:
        # The line end: the library cannot read a comment that stands at the very end.
        return _StrictParser(100 + _STEPS_PER_CHARACTER * len(text)).parse(text + "\n", _pattern)
    except ExpressionRefused:
        raise
    except JException as error:
        raise ExpressionRefused(f"{error} ({error.error}, character {error.location})") from error
    except PatternWrong as error:
        hint = "patterns are RE2: no look-around, no back-reference"
        raise ExpressionRefused(f"a pattern cannot be compiled: {error}", hint) from error
    except Exception as error:  # the parser raises IndexError, KeyError, RecursionError and more
        raise ExpressionRefused(f"not a JSONata expression ({type(error).__name__} in the parser)") from error


class _StrictParser(Parser):  # type: ignore[misc]  # the library has no types
    """The library's parser, refusing what it would get wrong and what a mapping may not say.

    `a ?? b` and `a ?: b` put the one node `a` into the tree twice and process it twice, which applies
    its predicates twice and turns its negative numbers positive: a wrong value, and no error. Of defaults inside
    the left sides of defaults each doubles the work, so that it has to be counted.
    """

    def __init__(self, most_steps: int) -> None:
        super().__init__()
        self._most_steps = most_steps
        self._nesting = 0
        self._steps = 0
        self._left_sides: set[int] = set()
        self._inside_left_sides = 0

    def expression(self, rbp: int) -> Any:
        self._go_deeper()
        parsed = super().expression(rbp)
        self._nesting -= 1
        return parsed

    def process_ast(self, expr: Any) -> Any:
        if expr is None:
            return None
        self._go_deeper()
        self._steps += 1
        if self._steps > self._most_steps:
            raise ExpressionRefused(
                f"reading the expression takes more than {self._most_steps} steps",
                "write defaults one after the other, not one inside the left side of another",
            )
        if expr.type == "condition" and _has_default(expr):
            self._left_sides.add(id(expr.then))
        is_left_side = id(expr) in self._left_sides
        self._inside_left_sides += is_left_side
        self._check(expr)
        processed = super().process_ast(expr)
        self._inside_left_sides -= is_left_side
        self._nesting -= 1
        return processed

    def _go_deeper(self) -> None:
        self._nesting += 1
        if self._nesting > MOST_NESTING:
            raise ExpressionRefused(f"the expression is nested more than {MOST_NESTING} levels deep")

    def _check(self, expr: Any) -> None:
        if expr.type == "variable" and expr.value == "eval":
            raise ExpressionRefused("$eval is not allowed", "write the expression itself")
        if not self._inside_left_sides:
            return
        if expr.type == "binary" and expr.value == "[":
            what = "a predicate or an index"
        elif expr.type == "unary" and expr.value == "-" and expr.expression.type == "number":
            what = "a negative number"
        else:
            return
        message = f"{what} on the left of ?? or ?: gives a wrong value (character {expr.position})"
        raise ExpressionRefused(message, "write ($x := <the left side>; $x ?? <the right side>)")


def _has_default(condition: Any) -> bool:
    """Whether this is a `??` or a `?:`, whose two branches are one node; not `if ? then : else`."""
    test = condition.condition
    return test is condition.then or bool(test.arguments and test.arguments[0] is condition.then)


def _pattern(pattern: str, flags: Any) -> Pattern:
    return Pattern(pattern, ignore_case=flags.case_insensitive, multiline=flags.multiline)

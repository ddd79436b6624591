"""Which members of a record an expression reads, told from its text alone.

The answer may be too much, never too little: where an expression reads by a name that only the record knows
(`*`, `**`, `$lookup` with a computed key, a function kept for later), it reads all that stands there. A step into
a list is no step of a path: `orders.id` is ("orders", "id"), whether orders is one or many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from connproof.mapping.paths import member_names

__all__ = ["Names", "members_read"]

Names: TypeAlias = tuple[str, ...]
_Values: TypeAlias = frozenset[Names]  # the places of the record that a value may come from

_NOTHING: Final[_Values] = frozenset()
_RECORD: Final[_Values] = frozenset({()})
_MOST_PLACES: Final = 1_000  # alternatives multiply with each step: `(x ? a : b).(x ? a : b)` has four
_LITERALS: Final = frozenset({"string", "number", "value", "regex"})

# Functions that hand the elements of their first argument to their second, and whether they give back what that one
# gives or the elements. `True` of a parameter: it is an element; the others are positions.
_OVER_ELEMENTS: Final[Mapping[str, tuple[bool, tuple[bool, ...]]]] = MappingProxyType(
    {
        "map": (True, (True, False, True)),
        "filter": (False, (True, False, True)),
        "single": (False, (True, False, True)),
        "sort": (False, (True, True)),
        "reduce": (True, (True, True, False, True)),
    }
)
_OF_NO_RECORD: Final = frozenset({"now", "millis", "random"})


def members_read(expression: str) -> frozenset[Names]:
    """The paths of a record that the expression reads, each with all that stands below it; () is the whole record.

    Nothing is told twice: of a path and one inside it, the outer. Raises ExpressionRefused.
    """
    names = member_names(expression)
    if names is not None:
        return frozenset({names})
    from connproof.mapping.jsonata import parsed  # the library takes long to load

    reading = _Reading()
    reading.use(reading.values(parsed(expression), _RECORD))
    return frozenset(path for path in reading.read if not any(path[:n] in reading.read for n in range(len(path))))


class _Reading:
    """One walk over an expression: `values` says where what a node gives comes from, `use` that it matters."""

    def __init__(self) -> None:
        self.read: set[Names] = set()
        self._variables: dict[str, _Values] = {}

    def use(self, values: Iterable[Names]) -> None:
        self.read.update(values)

    def values(self, node: Any, here: _Values) -> _Values:
        """Where the value of a node comes from, if `here` is where its input does."""
        found = self._own(node, here)
        if node.focus is not None:  # `a@$x`: the value is kept, the input stays what it was
            self._variables[node.focus] = found
            found = here
        if node.index is not None and node.type != "parent":
            self._variables[node.index] = _NOTHING
        for stage in [*(node.predicate or ()), *(node.stages or ())]:
            if stage.type == "filter":
                self.use(self.values(stage.expr, found))
            else:
                self._variables[stage.value] = _NOTHING
        if node.group is not None:
            for side in _sides(node.group.lhs_object):
                self.use(self.values(side, found))
            return _NOTHING
        return found

    def _own(self, node: Any, here: _Values) -> _Values:
        if node.type in _LITERALS:
            return _NOTHING
        match node.type:
            case "name" if len(here) > _MOST_PLACES:
                self.use(_RECORD)
                return _NOTHING
            case "name":
                return frozenset((*path, node.value) for path in here)
            case "variable":
                return {"": here, "$": _RECORD}.get(node.value) or self._variables.get(node.value, _NOTHING)
            case "path":
                for number, step in enumerate(node.steps):
                    here = self._called(step, here, step=number > 0) if _is_call(step) else self.values(step, here)
                return here
            case "function":
                return self._called(node, here, step=False)
            case "binary":
                self._use_each((node.lhs, node.rhs), here)
                return _NOTHING
            case "unary" if str(node.value) == "[":
                return _NOTHING.union(*(self.values(one, here) for one in node.expressions))
            case "unary" if str(node.value) == "{":
                self._use_each(_sides(node.lhs_object), here)
                return _NOTHING
            case "unary":
                self._use_each((node.expression,), here)
                return _NOTHING
            case "condition":
                self._use_each((node.condition,), here)
                other = _NOTHING if node._else is None else self.values(node._else, here)  # noqa: SLF001 named after a keyword
                return self.values(node.then, here) | other
            case "block":
                each = [self.values(one, here) for one in node.expressions]
                return each[-1] if each else _NOTHING
            case "bind":
                self._variables[node.lhs.value] = found = self.values(node.rhs, here)
                return found
            case "sort":
                self._use_each((term.expression for term in node.terms), here)
                return here
            case "wildcard" | "descendant":
                self.use(here)
                return _NOTHING
            case "apply" if node.rhs.type == "function":
                return self._called(node.rhs, here, step=False, first=node.lhs)
            case "lambda" if not node.arguments:
                return self.values(node.body, here)
            case _:  # a parent, a function kept for later, a transform: what is read is known when it runs
                self.use(_RECORD)
                return _NOTHING

    def _called(self, node: Any, here: _Values, *, step: bool, first: Any = None) -> _Values:
        name: str = node.procedure.value if node.procedure.type == "variable" else ""
        arguments = [*([] if first is None else [first]), *node.arguments]
        if name in _OVER_ELEMENTS and len(arguments) > 1 and arguments[1].type == "lambda":
            return self._over_elements(name, arguments, here)
        if name == "lookup" and len(arguments) == 2 and arguments[1].type == "string":
            return frozenset((*path, arguments[1].value) for path in self.values(arguments[0], here))
        if not name:
            self.use(self.values(node.procedure, here))
        # `email.$contains("@")` takes what it lacks from its input.
        if step and name not in _OF_NO_RECORD and all(one.type in _LITERALS for one in arguments):
            self.use(here)
        self._use_each(arguments, here)
        return _NOTHING

    def _over_elements(self, name: str, arguments: Sequence[Any], here: _Values) -> _Values:
        gives_results, are_elements = _OVER_ELEMENTS[name]
        elements = self.values(arguments[0], here).union(*(self.values(one, here) for one in arguments[2:]))
        taken = arguments[1]
        for parameter, is_element in zip(taken.arguments, are_elements, strict=False):
            self._variables[parameter.value] = elements if is_element else _NOTHING
        results = self.values(taken.body, here)
        if gives_results:
            return results
        self.use(results)
        return elements

    def _use_each(self, nodes: Iterable[Any], here: _Values) -> None:
        for node in nodes:
            self.use(self.values(node, here))


def _is_call(node: Any) -> bool:
    """Whether a step of a path is a bare call: one with stages or a group is looked at as a whole."""
    return node.type == "function" and not (node.stages or node.predicate or node.group or node.focus or node.index)


def _sides(pairs: Iterable[Sequence[Any]]) -> Iterable[Any]:
    return (side for pair in pairs for side in pair)

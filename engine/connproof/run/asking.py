"""What a call asks for, and of whom: the operation, its mapping, and the draft of its first request."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

from connproof.config import BRACES
from connproof.draft import Draft, segment
from connproof.errors import CallWrong
from connproof.links import filled, origin
from connproof.model import Account, Connector, Headers, Operation, Pagination, Query, UnifiedMapping, Variable
from connproof.pagination import template_names
from connproof.places import ABSENT, Absent, JsonValue
from connproof.run.calls import Call
from connproof.schemas import nearest

__all__ = ["Asking", "Target", "fitting", "page_size"]

Target: TypeAlias = tuple[Operation, UnifiedMapping | None]


class Asking:
    """A connector with an account's variables: turns calls into drafts. Nothing is sent here."""

    def __init__(self, connector: Connector, account: Account) -> None:
        """Raises CallWrong where the account lacks a variable of base_url, or has one that its pattern refuses."""
        self.connector = connector
        self.variables = _variables(connector, account)
        self._account = account
        self.base_url = self._base_url()

    def target(self, target: str, operation: str | None, *, raw: bool = False) -> Target:
        """The operation that a target means, and what maps its records. Raises CallWrong."""
        connector = self.connector
        mapping: UnifiedMapping | None = None
        if target in connector.unified:
            mapping = connector.unified[target]
            resource = connector.resources[mapping.resource]
        elif target in connector.resources:
            resource = connector.resources[target]
            models = connector.models_of(target)
            if len(models) > 1 and not raw:
                raise CallWrong(
                    f'several unified models are mapped from "{target}"',
                    facts={"models": ", ".join(model.model for model in models)},
                    fix="ask for one of the models, or for raw records",
                )
            mapping = models[0] if models else None
        else:
            known = [*connector.resources, *connector.unified]
            raise CallWrong(f'{connector.name} has no resource "{target}"', fix=nearest(target, known))
        name = operation or "list"
        if name not in resource.operations:
            raise CallWrong(
                f'{connector.name}.{resource.name} has no operation "{name}"', fix=nearest(name, resource.operations)
            )
        return resource.operations[name], mapping

    def draft(self, operation: Operation, call: Call) -> Draft:
        """The draft of an operation's first request, unsigned. Raises CallWrong for a parameter missing or unknown."""
        connector, filled = self.connector, set[str]()

        def fill(name: str) -> str:
            filled.add(name)
            if name in connector.variables:
                return segment(name, self._variable(name))
            if name not in call.params:
                raise CallWrong(
                    f'{connector.name}.{operation.id} needs the parameter "{name}"',
                    facts={"path": operation.path},
                    fix=f"pass {name}",
                )
            return segment(name, call.params[name])

        version = connector.api_version
        path = operation.path.replace("{api_version}", version.value) if version else operation.path
        paged = template_names(operation.pagination)
        path = BRACES.sub(lambda found: found[0] if found[1] in paged else fill(found[1]), path)
        texts = _texts(operation)
        fills = {name: value for name, value in call.params.items() if f"{{{name}}}" in texts}
        if unknown := [name for name in call.params if name not in filled and name not in fills]:
            raise CallWrong(
                f'{connector.name}.{operation.id} has no parameter "{unknown[0]}"',
                fix=nearest(unknown[0], BRACES.findall(texts)) if "{" in texts else "leave it out",
            )
        fills |= self._known(texts)
        own = Draft(
            operation.method,
            self.base_url + path,
            operation.query,
            operation.headers,
            operation.body if isinstance(call.body, Absent) else call.body,
            encode=operation.encode,
        ).filled(fills)
        own = replace(own, query=(*own.query, *call.query), long_url=operation.long_url)
        for where, name, value in call.placements:
            own = own.placed(where, name, value)
        finds = frozenset(one.name for one in connector.variables.values() if one.operation == operation.id)
        return self.with_commons(own, without=finds)

    def raw(self, method: str, path: str, query: Query, headers: Headers) -> Draft:
        """The draft of any request below base_url, or to a whole URL. Raises CallWrong."""
        url = f"{self.base_url}{path}" if path.startswith("/") else path
        try:
            origin(url)
        except ValueError as wrong:
            raise CallWrong(
                f"not a path: {wrong}",
                fix="start it with a slash, or give a whole URL; encode what may not stand there",
            ) from None
        return self.with_commons(Draft(method.upper(), url, query, tuple((n.lower(), v) for n, v in headers)))

    def with_commons(self, draft: Draft, *, without: frozenset[str] = frozenset()) -> Draft:
        """The draft with what every request has: the connector's headers, query and version. Its own win.

        What names a variable that this very request is to find out is left out.
        """
        connector = self.connector
        headers = {name: text for name, text in connector.headers if not without.intersection(BRACES.findall(text))}
        query = [pair for pair in connector.query if not without.intersection(BRACES.findall(pair[1]))]
        version = connector.api_version
        if version and version.name and version.place == "header":
            headers[version.name.lower()] = version.value
        if version and version.name and version.place == "query":
            query.append((version.name, version.value))
        common = Draft(draft.method, draft.url, tuple(query), tuple(headers.items()))
        common = common.filled(self._known("\n".join(value for _, value in (*query, *headers.items()))))
        headers = {**dict(common.headers), **dict(draft.headers)}
        return replace(draft, headers=tuple(headers.items()), common=common.query)

    def _known(self, texts: str) -> dict[str, str]:
        """The variables and the version that these texts name in braces."""
        if "{" not in texts:
            return {}
        version = self.connector.api_version
        known = {"api_version": version.value} if version else {}
        named = (name for name in self.connector.variables if f"{{{name}}}" in texts)
        return known | {name: self._variable(name) for name in named}

    def _variable(self, name: str) -> str:
        if name not in self.variables:
            raise _missing(self.connector, self._account, self.connector.variables[name])
        return self.variables[name]

    def _base_url(self) -> str:
        connector = self.connector
        names = set(BRACES.findall(connector.base_url)) - {"api_version"}
        values = {name: self._variable(name) for name in connector.variables if name in names}
        if connector.api_version:
            values["api_version"] = connector.api_version.value
        host = BRACES.findall(connector.base_url.partition("//")[2].partition("/")[0])
        for name in set(host) & connector.variables.keys():
            values[name] = connector.variables[name].for_host(values[name])
        try:
            return filled(connector.base_url, values).rstrip("/")
        except ValueError as wrong:
            raise CallWrong(f"base_url with the account's variables is not a URL: {wrong}") from None


def page_size(paging: Pagination, call: Call, operation: Operation) -> int | None:
    """The page size that a call means, None where none is sent. Raises CallWrong for one that is not allowed."""
    size = call.page_size
    if size is None:
        return paging.default_page_size
    if paging.page_size_param is None:
        raise CallWrong(
            f"{operation.id} has no page size", facts={"config": f"{paging.pointer} has no page_size_param"}
        )
    if size < paging.min_page_size or (paging.max_page_size is not None and size > paging.max_page_size):
        bounds = f"{paging.min_page_size} to {paging.max_page_size or 'any'}"
        raise CallWrong(f"{operation.id} has no page size {size}", facts={"allowed": bounds})
    return size


def _variables(connector: Connector, account: Account) -> dict[str, str]:
    """The account's variables that the connector declares, each held against its pattern."""
    values: dict[str, str] = {}
    for name, variable in connector.variables.items():
        value = account.variables.get(name)
        if value is not None:
            values[name] = _matching(variable, value, f'of the account "{account.name}" ')
    return values


def fitting(variable: Variable, document: JsonValue | Absent) -> str:
    """A variable's value in the answer that discovers it. Raises CallWrong for none, or one its pattern refuses."""
    assert variable.path is not None, "the schema says so"
    found = ABSENT if isinstance(document, Absent) else variable.path.find(document)
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise CallWrong(
            f'the answer of {variable.operation} has no value for the variable "{variable.name}"',
            facts={"looked for at": str(variable.path)},
            fix="correct its path; or give the account's own value in its account file",
        )
    return _matching(variable, str(found), "")


def _matching(variable: Variable, value: str, whose: str) -> str:
    import re2  # most connectors have no variable, and no use for it

    if not re2.fullmatch(variable.pattern, value):
        raise CallWrong(
            f'the variable "{variable.name}" {whose}does not match its pattern',
            facts={"pattern": variable.pattern, **({} if variable.secret else {"seen": value})},
        )
    return value


def _missing(connector: Connector, account: Account, variable: Variable) -> CallWrong:
    needed = "/base_url" if f"{{{variable.name}}}" in connector.base_url else f"/variables/{variable.name}"
    return CallWrong(
        f'the account "{account.name}" has no variable "{variable.name}"',
        facts={"needed by": f"{connector.source.name} {needed}"},
        fix=f'add "{variable.name}" to the variables of the account file',
    )


@lru_cache(maxsize=1024)
def _texts_of(path: str, query: Query, headers: Headers, body: str) -> str:
    return "\n".join([path, *(value for _, value in (*query, *headers)), body])


def _texts(operation: Operation) -> str:
    body = "" if isinstance(operation.body, Absent) else json.dumps(operation.body)
    return _texts_of(operation.path, operation.query, operation.headers, body)

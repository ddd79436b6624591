"""Tell, in the connector's own README, what it is, and what is still to fill: where, and which check asks for it.

What nobody said is not made up: it stands in the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pytest_connproof.scaffold.document import Answers, fill_body, variables_of

__all__ = ["readme_of"]

_SIGNED: Final = {
    "none": "Requests are not signed.",
    "api_key": "Requests carry an API key.",
    "basic": "Requests are signed by HTTP Basic.",
    "bearer": "Requests carry a bearer token, which is not refreshed.",
    "oauth2": "Requests carry an OAuth 2 access token.",
    "oauth1": "Requests are signed by OAuth 1.0a, HMAC-SHA256.",
    "ws_security": "Requests carry a WS-Security UsernameToken in a SOAP envelope.",
    "session": "Requests carry the token that a login gives.",
}
_PAGED: Final = {
    "cursor": "the answer names a cursor, which the next request sends back",
    "offset": "requests count records",
    "page": "requests count pages",
    "link_header": "a Link header names the next page",
    "next_url": "the answer names the URL of the next page",
    "keyset": "the next request names a key of the page before",
    "none": "one answer is the whole listing",
}


def readme_of(answers: Answers, unmapped: Sequence[str]) -> str:
    """The text. `unmapped` are the fields of the unified model that nothing gives yet."""
    resource, model = answers["resource"], answers["model"]
    operations = "list and get" if answers["get_path"] else "list"
    mapped = f", mapped to `{model}`" if model else ""
    rows = [f"| {what} | {where} | {asked} |" for what, where, asked in _to_fill(answers, unmapped)]
    lines = [
        f"# {answers['connector']}",
        "",
        f"`{resource}` ({operations}){mapped}. {_SIGNED[answers['auth']]} Pages: {_PAGED[answers['pagination']]}.",
        "",
        "Written by `connproof new` from what was answered there; nothing of it was tried against the provider yet.",
        "",
        "## To fill",
        "",
        "Take out each line that is done, or that the provider does not have.",
        "",
        "| what | where | who asks for it |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _to_fill(answers: Answers, unmapped: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    paged = answers["pagination"] != "none"
    if fill_body(answers):
        yield (
            "the request inside the envelope, and where the position of a page stands in it",
            "`body`, `page_in`",
            "RPL-002",
        )
        yield "which elements are lists however many there are, and which are booleans", "`decode`", "RPL-005, DRF-001"
    yield (
        "traffic: a first, a middle and a last page, an empty listing, an error, a throttle"
        if paged
        else "traffic: a listing, an empty one, an error, a throttle",
        "`recordings/`, by `connproof import`",
        "RPL-001, RPL-006" if paged else "RPL-001",
    )
    yield "what the code returns that this replaces", "`snapshots/`, by `connproof baseline`", "PAR-001"
    yield (
        "the shape of the answers",
        f"`contract/`, by `connproof drift {answers['connector']} --update`",
        "DRF-001 to DRF-003, PAG-007",
    )
    if not answers["key"]:
        yield "where a record's id stands in it", "`key`", "PAR-001 pairs records by it"
    if answers["auth"] == "oauth2" and answers["grant"] == "refresh_token":
        yield "traffic in which the token is refreshed", "`recordings/`, by `connproof import`", "TOK-005"
        yield "what becomes of a refresh token that was used", "`rotation`", "TOK-001 to TOK-004 play the strictest"
        yield "the provider's own codes for a grant that is gone", "`revoked_when`", "TOK-005, of a recorded refusal"
    if answers["auth"] == "session":
        yield "how long a session lives", "`lifetime_s`", "nobody"
    yield "what a throttle looks like, and where quotas are told", "`rate_limit`", "LIM-001, LIM-002"
    yield (
        "where an error names its code and its words, and errors that look like successes",
        "`error_code`, `error_message`, `errors`",
        "ERR-001, ERR-002",
    )
    if paged:
        yield (
            "the largest page, and what else is known of how the provider pages",
            "`max_page_size`, `provider_facts`",
            "PAG-001 plays both ways",
        )
    if names := variables_of(answers):
        yield f"what {', '.join(f'`{name}`' for name in names)} may look like", "`pattern`", "nobody"
    yield "the provider's API version, where it is sent, and its end", "`api_version`", "REC-005, VER-001 to VER-003"
    if unmapped:
        yield (
            f"the fields {', '.join(f'`{name}`' for name in unmapped)}",
            "`unified`",
            "nobody: what is not mapped is absent",
        )
    yield "who answers for it, and where the provider documents its API", "`owner`, `title`, `docs`", "nobody"

"""Turn answers into a connector's documents: its config, and its example account.

Only what was answered is written. What nobody said, such as rate limits, what becomes of a used refresh token, or
where an error names its code, is left out, so that the language's own defaults hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from connproof.config import BRACES, CREDENTIALS

__all__ = ["Answers", "account_of", "connector_of", "default_prefix", "fill_body", "variables_of"]

Answers: TypeAlias = Mapping[str, str]  # by the question's name; "" where it was left out

# What stands in a host may lead nowhere else; what stands in a path is held there by the engine.
_VARIABLE_PATTERN: Final = "[A-Za-z0-9_-]+"
_REQUEST_TO_FILL: Final = "<!-- the request -->"
_ENVELOPE: Final = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    f"<soapenv:Header>{{ws_security}}</soapenv:Header><soapenv:Body>{_REQUEST_TO_FILL}</soapenv:Body></soapenv:Envelope>"
)
_NUMBERS: Final = frozenset({"default_page_size", "first_page"})
# The words of each type of pagination, by the question that gives them.
_PAGING_WORDS: Final[Mapping[str, str]] = {
    "cursor_field": "cursor_field",
    "cursor_param": "cursor_param",
    "offset_param": "offset_param",
    "page_param": "page_param",
    "first_page": "first_page",
    "link_rel": "rel",
    "next_url_field": "next_url_field",
    "keyset_field": "key_field",
    "keyset_param": "key_param",
    "page_size_param": "page_size_param",
    "page_size": "default_page_size",
}


def connector_of(answers: Answers, fields: Mapping[str, str]) -> dict[str, Any]:
    """The config that the answers say. `fields` are the expressions of the unified model, if one was named."""
    operation = _operation(answers, answers["path"], answers["response_path"])
    operations = {"list": operation}
    if answers.get("get_path"):
        operations["get"] = _operation(answers, answers["get_path"], answers["get_response_path"])
    variables = variables_of(answers)
    return {
        "connector": answers["connector"],
        "base_url": answers["base_url"].rstrip("/"),
        **({"variables": {name: {"pattern": _VARIABLE_PATTERN} for name in variables}} if variables else {}),
        "auth": _auth(answers),
        **({"decode": {"type": "xml"}} if answers["auth"] == "ws_security" else {}),
        "pagination": _pagination(answers),
        "resources": {answers["resource"]: operations},
        **({"unified": {answers["model"]: {"resource": answers["resource"], "fields": fields}}} if fields else {}),
    }


def account_of(answers: Answers) -> dict[str, Any]:
    """The account that recordings are replayed as: every credential that the auth reads, each one an example."""
    variables = variables_of(answers)
    credentials: dict[str, Any] = {}
    for path in _credentials(answers):
        *above, last = path.split(".")
        here = credentials
        for name in above:
            here = here.setdefault(name, {})
        here[last] = f"example-{last.replace('_', '-')}"
    return {
        "name": "example",
        "credentials": credentials,
        **({"variables": dict.fromkeys(variables, "example")} if variables else {}),
    }


def variables_of(answers: Answers) -> list[str]:
    """The names in braces that an account gives a value: those in addresses."""
    urls = (answers.get("base_url", ""), answers.get("token_url", ""), answers.get("login_url", ""))
    return list(dict.fromkeys(name for url in urls for name in BRACES.findall(url)))


def fill_body(answers: Answers) -> bool:
    """Whether the request's own body is still to be written."""
    return answers["auth"] == "ws_security"


def _operation(answers: Answers, path: str, response_path: str) -> dict[str, Any]:
    said: dict[str, Any] = {"method": "GET", "path": path}
    if answers["auth"] == "ws_security":  # a SOAP envelope is what carries it
        said = {"method": "POST", "path": path, "encode": "xml", "body": _ENVELOPE}
    if response_path not in {"", "$"}:
        said["response_path"] = response_path
    if answers.get("key"):
        said["key"] = answers["key"]
    return said


def _pagination(answers: Answers) -> dict[str, Any]:
    said: dict[str, Any] = {"type": answers["pagination"]}
    for question, word in _PAGING_WORDS.items():
        if text := answers.get(question):
            said[word] = int(text) if word in _NUMBERS else text
    return said


def _auth(answers: Answers) -> dict[str, Any]:
    said: dict[str, Any] = {"type": answers["auth"]}
    match answers["auth"]:
        case "api_key":
            said |= {"in": answers["key_in"], "name": answers["key_name"]}
        case "basic":
            said |= {"username": answers["username"], "password": answers["password"]}
        case "oauth2":
            said["token"] = _token(answers)
        case "oauth1" if answers["realm"]:
            said["realm"] = answers["realm"]
        case "session":
            params = {name: f"{{{credential}}}" for name, credential in _login_params(answers).items()}
            login = {"url": answers["login_url"], "encode": answers["login_encode"], "params": params}
            said |= {"name": answers["session_header"], "login": login}
            if answers["login_token"] != "access_token":  # noqa: S105 a place, and no token
                login["response"] = {"access_token": answers["login_token"]}
        case _:
            pass
    # An empty prefix is one too, where the default is another; a terminal, at which Enter takes that, gives a space.
    if "prefix" in answers:
        prefix = answers["prefix"] if answers["prefix"].strip() else ""
        said |= {"prefix": prefix} if prefix != default_prefix(answers) else {}
    return said


def default_prefix(answers: Answers) -> str:
    """What stands before a credential where nobody says otherwise: the language's own default."""
    return "Bearer " if answers["auth"] in {"bearer", "oauth2"} else ""


def _token(answers: Answers) -> dict[str, Any]:
    said: dict[str, Any] = {
        "url": answers["token_url"],
        "grant": answers["grant"],
        "client_auth": answers["client_auth"],
    }
    if answers["scope"]:
        said["scope"] = answers["scope"]
    if "jwt_algorithm" in answers:
        said["jwt"] = {"algorithm": answers["jwt_algorithm"], "key_path": "private_key"}
    return said


def _login_params(answers: Answers) -> dict[str, str]:
    """The names that the login is sent, and those of the credentials, which have no hyphens."""
    names = [name.strip() for name in answers["login_params"].split(",")]
    return {name: name.replace("-", "_") for name in names}


def _credentials(answers: Answers) -> list[str]:
    """Paths into an account's credentials."""
    match answers["auth"]:
        case "api_key":
            return ["api_key"]
        case "basic":
            return [*CREDENTIALS.findall(answers["username"]), *CREDENTIALS.findall(answers["password"])]
        case "bearer":
            return ["access_token"]
        case "oauth2":
            refresh = ["refresh_token"] if answers["grant"] == "refresh_token" else []
            secret = ["client_secret"] if answers["client_auth"] in {"basic", "body"} else []
            jwt = ["private_key"] if "jwt_algorithm" in answers else []
            client = [] if answers["client_auth"] == "none" and not jwt else ["client_id"]
            return ["access_token", *refresh, *client, *secret, *jwt]
        case "oauth1":
            return ["consumer_key", "consumer_secret", "token", "token_secret"]
        case "session":
            return ["session_token", *_login_params(answers).values()]
        case "ws_security":
            return ["username", "password"]
        case _:
            return []

"""The parser of each language of `sources.LANGUAGES`, made once, where the first file of the language is read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from tree_sitter import Parser

__all__ = ["parser"]


@cache
def parser(language: str) -> Parser:
    from tree_sitter_language_pack import get_parser  # of the extra [audit]

    return get_parser(cast("Literal['python']", language))  # the names of the table in `sources`

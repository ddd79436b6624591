"""The words of the engine as frozen data: connector, account, request, response, page.

Everything here is a value. A connector is what its connector.json says, read once; a request
and a response are what crosses the one seam to the network, whichever network it is.
"""

from __future__ import annotations

from connproof.documents import Source
from connproof.model.access import (
    Account,
    Assertion,
    Auth,
    Grant,
    Secret,
    TokenAnswer,
    TokenEndpoint,
    Variable,
)
from connproof.model.answers import (
    NOWHERE,
    Condition,
    Elements,
    ErrorRule,
    Format,
    Meaning,
    Trait,
    Words,
    XmlFormat,
)
from connproof.model.connector import (
    Connector,
)
from connproof.model.limits import (
    RETRY_AFTER,
    BudgetRule,
    LimitSource,
    LimitUnit,
    RateLimit,
    Throttle,
)
from connproof.model.mappings import (
    CustomFields,
    CustomSource,
    FieldRule,
    Filter,
    UnifiedMapping,
)
from connproof.model.operations import (
    ApiVersion,
    Batch,
    Ending,
    ForEach,
    Hydrate,
    Idempotency,
    LongUrl,
    Nested,
    Operation,
    ProviderFacts,
    Resource,
)
from connproof.model.paging import (
    Bookmark,
    Frozen,
    Lead,
    Leads,
    Page,
    Pagination,
    Position,
    Seed,
    Then,
    Window,
)
from connproof.model.tokens import Candidate, TokenPair, TokenRow, TokenState
from connproof.model.wire import (
    TRANSPORT_HEADERS,
    Headers,
    Placement,
    Query,
    Request,
    Response,
    frozen,
)

__all__ = [
    "NOWHERE",
    "RETRY_AFTER",
    "TRANSPORT_HEADERS",
    "Account",
    "ApiVersion",
    "Assertion",
    "Auth",
    "Batch",
    "Bookmark",
    "BudgetRule",
    "Candidate",
    "Condition",
    "Connector",
    "CustomFields",
    "CustomSource",
    "Elements",
    "Ending",
    "ErrorRule",
    "FieldRule",
    "Filter",
    "ForEach",
    "Format",
    "Frozen",
    "Grant",
    "Headers",
    "Hydrate",
    "Idempotency",
    "Lead",
    "Leads",
    "LimitSource",
    "LimitUnit",
    "LongUrl",
    "Meaning",
    "Nested",
    "Operation",
    "Page",
    "Pagination",
    "Placement",
    "Position",
    "ProviderFacts",
    "Query",
    "RateLimit",
    "Request",
    "Resource",
    "Response",
    "Secret",
    "Seed",
    "Source",
    "Then",
    "Throttle",
    "TokenAnswer",
    "TokenEndpoint",
    "TokenPair",
    "TokenRow",
    "TokenState",
    "Trait",
    "UnifiedMapping",
    "Variable",
    "Window",
    "Words",
    "XmlFormat",
    "frozen",
]

"""Read the headers and bodies that standards define: one file a standard, pure functions, no clock.

Times are passed in. What a provider sent wrongly is absent, with a note that says which field it was: never
a zero, never an exception, never the value itself. Nothing is fetched because a header or a body names it.

    structured        Structured Fields (RFC 9651), which the others build on
    http_date         the three forms of a date (RFC 9110, section 5.6.7)
    retry_after       Retry-After (RFC 9110, section 10.2.3)
    ratelimit_fields  RateLimit and RateLimit-Policy, in all three forms of the IETF draft
    lifecycle         Deprecation (RFC 9745) and Sunset (RFC 8594)
    problem           problem details (RFC 9457)
    trace             traceparent (W3C Trace Context)

Links (RFC 8288) have a module of their own, as pagination lives by them.
"""

from __future__ import annotations

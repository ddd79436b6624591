"""Turn secrets and personal data in recorded traffic into symbolic placeholders; prove that none remains.

What goes in and comes out is the document form of a recording (schema/recording.schema.json). The one
invariant: a redacted document is a fixed point, `redact(redact(x)) == redact(x)`, so that
whoever reads a recording can check it without knowing any secret.

    Authorization: Bearer abc...     Bearer {{secret:access_token#1}}
    {"access_token": "abc..."}       {"access_token": "{{secret:access_token#1}}"}
    https://h/x?access_token=abc...  https://h/x?access_token=%7B%7Bsecret%3Aaccess_token%231%7D%7D
    jane@corp.com                    person-1@redacted.invalid
    "mobile": "+49 170 1234567"      "mobile": "+15550000001"

The same value has the same placeholder across the document, so "the token that was issued is the token
that was sent" can still be seen. A value is a secret because of the slot it stands in (a header, a
parameter, a member) or because of its own shape; what was found once is replaced wherever it stands, in
every spelling that `proof` searches. Headers pass by an allow-list. Tokens that only say where the next
page is are no secrets and stay.

To read: `symbols` stand for what was there, `proving` searches for what still is; `policy` is what a
connector adds. `names` says what a slot holds, `walk` leads through a document from slot to slot, `shapes`
are the patterns by which `finds` sees secrets in one text, and `replacing` does the work. `synthetic` then makes up
words for what people wrote, when live traffic is taken.
"""

from __future__ import annotations

from pytest_connproof.redact.policy import Policy, policy_for
from pytest_connproof.redact.proving import ENCODINGS, Hit, Proof, proof, unzipped
from pytest_connproof.redact.replacing import Change, Redacted, redact
from pytest_connproof.redact.symbols import PLACEHOLDER
from pytest_connproof.redact.synthetic import synthesised

__all__ = [
    "ENCODINGS",
    "PLACEHOLDER",
    "Change",
    "Hit",
    "Policy",
    "Proof",
    "Redacted",
    "policy_for",
    "proof",
    "redact",
    "synthesised",
    "unzipped",
]

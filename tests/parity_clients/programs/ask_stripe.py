"""stripe: a listing to its end, or one record. Each is a StripeObject, which says itself what its JSON is."""

from __future__ import annotations

import json
import os
import sys

import stripe

resource, words, *ids = sys.argv[1:]
base = os.environ["CONNPROOF_BASE_URL"].removesuffix("/v1")
client = stripe.StripeClient(os.environ["CONNPROOF_ACCESS_TOKEN"], base_addresses={"api": base})
service = getattr(client.v1, resource)
asked = json.loads(words)
found = [service.retrieve(each, asked) for each in ids] if ids else service.list(asked).auto_paging_iter()
json.dump([each.to_dict(for_json=True) for each in found], sys.stdout)

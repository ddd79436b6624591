"""hubspot-api-client: all objects of a type. Each is a model, written by the client's own serializer."""

from __future__ import annotations

import json
import os
import sys

from hubspot import HubSpot

kind, limit, properties = sys.argv[1:]
hubspot = HubSpot(access_token=os.environ["CONNPROOF_ACCESS_TOKEN"], host=os.environ["CONNPROOF_BASE_URL"])
api, found, after = getattr(hubspot.crm, kind).basic_api, [], None
while True:
    page = api.get_page(limit=int(limit), properties=properties.split(","), **({"after": after} if after else {}))
    found += page.results
    if page.paging is None:
        break
    after = page.paging.next.after
json.dump(api.api_client.sanitize_for_serialization(found), sys.stdout)

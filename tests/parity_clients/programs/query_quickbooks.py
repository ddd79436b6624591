"""python-quickbooks: queries, page by page. Its host is fixed; records are objects of the entity's own class."""

from __future__ import annotations

import importlib
import json
import os
import sys
from types import SimpleNamespace

from quickbooks import QuickBooks

entity, environment, company, size, query = sys.argv[1:]
# The client of the token endpoint would look its addresses up; a held token needs none.
token = SimpleNamespace(
    environment=environment,
    client_id="client",
    access_token=os.environ["CONNPROOF_ACCESS_TOKEN"],
    refresh_token="refresh",
)
books = QuickBooks(auth_client=token, company_id=company, minorversion=75)
kind = getattr(importlib.import_module(f"quickbooks.objects.{entity.lower()}"), entity)
found, start = [], 1
while True:
    page = kind.query(query.format(start=start, count=size), qb=books)
    found += page
    if len(page) < int(size):
        break
    start += len(page)
json.dump([record.to_dict() for record in found], sys.stdout)

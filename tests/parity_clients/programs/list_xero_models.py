"""xero-python: pages of a listing. Each record is a model, written by the client's own serializer."""

from __future__ import annotations

import json
import os
import sys
from itertools import count

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, serialize
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

method, member, tenant, whole, words = sys.argv[1:]
token = {"access_token": os.environ["CONNPROOF_ACCESS_TOKEN"], "token_type": "Bearer", "expires_in": 1800, "scope": []}
client = ApiClient(Configuration(oauth2_token=OAuth2Token()), oauth2_token_getter=lambda: token)
api = AccountingApi(client, f"{os.environ['CONNPROOF_BASE_URL']}/api.xro/2.0")
found = []
for page in count(1):
    records = getattr(getattr(api, method)(tenant, page=page, **json.loads(words)), member)
    found += records
    if len(records) < int(whole):
        break
json.dump([serialize(record) for record in found], sys.stdout)

"""pyxero: pages of a listing. Its host is fixed; records are dicts in which times are Python's."""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import count

from xero import Xero
from xero.auth import OAuth2Credentials

manager, tenant, whole, words = sys.argv[1:]
token = {"access_token": os.environ["CONNPROOF_ACCESS_TOKEN"], "expires_at": time.time() + 1800, "token_type": "Bearer"}
xero = Xero(OAuth2Credentials("client", "secret", token=token, tenant_id=tenant))
found = []
for page in count(1):
    records = getattr(xero, manager).filter(page=page, **json.loads(words))
    found += records
    if len(records) < int(whole):
        break
json.dump(found, sys.stdout, default=lambda moment: moment.isoformat())

"""simple-salesforce: a query to its end. Its host is that of the instance; records are the provider's own objects."""

from __future__ import annotations

import json
import os
import sys

from simple_salesforce import Salesforce

instance_url, version, soql = sys.argv[1:]
token = os.environ["CONNPROOF_ACCESS_TOKEN"]
salesforce = Salesforce(instance_url=instance_url, session_id=token, version=version)
json.dump(salesforce.query_all(soql)["records"], sys.stdout)

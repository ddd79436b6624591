"""slack_sdk: users, page by page; a page is the answer's own JSON."""

from __future__ import annotations

import json
import os
import sys

from slack_sdk import WebClient

(limit,) = sys.argv[1:]
slack = WebClient(os.environ["CONNPROOF_ACCESS_TOKEN"], base_url=f"{os.environ['CONNPROOF_BASE_URL']}/api/")
pages = slack.users_list(limit=int(limit), presence=True)
json.dump([user for page in pages for user in page["members"]], sys.stdout)

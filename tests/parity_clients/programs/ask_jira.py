"""jira: the issues of a search, an issue, or its transitions. A resource keeps the answer's JSON in `raw`."""

from __future__ import annotations

import json
import os
import sys

from jira import JIRA

what, *words = sys.argv[1:]
jira = JIRA(
    os.environ["CONNPROOF_BASE_URL"],
    options={"rest_api_version": "3"},
    token_auth=os.environ["CONNPROOF_ACCESS_TOKEN"],
    get_server_info=False,
    max_retries=0,
)
jira._fields_cache_value = {"Summary": "summary"}  # before a search, it would ask for the names of fields
if what == "transitions":
    json.dump(jira.transitions(words[0]), sys.stdout)
elif what == "issue":
    json.dump([jira.issue(words[0], fields=words[1]).raw], sys.stdout)
elif what == "pages":
    jira.deploymentType = "Cloud"  # it would ask for that, too
    found = jira.search_issues(words[0], maxResults=0, fields=words[1])
    json.dump([issue.raw for issue in found], sys.stdout)
else:
    found = jira.search_issues(words[0], maxResults=50, fields=words[1], use_post=True)
    json.dump([issue.raw for issue in found], sys.stdout)

"""PyGithub: what a repository has. Each record is an object that keeps what the page said of it."""

from __future__ import annotations

import json
import os
import sys

import github

method, repository, per_page, words = sys.argv[1:]
hub = github.Github(
    auth=github.Auth.Token(os.environ["CONNPROOF_ACCESS_TOKEN"]),
    base_url=os.environ["CONNPROOF_BASE_URL"],
    per_page=int(per_page),
    retry=None,
)
found = getattr(hub.get_repo(repository, lazy=True), method)(**json.loads(words))
# The public raw_data of a record from a listing would ask for that record once more.
json.dump([record._rawData for record in found], sys.stdout)

"""connector.json to a Connector."""
from __future__ import annotations
from connproof.documents import read_json
__all__=["read_json"]

"""A reference engine that interprets declarative connector configs.

Start with `connproof.config.load`, which reads a connector.json; then `connproof.run.Engine`, which reads through
it, or `connproof.sync`, the same for scripts that are not async. Every error is in `connproof.errors`.
"""

"""Close the network to httpx while connectors are replayed.

Whoever calls httpx meanwhile, be it code under test or a library, is answered from the ledger of the replay
that runs, or refused. A process that never loads httpx pays nothing for that: the net then only watches for
it being loaded, and is drawn before its importer has it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Final

from connproof.model import Request
from pytest_connproof.replay import Ledger

if TYPE_CHECKING:
    import httpx
    import respx

__all__ = ["HttpxNet"]

# httpx, and what it sends through.
_CLIENTS: Final = frozenset({"httpx", "httpcore"})

# What an HTTP client adds by itself; no config is responsible for it.
_CLIENTS_OWN: Final = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent"}
)


class HttpxNet:
    """Lets no httpx call of this process escape while it is open: one catch-all route gets every request.

    What is asked while a ledger is `answering` is answered from it; anything else is refused.
    Opening patches httpx, which costs about as much as a whole replay: keep one open for many.
    """

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        self._router: respx.MockRouter | None = None
        self._watch = _Watch(self._loaded)

    def open(self) -> None:
        """Close the network to httpx. Open already: nothing happens."""
        if self._is_open:
            return
        if _CLIENTS & sys.modules.keys():
            self._draw()
        else:
            sys.meta_path.insert(0, self._watch)

    def close(self) -> None:
        """Give httpx the network back."""
        if self._watch in sys.meta_path:
            sys.meta_path.remove(self._watch)
        if self._router is not None:
            self._router.stop(quiet=True)
            self._router = None

    @contextmanager
    def answering(self, ledger: Ledger) -> Iterator[None]:
        """Answer from this ledger; a net that was not open is open meanwhile."""
        was_open, before = self._is_open, self._ledger
        self.open()
        self._ledger = ledger
        try:
            yield
        finally:
            self._ledger = before
            if not was_open:
                self.close()

    @property
    def _is_open(self) -> bool:
        return self._router is not None or self._watch in sys.meta_path

    def _draw(self) -> None:
        import respx

        self._router = respx.mock(assert_all_called=False)
        self._router.start()
        self._router.route().mock(side_effect=self._answered)

    def _loaded(self, name: str) -> None:
        # Half-loaded, httpx cannot be patched, nor used by anybody; its own turn comes.
        if self._watch in sys.meta_path and (name == "httpx" or "httpx" not in sys.modules):
            sys.meta_path.remove(self._watch)
            self._draw()

    def _answered(self, sent: httpx.Request) -> httpx.Response:
        import httpx

        if self._ledger is None:
            raise httpx.ConnectError("connproof: the network is closed while connectors are checked", request=sent)
        headers = tuple((name.lower(), text) for name, text in sent.headers.items() if name.lower() not in _CLIENTS_OWN)
        answer = self._ledger.answer(Request(sent.method, str(sent.url), headers, sent.read() or None))
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)


class _Watch(MetaPathFinder):
    """Says when httpx was loaded, before its importer goes on. It finds what the finders after it find."""

    def __init__(self, loaded: Callable[[str], None]) -> None:
        self._loaded = loaded

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _CLIENTS:
            return None
        others = sys.meta_path[sys.meta_path.index(self) + 1 :]
        spec = next((found for other in others if (found := other.find_spec(fullname, path, target))), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Telling(spec.loader, self._loaded)
        return spec


class _Telling(Loader):
    """A loader that says when it is done, and leaves no trace on the module."""

    def __init__(self, loader: Loader, done: Callable[[str], None]) -> None:
        self._loader = loader
        self._done = done

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._done(module.__name__)

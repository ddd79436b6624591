"""A provider on 127.0.0.1, for what only a real wire can show: bytes, redirects, cookies, broken answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from connproof.model import Headers, Response


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came over the wire: its target byte for byte, header names in lower case."""

    method: str
    target: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


# A response, the bytes of one as they go over the wire, or nothing at all: the connection stays open and silent.
Answer = Response | bytes | None


@dataclass
class Loopback:
    """Serves on a free port while its context is open; keeps every request."""

    respond: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.close_connection = True
                self.raw_requestline = self.rfile.readline(65_537)
                if not self.raw_requestline or not self.parse_request():
                    return
                self.close_connection = True
                method, target, _ = self.raw_requestline.decode("latin-1").split(" ", 2)
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = tuple((name.lower(), value) for name, value in self.headers.items())
                asked = Asked(method, target, headers, body)
                loopback.asked.append(asked)
                answer = loopback.respond(asked)
                try:
                    self.wfile.write(answer if isinstance(answer, bytes) else _wire(answer) if answer else b"")
                    self.wfile.flush()
                except ConnectionError:
                    return  # whoever asked has gone
                if answer is None:
                    loopback._closing.wait()

        return Handler


def _wire(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} -", *(f"{name}: {value}" for name, value in response.headers)]
    lines += [f"content-length: {len(response.body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + response.body

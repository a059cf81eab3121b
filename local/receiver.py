"""A receiver of webhooks on a free port, which answers as it is told."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = "/hooks/a-key-in-the-path?sig=a-key-in-the-query"


@dataclass
class Arrived:
    """A request as the receiver got it."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """What arrived, and how it is answered; ``answer`` gets the handler."""

    answer: Callable[[BaseHTTPRequestHandler], None]
    arrived: list[Arrived] = field(default_factory=list)
    url: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    def hang(self, _: BaseHTTPRequestHandler) -> None:
        """Say nothing (more) for as long as anybody listens."""
        self.done.wait(10)


@contextmanager
def receiving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[Receiver]:
    """Receive on a free port."""
    receiver = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # as http.server wants it
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.arrived.append(Arrived(self.path, dict(self.headers), body))
            receiver.answer(self)

        do_GET = do_POST  # noqa: N815 (the same)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}{PATH}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.done.set()  # lets go of what hangs
            server.shutdown()
            thread.join()


def status(code: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with a status, and with headers whose names have a low line for a hyphen."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer

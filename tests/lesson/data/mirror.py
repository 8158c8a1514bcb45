"""A mirror of the five images, on this machine, that behaves as it is told."""

import threading
from http.server import BaseHTTPRequestHandler

from tiny_mnist import GZIPPED, HTML, LABELS, flip


class Mirror(BaseHTTPRequestHandler):
    """A mirror whose first folder says how it behaves."""

    protocol_version = "HTTP/1.0"
    asked: list[str]
    half_sent: threading.Event
    released: threading.Event

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.asked.append(self.path)
        self.answer(with_body=True)

    def answer(self, with_body):
        _, behaviour, name = self.path.split("/")
        content = GZIPPED[name]
        claimed = len(content)
        status = int(behaviour) if behaviour.isdigit() else 200
        if behaviour == "damaged":
            content = flip(content, 20)
        elif behaviour == "truncated":
            content = content[: len(content) // 2]
        elif behaviour == "html" or status != 200:
            content = HTML
            claimed = len(HTML)
        elif behaviour == "labels-missing" and name.startswith(LABELS):
            status, content, claimed = 404, b"", 0
        elif behaviour == "silent":
            self.released.wait(20)
            return
        self.send_response(status)
        self.send_header("Content-Length", str(claimed))
        self.end_headers()
        if not with_body:
            return
        if behaviour == "stalled":
            self.wfile.write(content[:100])
            self.wfile.flush()
            self.half_sent.set()
            self.released.wait(20)
            return
        self.wfile.write(content)

    def log_message(self, *_):
        pass

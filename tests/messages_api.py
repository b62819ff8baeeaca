"""A server on this machine that speaks the Messages API as far as we use it: streams, tools, errors, and bad manners.

Each request takes the next reply, the last one again and again; what was asked is kept in `requests`. The events are
those of https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer of the server."""

    text: str = ""
    tool: str = ""
    arguments: str = ""
    stop: str = "end_turn"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "api_error"
    """The type of an error."""
    wait: float = 0.0
    """Seconds before each event."""
    events: int | None = None
    """Break off after so many events."""
    breaks: str = ""
    """The type of an error in the middle of the stream, in place of the second event on."""
    tokens: tuple[int, int] = (1000, 100)


@dataclass
class MessagesApi:
    """The address of the server and what it was asked."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


Replies = list[Reply] | Callable[[dict[str, Any]], Reply]


@contextmanager
def messages_api(replies: Replies) -> Iterator[MessagesApi]:
    """Serve on a free port of the loopback until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                api.requests.append(body)
                api.headers.append({name.lower(): value for name, value in self.headers.items()})
                number = len(api.requests) - 1
            reply = replies(body) if callable(replies) else replies[min(number, len(replies) - 1)]
            if self.path != "/v1/messages" or not body.get("stream"):
                reply = Reply(status=404, kind="not_found_error")
            self.close_connection = True
            with suppress(BrokenPipeError, ConnectionResetError):  # we do not read on
                self.answer(reply, body)

        def answer(self, reply: Reply, body: dict[str, Any]) -> None:
            if reply.status != 200:
                said = json.dumps({"type": "error", "error": {"type": reply.kind, "message": "not today"}}).encode()
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", "connection": "close", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
                return
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for number, event in enumerate(events(reply, body["model"])):
                if number == reply.events:
                    return
                time.sleep(reply.wait)
                broken = {"type": "error", "error": {"type": reply.breaks, "message": "not now"}}
                sent = broken if reply.breaks and number == 2 else event
                self.wfile.write(f"event: {sent['type']}\ndata: {json.dumps(sent)}\n\n".encode())
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = MessagesApi(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def events(reply: Reply, model: str) -> Iterator[dict[str, Any]]:
    """The events of a whole answer, in their order."""
    usage = {"input_tokens": reply.tokens[0], "output_tokens": 1, "cache_creation_input_tokens": 0,
             "cache_read_input_tokens": 0}  # fmt: skip
    yield {"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": usage,
    }}  # fmt: skip
    yield {"type": "ping"}
    blocks: list[tuple[dict[str, Any], str, str, str]] = []
    if reply.text:
        blocks.append(({"type": "text", "text": ""}, "text_delta", "text", reply.text))
    if reply.tool:
        block = {"type": "tool_use", "id": "toolu_1", "name": reply.tool, "input": {}}
        blocks.append((block, "input_json_delta", "partial_json", reply.arguments))
    for index, (block, kind, name, content) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        size = max(1, len(content) // 7)
        for start in range(0, len(content), size):
            part = {"type": kind, name: content[start : start + size]}
            yield {"type": "content_block_delta", "index": index, "delta": part}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": reply.stop, "stop_sequence": None},
           "usage": {"output_tokens": reply.tokens[1]}}  # fmt: skip
    yield {"type": "message_stop"}

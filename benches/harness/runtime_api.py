"""Lambda's side of the Runtime API for one process ("Using the Lambda runtime API for custom runtimes")."""

import itertools
import queue
import socket
import threading
import time
import uuid

PATIENCE = 60.0
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:bench"


class Failed(Exception):
    """The process did not do what a function does."""


class RuntimeApi:
    """Hands one event after the other to the process that asks for them."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        # When the process asked for its next event; the events; what it answered, and when.
        self.asked: queue.SimpleQueue = queue.SimpleQueue()
        self.events: queue.SimpleQueue = queue.SimpleQueue()
        self.answered: queue.SimpleQueue = queue.SimpleQueue()
        self.sent = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def wait_until_asked(self) -> int:
        """Returns the time, in nanoseconds, at which the process asked for its next event."""
        try:
            at = self.asked.get(timeout=PATIENCE)
        except queue.Empty:
            raise Failed("it does not ask for an event") from None
        if isinstance(at, Failed):
            raise at
        return at

    def invoke(self, event: bytes) -> tuple[int, bytes]:
        """Hands `event` to the process that has asked for one; its answer, and after how many nanoseconds."""
        self.events.put(event)
        try:
            at, kind, answer = self.answered.get(timeout=PATIENCE)
        except queue.Empty:
            raise Failed("it does not answer") from None
        if kind != "response":
            raise Failed(f"{kind}: {answer.decode(errors='replace')}")
        return at - self.sent, answer

    def close(self) -> None:
        self.events.put(None)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            try:
                while self._exchange(connection, reader):
                    pass
            except OSError:
                return

    def _exchange(self, connection: socket.socket, reader) -> bool:
        line = reader.readline()
        if not line:
            return False
        _method, path, _ = line.decode().split(" ", 2)
        body = read_body(reader, read_headers(reader))
        at = time.perf_counter_ns()
        kind = path.rsplit("/", 1)[-1]
        if kind != "next":
            if path.endswith("/init/error"):
                self.asked.put(Failed(f"it does not start: {body.decode(errors='replace')}"))
            else:
                self.answered.put((at, kind, body))
            connection.sendall(message("202 Accepted", [], b'{"status":"OK"}'))
            return True
        self.asked.put(at)
        event = self.events.get()
        if event is None:
            return False
        headers = [
            ("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4())),
            ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 10_000)),
            ("Lambda-Runtime-Invoked-Function-Arn", ARN),
            ("Lambda-Runtime-Trace-Id", f"Root=1-{int(time.time()):x}-{next(TRACES):024x};Sampled=0"),
        ]
        reply = message("200 OK", headers, event)
        self.sent = time.perf_counter_ns()
        connection.sendall(reply)
        return True


TRACES = itertools.count(1)


def read_headers(reader) -> dict[str, str]:
    headers = {}
    while (line := reader.readline().decode().strip()):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


def read_body(reader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return reader.read(int(headers.get("content-length", 0)))
    body = b""
    while size := int(reader.readline().split(b";")[0], 16):
        body += reader.read(size)
        reader.readline()
    read_headers(reader)
    return body


def message(status: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    headers = [*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body

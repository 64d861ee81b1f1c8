"""A network between a pod and its store that breaks: each connection is cut after so many bytes of answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cutting:
    """Listens on `port`. `limit` bytes come through on each connection, then it is reset; None lets all through."""

    def __init__(self, server_port: int, limit: int | None) -> None:
        self.limit = limit
        self.passed: list[int] = []  # bytes of answers by connection
        self.requests: list[bytes] = []
        self._server = ("127.0.0.1", server_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def ranges(self) -> list[str]:
        """Of the GETs, in order; "" where one asked for the whole object."""
        gets = [request.decode("latin-1") for request in self.requests if request.startswith(b"GET ")]
        return [next((li[7:] for li in get.splitlines() if li.lower().startswith("range: ")), "") for get in gets]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self.passed.append(0)
                number = len(self.passed) - 1
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client, number), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while packet := client.recv(65536):
                self.requests.append(packet)
                server.sendall(packet)

    def _answer(self, server: socket.socket, client: socket.socket, number: int) -> None:
        with suppress(OSError):
            while packet := server.recv(65536):
                if self.limit is not None:
                    packet = packet[: self.limit - self.passed[number]]
                client.sendall(packet)
                self.passed[number] += len(packet)
                if self.passed[number] == self.limit:
                    break
        for each in (client, server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def cut(endpoint: str, limit: int | None) -> Iterator[Cutting]:
    """In front of `http://127.0.0.1:<port>`."""
    proxy = Cutting(int(endpoint.rpartition(":")[2]), limit)
    try:
        yield proxy
    finally:
        proxy.close()

"""A network between an operator and the API server that can keep packets back: they arrive late, but they arrive."""

import socket
import threading
import time
from contextlib import suppress

PAUSE = 0.5  # seconds between packets that were kept back, so that the server has read a request before its end


class Relay:
    """Listens on `port`; what goes to the server is kept while `hold` is in force, what comes from it is not."""

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._open = threading.Event()
        self._open.set()
        self._held = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        self._held = True
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._open.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, to_server: bool) -> None:
        """An operator that hangs up is not told to the server: on a real network its packets are under way, too."""
        with suppress(OSError):
            while packet := source.recv(65536):
                if to_server:
                    self._open.wait()
                target.sendall(packet)
                if to_server and self._held:
                    time.sleep(PAUSE)

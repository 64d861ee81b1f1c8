"""The proxy itself: a TLS server on loopback in a thread of its own, scripted and questioned from outside."""

import asyncio
import base64
import contextlib
import json
import ssl
import tempfile
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import aiohttp
import yaml
from aiohttp import web

from tests.cluster.credentials import Credentials
from tests.cluster.fault_proxy.exchange import Exchange
from tests.cluster.fault_proxy.rules import Call, Rule, Rules

_REMEMBERED = 100_000


@dataclass
class Record:
    """A request that reached the proxy at `at` (time.monotonic()); `fault` is the effect's name.

    `status` is None until it is answered to the end, 0 if it was not answered.
    """

    call: Call
    at: float
    fault: str | None
    status: int | None = None


class FaultProxy:
    """`with FaultProxy(kubeconfig) as proxy: proxy.kubeconfig(path, token); proxy.script(rule, ...)`.

    `kubeconfig` names the API server and its authority; the client's token is passed on, whoever it is.
    """

    def __init__(self, kubeconfig: Path) -> None:
        cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
        self._server: str = cluster["server"]
        self._authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._directory = tempfile.TemporaryDirectory(prefix="fault-proxy-")
        self._credentials = Credentials(Path(self._directory.name))
        self._rules = Rules()
        self._records: deque[Record] = deque(maxlen=_REMEMBERED)
        self._counts: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fault proxy", daemon=True)
        self.port = 0

    def script(self, *rules: Rule, seed: int = 0) -> None:
        """From now on these rules; none lets everything through."""
        self._rules = Rules(rules, seed)

    def records(self, path: str = "", method: str | None = None) -> list[Record]:
        """The last requests in the order of their arrival; `path` is a part of theirs."""
        return [r for r in list(self._records) if path in r.call.path and method in (None, r.call.method)]

    def counts(self) -> dict[str, int]:
        """How often each fault struck, and all requests under `requests`."""
        return dict(self._counts)

    def kubeconfig(self, path: Path, token: str) -> Path:
        """A kubeconfig that reaches the API server through the proxy with this token."""
        authority = base64.b64encode(self._credentials.ca.read_bytes()).decode()
        cluster = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority-data": authority}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxied", "cluster": cluster}],
            "users": [{"name": "account", "user": {"token": token}}],
            "contexts": [{"name": "proxied", "context": {"cluster": "proxied", "user": "account"}}],
            "current-context": "proxied",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))
        return path

    def __enter__(self) -> "FaultProxy":
        self._credentials.make_authority()
        self._credentials.issue("proxy", "fault proxy", addresses=["127.0.0.1"])
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the fault proxy does not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._directory.cleanup()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        upstream = ssl.create_default_context(cadata=self._authority)
        connector = aiohttp.TCPConnector(limit=0, ssl=upstream)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._credentials.certificate("proxy"), self._credentials.key("proxy"))
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                return await self._handle(session, request)

            runner = web.ServerRunner(web.Server(handle, handler_cancellation=True, access_log=None))
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            self.port = runner.addresses[0][1]
            self._started.set()
            await self._stop.wait()
            await runner.shutdown()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await runner.cleanup()

    async def _handle(self, session: aiohttp.ClientSession, request: web.BaseRequest) -> web.StreamResponse:
        watch = request.query.get("watch") in ("1", "true")
        call = Call(request.method, request.path, request.query_string, watch)
        effect = self._rules.choose(call)
        record = Record(call, time.monotonic(), effect.name if effect else None)
        self._records.append(record)
        self._counts["requests"] += 1
        if effect:
            self._counts[effect.name] += 1
        try:
            response, record.status = await Exchange(session, self._server, request).run(effect)
        except ConnectionError:  # the client has gone
            record.status = 0
            return web.Response()
        return response

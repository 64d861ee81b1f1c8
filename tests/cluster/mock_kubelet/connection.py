"""Requests as a kubelet makes them: over a kubeconfig's certificate, and watches that go on whatever ends them."""

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from modelyard.runtime.login import STRICT

_AT_ONCE = 64
_PASSING = frozenset({429, 500, 502, 503, 504})
# The client library names a certificate's temporary file to other threads before it has written it.
_READING = threading.Lock()
_PATIENCE = 60  # tries, half a second apart, before the API server counts as lost


class RefusedError(Exception):
    """The API server refused something that no kubelet would expect it to refuse."""


class Connection:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def opened(cls, kubeconfig: Path) -> AsyncIterator["Connection"]:
        from kubernetes.aio import config as untyped
        from kubernetes.aio.client import Configuration

        config: Any = untyped
        found = Configuration()
        with _READING:
            await config.load_kube_config(config_file=str(kubeconfig), client_configuration=found)
            context = ssl.create_default_context(cafile=found.ssl_ca_cert)
            context.verify_flags &= ~STRICT
            context.load_cert_chain(str(found.cert_file), found.key_file)
        connector = aiohttp.TCPConnector(ssl=context, limit=_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=None, connect=10)
        async with aiohttp.ClientSession(
            found.host, connector=connector, timeout=timeout, trust_env=False, read_bufsize=2**20
        ) as session:
            yield cls(session)
        await asyncio.sleep(0.1)  # aiohttp closes TLS connections only in later turns of the loop

    async def call(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", **query: str
    ) -> tuple[int, dict[str, Any]]:
        """HTTP status and answer; what may pass is tried again. Raises RefusedError for refusals but 404 and 409."""
        data = None if body is None else json.dumps(body)
        trouble = ""
        for _ in range(_PATIENCE):
            try:
                async with self._session.request(
                    method, path, data=data, params=query, headers={"Content-Type": kind}
                ) as answer:
                    text = await answer.text()
                if answer.status < 400 or answer.status in (404, 409):
                    return answer.status, json.loads(text)
                trouble = f"{answer.status} {text}"
                if answer.status not in _PASSING:
                    break
            except aiohttp.ClientError as error:
                trouble = repr(error)
            await asyncio.sleep(0.5)
        raise RefusedError(f"{method} {path}: {trouble}")

    async def watch(self, path: str, **query: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Never ends. (type, object) as in a watch; what is there already comes first, and again after an expiry."""
        while True:
            _, listed = await self.call("GET", path, **query)
            for item in listed["items"]:
                yield "ADDED", item
            async for event in self._from(path, listed["metadata"]["resourceVersion"], query):
                yield event

    async def _from(self, path: str, version: str, query: dict[str, str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Until the API server ends the watch for another reason than its time."""
        while True:
            params = {**query, "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
            try:
                async with self._session.get(path, params=params) as answer:
                    if answer.status != 200:
                        return
                    try:
                        async for line in answer.content:
                            event = json.loads(line)
                            if event["type"] == "ERROR":
                                return
                            version = event["object"]["metadata"]["resourceVersion"]
                            if event["type"] != "BOOKMARK":
                                yield event["type"], event["object"]
                    finally:
                        if answer.connection and answer.connection.transport:
                            answer.connection.transport.abort()  # a TLS goodbye could outlive the loop
            except aiohttp.ClientError:
                return

"""Sends a request on to the candidate's Service, and says how long the candidate took."""

import asyncio
import logging
import time
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from modelyard_serving import binary, invocations, v1
from modelyard_serving.call import FORWARDED, Answer, Request

log = logging.getLogger(__name__)

SHADOW = "modelyard-shadow"  # set where nobody gets the answer: its server does not capture it
LATENCY = "modelyard-latency-ms"  # of the candidate's own work, so that both revisions are measured alike
TIMEOUT = httpx.Timeout(5.0, connect=1.0)  # then the stable revision answers instead
SHARE = 0.9  # of the time that the caller waits: what is left is for the stable answer to arrive
# Connections end before the server's side of them does (KEEP_ALIVE), so that none is used while it closes.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=5.0)
PASSED_BACK = (invocations.INFERENCE_ID, v1.INFERENCE_ID, binary.HEADER_LENGTH)
SENT_ON = ("content-type", "accept", *PASSED_BACK)


@dataclass(frozen=True)
class Forwarded:
    """`answer` is None where the candidate could not be reached or did not answer 200."""

    answer: Answer | None
    milliseconds: float


def forwarding_client() -> httpx.AsyncClient:
    """Proxies of the environment are ignored: the candidate is in the same namespace."""
    return httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS, trust_env=False)


async def forward(
    client: httpx.AsyncClient, url: str, request: Request, inference_id: str, seconds: float, shadow: bool = False
) -> Forwarded:
    """The same body to `url`, marked so that it is never sent on again; `seconds` is how long the caller waits. Raises
    nothing for a candidate's failure."""
    headers = {name: request.headers[name] for name in SENT_ON if name in request.headers}
    headers[FORWARDED] = quote(inference_id, safe="")
    if shadow:
        headers[SHADOW] = "1"
    started = time.perf_counter()
    try:
        async with asyncio.timeout(SHARE * seconds):
            # As they came: httpx takes text for ASCII only.
            raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
            response = await client.post(url, content=request.body, headers=raw)
    except (httpx.HTTPError, TimeoutError) as error:
        log.warning("the candidate at %s did not answer: %s", url, error or type(error).__name__)
        return Forwarded(None, (time.perf_counter() - started) * 1000)
    milliseconds = _own_latency(response) or (time.perf_counter() - started) * 1000
    if response.status_code != 200:
        log.warning("the candidate at %s answered %d: %s", url, response.status_code, response.text[:200])
        return Forwarded(None, milliseconds)
    back = tuple((name, response.headers[name]) for name in PASSED_BACK if name in response.headers)
    answer = Answer(200, response.content, response.headers.get("content-type", ""), back)
    return Forwarded(answer, milliseconds)


def _own_latency(response: httpx.Response) -> float | None:
    try:
        return float(response.headers[LATENCY])
    except (KeyError, ValueError):
        return None

"""Runs in a pod: asks the endpoint from several connections until the file STOP is there, then prints what it got.

`python program.py <url> <path> <body>`
"""

import asyncio
import json
import os
import sys
from collections import Counter

import httpx

STOP = "/tmp/stop"
CALLERS = 8
PAUSE = 0.02  # seconds between the requests of one caller


async def call(client: httpx.AsyncClient, path: str, body: str, got: Counter[str], failed: list[str]) -> None:
    while not os.path.exists(STOP):  # noqa: ASYNC240, PTH110 - a look is no wait
        try:
            answer = await client.post(path, content=body, headers={"content-type": "application/json"})
            answer.raise_for_status()
            got[answer.json()["model_version"]] += 1
        except (httpx.HTTPError, ValueError) as error:
            failed.append(repr(error))
        await asyncio.sleep(PAUSE)


async def run(url: str, path: str, body: str) -> None:
    got: Counter[str] = Counter()
    failed: list[str] = []
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        await asyncio.gather(*(call(client, path, body, got, failed) for _ in range(CALLERS)))
    print(json.dumps({"versions": got, "failed": failed}))


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))

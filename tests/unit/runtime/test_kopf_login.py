"""kopf gets a session that is watched, and none for credentials that have failed."""

from typing import Any

import pytest

from modelyard.runtime import kopf_app
from modelyard.runtime.watches import Watches


async def test_credentials_that_failed_are_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = iter(["old", "old", "new"])

    def connection(**_: Any) -> Any:
        return kopf_app._Connection(server="https://127.0.0.1:1", token=next(tokens))

    monkeypatch.setattr(kopf_app, "_connection", connection)
    login = kopf_app._login(Watches([]))
    first, again, renewed = [await login() for _ in range(3)]
    assert first.aiohttp_session.headers["Authorization"] == "Bearer old"
    assert again is None
    assert renewed.aiohttp_session.headers["Authorization"] == "Bearer new"
    for made in (first, renewed):
        await made.aiohttp_session.close()


async def test_nobody_to_log_in_as_is_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kopf_app, "_connection", lambda **_: None)
    assert await kopf_app._login(Watches([]))() is None

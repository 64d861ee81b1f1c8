"""Answers of the API server become types."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client import ApiClient, Configuration

from modelyard.runtime.client import Client
from modelyard.runtime.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    UnavailableError,
    from_answer,
)
from modelyard.runtime.resources import resource_of


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (401, ApiError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, GoneError),
        (422, InvalidError),
        (429, UnavailableError),
        (500, UnavailableError),
        (504, UnavailableError),
    ],
)
def test_each_status_has_its_type(status: int, kind: type[ApiError]) -> None:
    error = from_answer(status, json.dumps({"reason": "Word", "message": "in words"}))
    assert type(error) is kind
    assert str(error) == f"{status} Word: in words"


@pytest.mark.parametrize("body", ["", "<html>Bad Gateway</html>", "[]", "null"])
def test_a_body_that_is_no_status_object_is_no_problem(body: str) -> None:
    assert from_answer(502, body).message == body


async def test_a_page_that_is_not_in_utf_8_is_no_problem() -> None:
    """Of a load balancer before the API server."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(status=502, body="passerelle erronée".encode("latin-1"), content_type="text/html")

    app = web.Application()
    app.router.add_get("/{all:.*}", page)
    async with TestServer(app) as server:
        configuration = Configuration()
        configuration.host = str(server.make_url("")).rstrip("/")
        client = Client(ApiClient(configuration))
        with pytest.raises(UnavailableError, match="passerelle erron\N{REPLACEMENT CHARACTER}e"):
            await client.get(resource_of("Dataset"), "ns", "d")
        await client.close()


def test_a_full_quota_and_a_dying_namespace_are_told_apart() -> None:
    quota = from_answer(403, json.dumps({"message": 'pods "a" is forbidden: exceeded quota: q'}))
    dying = from_answer(403, json.dumps({"message": "forbidden: unable to create: namespace x is being terminated"}))
    assert isinstance(quota, ForbiddenError)
    assert isinstance(dying, ForbiddenError)
    assert (quota.quota, quota.terminating) == (True, False)
    assert (dying.quota, dying.terminating) == (False, True)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), (None, 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)])
def test_a_server_that_wants_to_be_left_alone_says_for_how_long(header: str | None, seconds: float) -> None:
    error = from_answer(429, "{}", header)
    assert isinstance(error, UnavailableError)
    assert error.retry_after == seconds


def test_a_missing_right_is_named_and_told_from_other_refusals() -> None:
    said = 'configmaps is forbidden: User "a" cannot patch resource "configmaps" in API group "" in the namespace "b"'
    missing, policy = (from_answer(403, f'{{"message": {json.dumps(text)}}}') for text in (said, "exceeded quota: q"))
    assert isinstance(missing, ForbiddenError)
    assert isinstance(policy, ForbiddenError)
    assert (missing.lacking, policy.lacking) == ('cannot patch resource "configmaps" in API group ""', "")

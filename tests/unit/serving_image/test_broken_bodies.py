"""A grammar of nearly valid requests: whatever is broken in them, the answer is a sentence, and never a fault."""

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.serving_image.models import FEATURES, ROWS, Endpoint, v2_body

INFER = "/v2/models/demo/infer"
TWO = {name: values[:2] for name, values in ROWS.items()}
OBJECTS = [dict(zip(TWO, row, strict=True)) for row in zip(*TWO.values(), strict=True)]
LISTS = [[row[feature.name] for feature in FEATURES] for row in OBJECTS]
VALID: list[tuple[str, Any]] = [
    (
        INFER,
        v2_body(TWO, outputs=[{"name": "predict"}], parameters={"timeout": 1_000_000, "binary_data_output": False}),
    ),
    ("/v1/models/demo:predict", {"instances": OBJECTS}),
    ("/invocations", {"instances": LISTS}),
    ("/invocations", {"inputs": v2_body(TWO)["inputs"]}),
    ("/invocations", {"inputs": TWO}),
    ("/v2/models/demo/feedback", {"inference_id": "a", "labels": ["yes", "no"]}),
]
WORDS = st.sampled_from([*ROWS, "inputs", "shape", "data", "binary_data_size", "FP64", "BYTES", "predict", ""])
NUMBERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, bytes]:
    path, valid = draw(st.sampled_from(VALID))
    body = copy.deepcopy(valid)
    for _ in range(draw(st.integers(0, 3))):
        if not (found := list(places(body))):
            break
        holder, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["replace", "remove", "nest", "repeat"])):
            case "replace":
                holder[key] = draw(VALUES)
            case "remove":
                del holder[key]
            case "nest":
                holder[key] = [holder[key]]
            case "repeat" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
    content = orjson.dumps(body)
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(max_size=3)) + content[at + draw(st.integers(0, 3)) :]
    return path, content


async def check(client: httpx.AsyncClient, path: str, content: bytes, headers: dict[str, str]) -> None:
    answer = await client.post(path, content=content, headers=headers)
    late = answer.status_code == 504 and b'"timeout"' in content  # it says how long it waits: often not long enough
    assert answer.status_code < 500 or late, answer.text
    if answer.status_code >= 400:
        message = answer.json()["error"]
        assert message
        assert "Traceback" not in message
        assert "object at 0x" not in message


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(request=broken())
async def test_what_is_broken_is_refused_in_words(served: Endpoint, request: tuple[str, bytes]) -> None:
    await check(served.client, *request, {"content-type": "application/json"})


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    request=broken(),
    rest=st.binary(max_size=64),
    length=st.one_of(st.none(), st.integers(-1, 2000).map(str), st.text("0123456789abc-+. _", max_size=8)),
)
async def test_bytes_behind_a_broken_header_are_refused_in_words(
    served: Endpoint, request: tuple[str, bytes], rest: bytes, length: str | None
) -> None:
    _, content = request
    told = str(len(content)) if length is None else length
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": told}
    await check(served.client, INFER, content + rest, headers)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.one_of(st.binary(max_size=200), st.text(',"\n\r;ab1.0é', max_size=60).map(str.encode)),
    kind=st.sampled_from(
        ["text/csv", "application/jsonlines", "application/json", "", "a/b; c", "text/csv; charset=x"]
    ),
    accept=st.sampled_from(["*/*", "text/csv", "application/jsonlines", "a/b", ",;,", "application/json;q=0"]),
)
async def test_whatever_is_sent_to_invocations_is_answered(
    served: Endpoint, content: bytes, kind: str, accept: str
) -> None:
    await check(served.client, "/invocations", content, {"content-type": kind, "accept": accept})


@pytest.mark.parametrize(("path", "body"), VALID, ids=range(len(VALID)))
async def test_what_is_not_broken_is_answered(served: Endpoint, path: str, body: Any) -> None:
    assert (await served.client.post(path, json=body)).status_code in (200, 202)

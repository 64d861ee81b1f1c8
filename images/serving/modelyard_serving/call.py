"""What the protocols have in common: the call they read and the answer they write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple
from urllib.parse import unquote

import orjson

from modelyard.contract.manifest import ModelManifest
from modelyard_kit.model import Prediction
from modelyard_serving.errors import RequestError
from modelyard_serving.layouts import Layouts
from modelyard_serving.rows import Rows
from modelyard_serving.typed import TypedBodies

LONGEST = 60.0  # seconds; after as many SageMaker gives up, too
_RANDOM = Random()  # noqa: S311 - ids are no secrets, and uuid4 asks the kernel for each
MAX_ID = 200  # characters of an inference id: it is a key of captured rows and labels
JSON = "application/json"
FORWARDED = "modelyard-forwarded"  # set by the stable server on a candidate's share: the inference id, percent-encoded
CURL_DEFAULT = "application/x-www-form-urlencoded"  # what `curl -d` sends unless told; the body decides then


class Request(NamedTuple):
    """`headers` by lower-case name."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Endpoint:
    """What is served: `name` is the model's name for callers. `typed` and `layouts` read bodies of its columns."""

    name: str
    revision: str
    manifest: ModelManifest
    typed: TypedBodies
    layouts: Layouts

    @property
    def personal(self) -> bool:
        """Whether requests hold what may be neither kept nor logged."""
        return any(feature.pii for feature in self.manifest.features)


class Answer(NamedTuple):
    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Detour(NamedTuple):
    """How a call that did not come by HTTP goes to another server by it: the request there, and its answer as this
    server would write it. `back` raises ValueError, LookupError or TypeError for an answer it cannot read."""

    there: Callable[[], Request]
    back: Callable[[Answer], Answer]


class Call(NamedTuple):
    """A parsed request. `read` finds the predictions in an answer that `render` of any server wrote; `seconds` is how
    long the caller waits for one; a `detour` is for what came by HTTP not needed."""

    inference_id: str
    rows: Rows
    render: Callable[[Prediction], Answer]
    read: Callable[[bytes], Sequence[Any]]
    seconds: float = LONGEST
    detour: Detour | None = None


def require_json(request: Request) -> None:
    """Raises `RequestError` 415 for a body that says it is something else."""
    if request.content_type not in ("", JSON, CURL_DEFAULT):
        raise RequestError(415, f"content type {request.content_type!r} is not supported here: send {JSON}")


def parse_json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"the body is not valid JSON: {error}") from error


def inference_id(given: object, request: Request) -> str:
    """The caller's id, else the one the forwarding server chose, else a new one."""
    if given is None or given == "":
        forwarded = request.headers.get(FORWARDED)
        given = unquote(forwarded) if forwarded else f"{_RANDOM.getrandbits(128):032x}"
    if not isinstance(given, str) or len(given) > MAX_ID or not given.isprintable():
        raise RequestError(400, f"the inference id must be a string of at most {MAX_ID} printable characters")
    return given


def error_answer(error: RequestError) -> Answer:
    retry = () if error.retry_after is None else (("retry-after", str(error.retry_after)),)
    return Answer(error.status, orjson.dumps({"error": error.message}), headers=retry)

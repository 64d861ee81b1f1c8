"""A user's container that answers in the model's place, under SageMaker's contract: GET /ping, POST /invocations.

It is asked from the batcher's thread, one batch at a time. /ping is asked all the time: a container that does not
answer gets no requests, and callers are told to come back instead of waiting for it.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from modelyard.contract.tasks import ContainerTask
from modelyard.contract.wording import plain, quoted
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_serving.call import JSON, LONGEST
from modelyard_serving.container_bodies import prediction, request_body
from modelyard_serving.errors import NotReadyError, RequestError
from modelyard_serving.learning import Learned

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

PING_SECONDS = 2.0  # in which /ping must answer, as SageMaker asks; and how often it is asked
CONNECT_SECONDS = 1.0
KEPT_SECONDS = 1.0  # that an idle connection is used again: many servers close theirs after two
SHOWN = 300  # characters of an error of the container's
BUSY = (429, 503)
REFUSES = (400, 413, 422)  # what a container answers to rows that are wrong, not to a fault of its own


class LearnedElsewhere(Learned):
    """The event loop never waits for another process, however fast that has been."""

    inline = False


@dataclass
class State:
    """What changes about a container. Written by the batcher's thread and the one that watches."""

    answers: bool = False
    asked: bool = False  # a batch is in it
    closed: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class ContainerModel(LoadedModel):
    task: ContainerTask
    client: httpx.Client = field(repr=False)
    state: State = field(default_factory=State, repr=False)

    @property
    def answers(self) -> bool:
        return self.state.answers

    def predict(self, table: "pa.Table") -> Prediction:
        return self.predict_columns([column.to_pylist() for column in table.columns])

    def predict_columns(self, columns: Sequence[Sequence[Any]]) -> Prediction:
        """Raises RequestError 400 for rows that the container refuses, 503 where it is busy or away, 504 where it does
        not answer, ValueError for an answer that is none of this model's."""
        if not self.state.answers:
            raise NotReadyError("the container of the model does not answer /ping: see its log")
        content_type, body = request_body(self.task, self.manifest, columns)
        self.state.asked = True
        try:
            response = self._post(content_type, body)
        except httpx.ReadTimeout as error:
            self.state.answers = False  # until /ping is answered: who waits behind this one is not kept as long
            raise RequestError(504, f"the container of the model has not answered within {LONGEST:g} s") from error
        except httpx.HTTPError as error:
            self.state.answers = False
            raise NotReadyError(f"the container of the model cannot be reached: {type(error).__name__}") from error
        finally:
            self.state.asked = False
        _check_status(response)
        return prediction(_json(response), self.manifest, len(columns[0]))

    def _post(self, content_type: str, body: bytes) -> httpx.Response:
        headers = {"content-type": content_type, "accept": JSON}
        try:
            return self.client.post("/invocations", content=body, headers=headers)
        except httpx.RemoteProtocolError:  # most likely an idle connection that it closed just now
            return self.client.post("/invocations", content=body, headers=headers)

    def ping(self) -> bool:
        """Whether /ping answers 200 in time. One that is busy with a batch has more time, and is not given up."""
        try:
            return self.client.get("/ping", timeout=PING_SECONDS).status_code == 200
        except httpx.TimeoutException:
            return self.state.asked and self.state.answers
        except httpx.HTTPError:
            return False

    def look(self) -> None:
        """Brings `answers` up to date."""
        answers = self.ping()
        if answers != self.state.answers:
            log.warning("the container %s", "answers /ping" if answers else "does not answer /ping")
        self.state.answers = answers

    def watch(self) -> None:
        """Looks until it is closed. Blocks."""
        while not self.state.closed.wait(PING_SECONDS):
            self.look()

    def close(self) -> None:
        self.state.closed.set()
        self.client.close()


def container_client(task: ContainerTask) -> httpx.Client:
    """Of the container of this pod; proxies of the environment are ignored."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{task.port}",
        timeout=httpx.Timeout(LONGEST, connect=CONNECT_SECONDS),
        limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
        trust_env=False,
    )


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    said = " ".join(response.text.split())[:SHOWN]
    if status in BUSY:
        raise NotReadyError(f"the container of the model answers {status}: {said}")
    if status in REFUSES:
        raise RequestError(400, f"the container of the model refuses these rows with {status}: {said}")
    said = quoted(plain(response.text, SHOWN))  # a traceback says what happened at its end
    raise ValueError(f"the container answers {status} to /invocations: {said}")


def _json(response: httpx.Response) -> Any:
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        said = response.headers.get("content-type", "no content type")
        raise ValueError(f"the container does not answer JSON, but {said}: answer {JSON}") from error

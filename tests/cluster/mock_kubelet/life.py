"""What becomes of a pod: how it starts, how long it runs and how it ends; the words that scripts of tests use."""

from collections.abc import Callable
from dataclasses import dataclass

from modelyard.contract.document import Document
from modelyard.contract.results import FailureResult
from modelyard.contract.tasks import Task


@dataclass(frozen=True)
class Seen:
    """A pod as a script is asked about it. `number` counts builds, attempts and gates, as the operator does; else 0."""

    namespace: str
    resource: str  # whose pod it is
    role: str  # build, attempt, server, check, gate
    number: int
    job: str  # "" for a server
    task: Task


@dataclass(frozen=True)
class Ending:
    """How a container ended. `reason` is the container's, `pod_reason` the pod's, `disruption` a condition's."""

    exit_code: int = 0
    message: str = ""  # the termination message
    reason: str = ""
    pod_reason: str = ""
    pod_message: str = ""
    disruption: str = ""


@dataclass(frozen=True)
class Hindrance:
    """Why a container does not start, for `seconds` or, where None, for ever."""

    reason: str  # ErrImagePull, CreateContainerConfigError, ...
    message: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Life:
    """`ending` None: a server goes on for ever, and so does a task that hangs. A server with one crashes in a loop."""

    ending: Ending | None = None
    hindrance: Hindrance | None = None
    runs: float | None = None  # seconds, where not the usual time
    ready: bool = True  # whether a server that runs gets ready


Script = Callable[[Seen], Life]


def succeeds(result: Document) -> Ending:
    return Ending(0, result.canonical())


def fails(failure: FailureResult) -> Ending:
    """The task says itself what is wrong."""
    return Ending(1, failure.canonical())


def exits(code: int, last_words: str = "") -> Ending:
    """Without a result; what the log ended with."""
    return Ending(code, last_words)


def out_of_memory() -> Ending:
    return Ending(137, reason="OOMKilled")


def evicted(message: str = "The node was low on resource: memory.") -> Ending:
    """By the kubelet, for want of a resource."""
    return Ending(137, pod_reason="Evicted", pod_message=message, disruption="TerminationByKubelet")


def preempted() -> Ending:
    return Ending(143, disruption="PreemptionByScheduler")


def image_missing(seconds: float | None = None) -> Hindrance:
    return Hindrance("ErrImagePull", "manifest unknown", seconds)

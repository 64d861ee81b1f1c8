"""Failures that a pod reports as its result: whose they are decides whether the operator tries again."""

from typing import ClassVar, Literal

from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult

MAX_MESSAGE = 512


class TaskFailure(Exception):  # noqa: N818 - a result, not a bug
    """A failure with a reason of the contract and a message that names the field and the fix."""

    blame: ClassVar[Literal["user", "world"]] = "world"

    def __init__(self, reason: Reason, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.exit_code = exit_code

    def result(self) -> FailureResult:
        return FailureResult(
            blame=self.blame, reason=self.reason.value, message=shorten(self.message), exit_code=self.exit_code
        )


class UserFailure(TaskFailure):
    """The spec, the data or the script is wrong: trying again will not help."""

    blame = "user"


class WorldFailure(TaskFailure):
    """The cluster, the store or a source failed: trying again may help."""


def shorten(message: str, length: int = MAX_MESSAGE) -> str:
    """One line of at most `length` characters."""
    line = " ".join(message.split())
    return line if len(line) <= length else line[: length - 1] + "…"

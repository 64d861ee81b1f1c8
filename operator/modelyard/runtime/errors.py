"""What the API server may answer instead of success, as types that callers can tell apart."""

import json


class ApiError(Exception):
    """An answer outside 200-299, or none at all (status 0). `reason` is Kubernetes' word, e.g. AlreadyExists."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else f"{reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class NotFoundError(ApiError):
    pass


class ConflictError(ApiError):
    """Somebody else changed the object, a precondition failed, or it exists already."""


class GoneError(ApiError):
    """The resource version or the continue token of a list is too old: list again."""


class InvalidError(ApiError):
    """The object is refused by the schema or by validation; asking again will not help."""


class ForbiddenError(ApiError):
    """Refused by RBAC, an admission plugin or a quota."""

    @property
    def quota(self) -> bool:
        return "exceeded quota" in self.message

    @property
    def lacking(self) -> str:
        """RBAC: which verb the account lacks, for which resource, in the API server's words; empty for other causes."""
        _, cannot, right = self.message.partition("cannot ")
        return f"{cannot}{right}".partition(" in the namespace")[0] if "resource" in right else ""

    @property
    def terminating(self) -> bool:
        """The namespace is being deleted: nothing new may be made in it."""
        return "being terminated" in self.message


class UnavailableError(ApiError):
    """Too many requests, a failing server, a timeout or no connection: asking again later may help.

    `retry_after` is how many seconds the server wants to be left alone, 0 where it does not say.
    """

    retry_after = 0.0


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    422: InvalidError,
    429: UnavailableError,
}


def from_answer(status: int, body: str, retry_after: str | None = None) -> ApiError:
    """The error of an HTTP status, the `Status` object in its body and the header Retry-After."""
    try:
        answer = json.loads(body)
        reason, message = str(answer.get("reason", "")), str(answer.get("message", ""))
    except (ValueError, AttributeError):
        reason, message = "", body[:500]
    kind = _BY_STATUS.get(status, UnavailableError if status >= 500 else ApiError)
    error = kind(status, reason, message)
    if isinstance(error, UnavailableError) and retry_after and retry_after.isdecimal():
        error.retry_after = float(retry_after)
    return error

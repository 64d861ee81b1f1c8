"""A request that is answered with an error: its status code and words for the caller."""


class RequestError(Exception):
    """`status` is the HTTP code; `retry_after` in seconds goes with 429 and 503."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class NotReadyError(RequestError):
    """The model is loading or the pod is going away: another pod, or a little later."""

    def __init__(self, message: str) -> None:
        super().__init__(503, message, retry_after=1)

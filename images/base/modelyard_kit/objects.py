"""Opens buckets with obstore and tells its errors apart.

obstore reports a refused listing as a generic error, so the HTTP status in its message decides.
"""

import re
from datetime import timedelta
from typing import Any, Literal

from obstore import exceptions
from obstore.store import ObjectStore, S3Store, from_url

Trouble = Literal["missing", "forbidden", "exists", "conflict", "unavailable"]

_STATUS = re.compile(r"status code: (\d{3})")
_REFUSED = {400: "forbidden", 401: "forbidden", 403: "forbidden", 404: "missing", 409: "conflict", 412: "conflict"}
OBJECT_ERRORS = (exceptions.BaseError, OSError)


def open_bucket(
    uri: str, endpoint: str | None, region: str | None, access_key: str | None = None, secret_key: str | None = None
) -> ObjectStore:
    """The bucket (and prefix) of `uri`. Without keys: the environment's, else the pod's cloud identity."""
    options: dict[str, Any] = {
        "client_options": {
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
            "connect_timeout": "5s",
            "timeout": "300s",
        },
        "retry_config": {"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
    }
    if not uri.startswith("s3://"):
        return from_url(uri, **options)
    settings: dict[str, Any] = {
        "endpoint": endpoint,
        "region": region or "us-east-1",
        "access_key_id": access_key,
        "secret_access_key": secret_key,
    }
    return S3Store.from_url(uri, **options, **{name: value for name, value in settings.items() if value})


def trouble(error: Exception) -> Trouble:
    """What an error of `OBJECT_ERRORS` means."""
    match error:
        case FileNotFoundError() | exceptions.NotFoundError():
            return "missing"
        case exceptions.PermissionDeniedError() | exceptions.UnauthenticatedError() | PermissionError():
            return "forbidden"
        case exceptions.AlreadyExistsError() | FileExistsError():
            return "exists"
        case exceptions.PreconditionError():
            return "conflict"
    found = _STATUS.search(str(error))
    return _REFUSED.get(int(found.group(1)), "unavailable") if found else "unavailable"  # type: ignore[return-value]


def is_of_disk(error: Exception) -> bool:
    """Whether an error of `OBJECT_ERRORS` is the pod's disk's: obstore's own have no number."""
    return isinstance(error, OSError) and error.errno is not None


def brief(error: Exception) -> str:
    """The first line of an obstore error; the rest is its internal state."""
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__

"""Opens a source's bucket and says in the user's terms what went wrong with a source."""

from pathlib import Path
from urllib.parse import urlsplit

from obstore.store import ObjectStore

from modelyard.contract.reasons import Reason
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import SOURCE_SECRETS_PATH, SourceTask
from modelyard_dataset.addresses import RefusedAddressError, addresses_of
from modelyard_kit.failure import TaskFailure, UserFailure, WorldFailure
from modelyard_kit.objects import brief, open_bucket, trouble

SECRETS = Path(SOURCE_SECRETS_PATH)


def source_bucket(source: SourceTask, bucket: str, store: StoreConfig, secrets: Path = SECRETS) -> ObjectStore:
    """The bucket of an s3 source: its own endpoint, region and credentials, or the store's."""
    if source.endpoint:
        _check(source, source.endpoint)
    keys = [_secret(source, secrets, name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    return open_bucket(
        f"s3://{bucket}", source.endpoint or store.endpoint, source.region or store.region, keys[0], keys[1]
    )


def _check(source: SourceTask, endpoint: str) -> None:
    """Raises UserFailure for an endpoint where no source may be."""
    try:
        addresses_of(urlsplit(endpoint).hostname or "")
    except RefusedAddressError as error:
        raise refused(source, "endpoint", error) from error
    except OSError as error:
        raise unavailable(source, f"{endpoint} has no address: {error}") from error


def source_failure(source: SourceTask, error: Exception) -> TaskFailure:
    """What an obstore error about a source means."""
    match trouble(error):
        case "missing":
            return not_found(source, "no bucket or file of that name")
        case "forbidden":
            return forbidden(source)
        case "conflict":
            return unavailable(source, "a file was changed while it was read")
    return unavailable(source, brief(error))


def not_found(source: SourceTask, detail: str) -> UserFailure:
    return UserFailure(Reason.SOURCE_NOT_FOUND, f"{field(source)}.uri {source.uri}: {detail}; correct the uri")


def forbidden(source: SourceTask) -> UserFailure:
    if source.uri.startswith("https://"):
        hint = "https sources are read without credentials; copy the file to a bucket"
        return UserFailure(Reason.SOURCE_FORBIDDEN, f"{field(source)}.uri {source.uri}: access was refused; {hint}")
    which = "the Secret of credentialsSecretRef" if source.has_credentials else "the store's credentials"
    return UserFailure(
        Reason.SOURCE_FORBIDDEN,
        f"{field(source)}.uri {source.uri}: access was refused to {which}; "
        "grant it, or name a Secret in credentialsSecretRef",
    )


def refused(source: SourceTask, name: str, error: RefusedAddressError) -> UserFailure:
    return UserFailure(Reason.SOURCE_FORBIDDEN, f"{field(source)}.{name}: {error}")


def unavailable(source: SourceTask, detail: str) -> WorldFailure:
    return WorldFailure(Reason.SOURCE_UNAVAILABLE, f"{field(source)}.uri {source.uri} cannot be read now: {detail}")


def field(source: SourceTask) -> str:
    """How messages name a source."""
    return f"spec.sources[{source.name}]"


def _secret(source: SourceTask, secrets: Path, name: str) -> str | None:
    if not source.has_credentials:
        return None
    try:
        return (secrets / source.name / name).read_text().strip()
    except OSError as error:
        raise UserFailure(
            Reason.SOURCE_FORBIDDEN, f"{field(source)}.credentialsSecretRef: the Secret has no key {name}; add it"
        ) from error

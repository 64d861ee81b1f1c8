"""Where things lie in the object store, and how a pod reaches it. Paths are relative to the store's URI."""

from modelyard.contract.document import Document


class StoreConfig(Document):
    """Credentials are never part of it: they come from the pod's environment or identity."""

    uri: str  # s3://bucket[/prefix]
    endpoint: str | None = None  # of an S3 that is not AWS
    region: str = "us-east-1"


def blob(digest: str) -> str:
    hexdigest = digest.removeprefix("sha256:")
    return f"blobs/sha256/{hexdigest[:2]}/{hexdigest}"


def dataset_manifest(namespace: str, name: str, digest: str) -> str:
    return f"datasets/{namespace}/{name}/manifests/{digest.removeprefix('sha256:')}.json"


def dataset_current(namespace: str, name: str) -> str:
    """Holds a `CurrentRef`; changed only by compare-and-swap (If-Match)."""
    return f"datasets/{namespace}/{name}/refs/current"


def dataset_quarantine(namespace: str, name: str, digest: str) -> str:
    return f"datasets/{namespace}/{name}/refs/quarantine/{digest.removeprefix('sha256:')}"


def dataset_verdict(namespace: str, name: str, key: str) -> str:
    """Holds the `DatasetResult` of a quarantined build, so that the same build is not done twice."""
    return f"datasets/{namespace}/{name}/refs/verdicts/{key.removeprefix('sha256:')}"


def model_manifest(namespace: str, name: str, digest: str) -> str:
    return f"models/{namespace}/{name}/{digest.removeprefix('sha256:')}.json"


def captures(namespace: str, name: str) -> str:
    """Prefix of captured requests; below it `dt=YYYY-MM-DD/hh=HH/<pod>-<n>.parquet` by UTC capture time."""
    return f"captures/{namespace}/{name}/"


def data_capture(namespace: str, name: str) -> str:
    """Prefix of captured rows in SageMaker's layout; below it `<variant>/yyyy/mm/dd/hh/<pod>-<n>.jsonl` in UTC."""
    return f"datacapture/{namespace}/{name}/"


def shadows(namespace: str, name: str) -> str:
    """Prefix of predictions of a candidate that nobody got, beside those that somebody got; partitioned alike."""
    return f"shadows/{namespace}/{name}/"


def labels(namespace: str, name: str) -> str:
    """Prefix of labels that came by feedback; partitioned like the captures."""
    return f"labels/{namespace}/{name}/"


def report(namespace: str, name: str, report_id: str, suffix: str) -> str:
    return f"reports/{namespace}/{name}/{report_id}.{suffix}"

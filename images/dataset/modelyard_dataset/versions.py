"""The dataset's versions in the store: what is current, what was rejected, and how a candidate becomes current."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import CurrentRef, DatasetManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.results import DatasetResult, FailedExpectation
from modelyard.contract.store import dataset_current, dataset_manifest, dataset_quarantine, dataset_verdict
from modelyard.contract.tasks import DatasetTask
from modelyard_kit.store import MissingError, Store, StoreError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Current:
    """The current version as it was when the build began; `etag` guards its replacement."""

    ref: CurrentRef | None = None
    etag: str | None = None
    manifest: DatasetManifest | None = None


class Versions:
    """Of one dataset. Methods raise StoreError."""

    def __init__(self, store: Store, task: DatasetTask) -> None:
        self.store = store
        self._names = (task.namespace, task.name)

    def current(self) -> Current:
        """A version whose manifest is damaged counts as none, so that the next build replaces it."""
        found = self.store.get_ref(dataset_current(*self._names), CurrentRef)
        if found is None:
            return Current()
        ref, etag = found
        try:
            path = dataset_manifest(*self._names, ref.digest)
            return Current(ref, etag, self.store.get_document(path, DatasetManifest, ref.digest))
        except StoreError as error:
            if error.reason != Reason.CORRUPT:
                raise
            log.warning("building anew: %s", error)
            return Current(None, etag, None)

    def rejected(self, build_key: str, current: Current) -> DatasetResult | None:
        """The verdict on the same build against the same current version, if it was rejected before."""
        try:
            return self.store.get_document(self._verdict(build_key, current), DatasetResult)
        except MissingError:
            return None

    def publish(self, manifest: DatasetManifest) -> str:
        """Writes a candidate's manifest; returns its digest."""
        digest = digest_of(manifest.wire())
        self.store.put_manifest(dataset_manifest(*self._names, digest), manifest)
        return digest

    def quarantine(self, ref: CurrentRef, result: DatasetResult, current: Current) -> None:
        """Keeps a rejected candidate where it can be looked at; the current version stays."""
        self.store.put_document(dataset_quarantine(*self._names, ref.digest), ref)
        self.store.put_document(self._verdict(ref.build_key, current), result)

    def promote(self, ref: CurrentRef, current: Current) -> None:
        """Makes a candidate current. Raises ConflictError where another build was faster."""
        self.store.swap_ref(dataset_current(*self._names), ref, current.etag)

    def _verdict(self, build_key: str, current: Current) -> str:
        against = current.ref.digest if current.ref else ""
        return dataset_verdict(*self._names, digest_of([build_key, against]))


def describe(
    manifest: DatasetManifest,
    digest: str,
    checked_at: str,
    failed: Sequence[FailedExpectation] = (),
    findings: Sequence[str] = (),
) -> DatasetResult:
    """The result that names a version, as Unchanged; its other outcomes are copies of it."""
    worst = sorted(failed, key=lambda item: item.severity)  # "fail" before "warn"
    return DatasetResult(
        outcome="Unchanged",
        digest=digest,
        rows=manifest.rows,
        bytes=sum(file.bytes for file in manifest.files),
        files=len(manifest.files),
        splits={file.split: file.rows for file in manifest.files if file.split},
        profile_digest=manifest.profile_digest,
        logical_digest=manifest.logical_digest,
        inputs_digest=manifest.inputs_digest,
        checked_at=checked_at,
        content_changed=False,
        failed_expectations=worst[:5],
        schema_findings=list(findings)[:5],
    )

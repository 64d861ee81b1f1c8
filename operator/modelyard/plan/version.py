"""What a build's result means for a dataset: a new version, the same one, or a candidate that was rejected."""

from collections.abc import Iterable
from datetime import datetime

from modelyard.api.dataset import Candidate, DatasetVersion, FailedExpectationStatus
from modelyard.contract.document import short
from modelyard.contract.reasons import Reason
from modelyard.contract.results import DatasetResult, FailedExpectation
from modelyard.contract.wording import DETAIL_LIMIT, plain
from modelyard.plan.moments import moment, not_after


def version(result: DatasetResult, created_at: str) -> DatasetVersion:
    return DatasetVersion(
        digest=result.digest,
        version=f"v-{short(result.digest)}",
        rows=result.rows,
        bytes=result.bytes,
        files=result.files,
        splits=result.splits,
        profile_digest=result.profile_digest,
        logical_digest=result.logical_digest,
        created_at=created_at,
    )


def candidate(result: DatasetResult) -> Candidate:
    """A rejected version. Warnings did not reject it."""
    failed = [
        FailedExpectationStatus(
            name=plain(e.name, 128), failed=e.failed, total=e.total, message=plain(e.message, DETAIL_LIMIT)
        )
        for e in result.failed_expectations
        if e.severity == "fail"
    ]
    return Candidate(
        digest=result.digest, failed_expectations=failed, schema_findings=[plain(f) for f in result.schema_findings]
    )


def rejection(rejected: Candidate) -> tuple[Reason, str]:
    """Why a candidate was rejected, in words."""
    failed = [e.message or _counted(e.name, e.failed, e.total) for e in rejected.failed_expectations]
    reason = Reason.EXPECTATION_FAILED if failed else Reason.SCHEMA_MISMATCH
    return reason, "; ".join([*failed, *rejected.schema_findings])


def warnings(expectations: Iterable[FailedExpectation]) -> str:
    """Expectations of severity warn that did not hold; empty where all do."""
    told = [e.message or _counted(e.name, e.failed, e.total) for e in expectations if e.severity == "warn"]
    return "; ".join(told)


def checked_at(result: DatasetResult, started_at: str, now: datetime) -> str:
    """When the sources were looked at: surely after the build was started, and not after now, whatever the pod's clock
    says."""
    return not_after(now, max(result.checked_at, started_at, key=moment))


def _counted(name: str, failed: int, total: int) -> str:
    return f"{name}: {failed:,} of {total:,} failed"

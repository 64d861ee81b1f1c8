"""What a monitor's finished Jobs leave behind: results to take, and Jobs and tasks that may go."""

from dataclasses import dataclass
from datetime import datetime

from modelyard.api.drift import CheckStatus
from modelyard.contract.results import CheckResult
from modelyard.plan.checkup import CHECK, GATE
from modelyard.plan.failure import Failure
from modelyard.plan.finding import Checked
from modelyard.plan.inquiry import Inquiry
from modelyard.plan.moments import moment
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object
from modelyard.plan.results import Attempt, job_ended_at, read_attempt
from modelyard.plan.settings import Settings

KEPT = 2  # finished Jobs of each sort


def results(monitor: Object, observed: Observed, now: datetime, settings: Settings) -> list[Checked]:
    """The results of all finished checks that are still there."""
    attempts = [(j, read_attempt(observed, j, now, settings)) for j in _checks(monitor, observed)]
    return [
        Checked(_name(j), at, a.result)
        for j, a in attempts
        if isinstance(a.result, CheckResult) and (at := _ended_at(j, a, now))
    ]


def _ended_at(job: Object, attempt: Attempt, now: datetime) -> str | None:
    """Not later than its Job ended: a node's clock may be ahead, and no check after it would be newer. Of a time that
    is still to come the Job's end tells, which follows soon; `now` would make the result a newer one at each look."""
    at, over = attempt.ended_at, job_ended_at(job)
    if at and over:
        return min(at, over, key=moment)
    return at if at and moment(at) <= now else None


def newest(monitor: Object, observed: Observed, now: datetime, settings: Settings) -> tuple[Failure | None, Inquiry]:
    """What is wrong with the check that was started last, and what more is wanted to know of it.

    While it does not tell, the one before it counts: starting a check again does not mend it.
    """
    started = sorted(_checks(monitor, observed), key=lambda j: (_created(j), _name(j)))
    attempts = [read_attempt(observed, job, now, settings) for job in reversed(started)]
    telling = next((a for a in attempts if a.failure or a.ended_at), None)
    return telling.failure if telling else None, sum((a.inquiry for a in attempts), Inquiry())


def disposable(
    observed: Observed, taken: CheckStatus | None, gate: str, now: datetime, settings: Settings
) -> tuple[Object, ...]:
    """Finished Jobs of ours beyond the newest, and tasks of gates that are gone.

    `taken` is the last result that is already written in the status: what is newer must not get lost. `gate` is the
    attempt under way. The CronJob's own Jobs are its to clean.
    """
    finished = _finished(observed, CHECK, now, settings)[:-KEPT]
    checks = [e.job for e in finished if e.without_result or (taken and e.order <= (moment(taken.at), taken.job))]
    gates = [e.job for e in _finished(observed, GATE, now, settings) if _name(e.job) != gate][:-KEPT]
    kept = {gate, *(_name(j) for j in observed.of("Job", GATE))}
    return (*checks, *gates, *(c for c in observed.of("ConfigMap", GATE) if _name(c) not in kept))


@dataclass(frozen=True)
class _Ended:
    job: Object
    at: str
    without_result: bool  # its pod says so; where there is no pod, one may still be seen

    @property
    def order(self) -> tuple[datetime, str]:
        """As results are taken."""
        return moment(self.at), _name(self.job)


def _finished(observed: Observed, role: str, now: datetime, settings: Settings) -> list[_Ended]:
    """Ended Jobs that the monitor itself owns, oldest first."""
    ended = [
        _Ended(job, at, attempt.failure is not None and attempt.pod is not None)
        for job in observed.of("Job", role)
        if any(o["kind"] == "DriftMonitor" for o in job["metadata"].get("ownerReferences", []))
        and (at := _ended_at(job, attempt := read_attempt(observed, job, now, settings), now))
    ]
    return sorted(ended, key=lambda e: e.order)


def _checks(monitor: Object, observed: Observed) -> list[Object]:
    """A monitor of the same name that is gone may have left some: nothing is known of what they compared."""
    return [job for job in observed.of("Job", CHECK) if _is_its_own(job, monitor)]


def _is_its_own(job: Object, monitor: Object) -> bool:
    """Of the CronJob's Jobs the time tells: it may have been taken over."""
    owner = next((o["uid"] for o in job["metadata"].get("ownerReferences", ()) if o["kind"] == "DriftMonitor"), None)
    return _created(job) >= _created(monitor) if owner is None else bool(owner == monitor["metadata"]["uid"])


def _created(child: Object) -> str:
    return str(child["metadata"].get("creationTimestamp", ""))


def _name(child: Object) -> str:
    return str(child["metadata"]["name"])

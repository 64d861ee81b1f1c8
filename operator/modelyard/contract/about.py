"""What is known of each reason: how bad it is, which kinds show it, who can mend it, and the next step in a line.

The pages in docs/reasons are made from it, and messages link to the page of a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from modelyard.contract.reasons import Reason

Severity = Literal["progress", "good", "finding", "error"]
Blame = Literal["nobody", "user", "world", "either"]

DATASET, TRAINING, SERVING, DRIFT = "Dataset", "TrainingJob", "ModelDeployment", "DriftMonitor"
ALL = (DATASET, TRAINING, SERVING, DRIFT)
DATA = (DATASET, TRAINING, SERVING)  # what a Dataset says, those that wait for it repeat


@dataclass(frozen=True)
class About:
    """`blame` says who can mend it: the user, the cluster's or the world's owners, or either, as the message says."""

    severity: Severity
    kinds: tuple[str, ...]
    blame: Blame
    next_step: str

    @property
    def fault(self) -> bool:
        """Whether messages end with the link to the page."""
        return self.severity in ("finding", "error")


def _progress(kinds: tuple[str, ...], next_step: str) -> About:
    return About("progress", kinds, "nobody", next_step)


def _good(kinds: tuple[str, ...], next_step: str) -> About:
    return About("good", kinds, "nobody", next_step)


def _finding(kinds: tuple[str, ...], blame: Blame, next_step: str) -> About:
    return About("finding", kinds, blame, next_step)


def _users(kinds: tuple[str, ...], next_step: str) -> About:
    return About("error", kinds, "user", next_step)


def _worlds(kinds: tuple[str, ...], next_step: str, blame: Blame = "world") -> About:
    return About("error", kinds, blame, next_step)


ABOUT: Mapping[Reason, About] = {
    Reason.PENDING: _progress(ALL, "Nothing to do: work begins by itself."),
    Reason.PAUSED: _progress(ALL, "Remove the annotation modelyard.dev/paused to go on."),
    Reason.SUSPENDED: _progress(ALL, "Set spec.suspend to false, or remove it, to go on."),
    Reason.BUILDING: _progress((DATASET, TRAINING), "Nothing to do: status.progress says how far it is."),
    Reason.TRAINING: _progress((TRAINING, SERVING), "Nothing to do: status.progress says how far it is."),
    Reason.WAITING_FOR_DATASET: _progress((TRAINING, SERVING), "Look at the Dataset that the message names."),
    Reason.WAITING_FOR_MODEL: _progress((SERVING, DRIFT), "Look at the TrainingJob that the message names."),
    Reason.WAITING_FOR_DEPLOYMENT: _progress((DRIFT,), "Look at the ModelDeployment that the message names."),
    Reason.BACKING_OFF: _progress(DATA, "Wait for the next attempt, or mend what is named."),
    Reason.STARTING: _progress((TRAINING, SERVING), "Nothing to do: pods take a moment to start."),
    Reason.ROLLING_OUT: _progress((SERVING,), "Nothing to do: status.rollout has the figures."),
    Reason.WAITING_FOR_TRAFFIC: _progress((SERVING,), "Send requests, or lower spec.rollout.minRequests."),
    Reason.LEARNING: _progress((DRIFT,), "Wait for the next check, or change the annotation modelyard.dev/run."),
    Reason.RETRAINING: _progress((DRIFT,), "Nothing to do: the TrainingJob that the message names is at work."),
    Reason.GATING: _progress(
        (DRIFT, TRAINING), "Send labels: the gate needs labelled rows newer than the training data."
    ),
    Reason.COOLDOWN: _progress((DRIFT,), "Wait until status.nextRetrainAt, or shorten spec.retrain.cooldown."),
    Reason.AWAITING_APPROVAL: _progress((DRIFT, TRAINING), "Approve the retraining by annotation, or leave it."),
    Reason.READY: _good((DATASET, SERVING, DRIFT), "Nothing to do."),
    Reason.UP_TO_DATE: _good((DATASET, SERVING, DRIFT), "Nothing to do."),
    Reason.SUCCEEDED: _good((TRAINING,), "Serve the model with a ModelDeployment."),
    Reason.STABLE: _good((DRIFT,), "Nothing to do."),
    Reason.APPROVED: _good((TRAINING,), "Nothing to do: a ModelDeployment that follows the family serves it."),
    Reason.PROMOTED: _good((SERVING, DRIFT, TRAINING), "Nothing to do: the new model answers all requests."),
    Reason.EXPECTATION_FAILED: _finding(
        DATA, "user", "Mend the data, or the expectation in spec.expectations if it is wrong."
    ),
    Reason.SCHEMA_MISMATCH: _finding(DATA, "user", "Mend the columns of the source, or spec.schema if it is wrong."),
    Reason.CRITERIA_NOT_MET: _finding(
        (TRAINING, SERVING), "user", "Train better (data, parameters), or lower spec.objective."
    ),
    Reason.ROLLED_BACK: _finding((SERVING,), "user", "Read the figures in status.rolledBack; train another model."),
    Reason.DRIFTED: _finding((DRIFT,), "nobody", "Look at the columns in status.lastCheck.worst and at the report."),
    Reason.DEGRADED: _finding((DRIFT, SERVING), "either", "Retrain; for servers, look at the pods that are not ready."),
    Reason.QUALITY_VIOLATION: _finding((DRIFT,), "user", "Mend what sends the requests; retraining waits for it."),
    Reason.INSUFFICIENT_DATA: _finding(
        (DRIFT,), "nobody", "Send more requests or labels; or lower spec.window.minRows."
    ),
    Reason.NO_ROWS: _finding((DRIFT,), "nobody", "Call the endpoint, and set spec.capture.percent above 0."),
    Reason.REFUSED: _finding(
        (DRIFT, TRAINING), "nobody", "Nothing to do: the present model stays. Read status.retrain.gate."
    ),
    Reason.RETRAIN_FAILED: _finding(
        (DRIFT,), "either", "Look at the TrainingJob that status.retrain.trainingJob names."
    ),
    Reason.INVALID_SQL: _users(DATA, "Correct the SQL that the message names."),
    Reason.MISSING_COLUMN: _users(ALL, "Correct the name of the column; the message lists those there are."),
    Reason.SOURCE_NOT_FOUND: _users(DATA, "Correct the uri of the source that the message names."),
    Reason.SOURCE_FORBIDDEN: _users(
        DATA, "Give the pod access: spec.sources[].credentialsSecretRef, or its cloud identity."
    ),
    Reason.CHECKSUM_MISMATCH: _users(DATA, "Compare with sha256sum FILE; correct the source or its sha256."),
    Reason.BAD_DATA: _users(ALL, "Mend the column that the message names."),
    Reason.USER_ERROR: _users(ALL, "Read the pod's log; correct the script or its parameters."),
    Reason.UNSAFE_MODEL: _users(ALL, "Save the model by skops.io.dump, with types of the allow-list."),
    Reason.CONFIG_ERROR: _users(ALL, "Change the field, or create the object, that the message names."),
    Reason.IMAGE_PULL: _worlds(ALL, "Correct the image's name, or give the registry's credentials.", "either"),
    Reason.CRASH_LOOP: _worlds(ALL, "Read kubectl logs --previous of the pod.", "either"),
    Reason.OOM_KILLED: _worlds(ALL, "Raise spec.resources.limits.memory.", "user"),
    Reason.UNSCHEDULABLE: _worlds(ALL, "Add a node with what the message names, or ask for less in spec.resources."),
    Reason.EVICTED: _worlds(ALL, "Nothing to do, unless the message names a limit to raise.", "either"),
    Reason.PREEMPTED: _worlds(ALL, "Nothing to do: it is tried again."),
    Reason.NODE_LOST: _worlds(ALL, "Nothing to do, unless the node does not come back: then repair or remove it."),
    Reason.DEADLINE_EXCEEDED: _worlds(
        ALL, "Raise the deadline that the message names, or give the pod more cpu.", "user"
    ),
    Reason.QUOTA_EXCEEDED: _worlds(ALL, "Raise the quota that the message names, or free what uses it up.", "either"),
    Reason.STORE_UNAVAILABLE: _worlds(ALL, "Nothing to do, unless it lasts: then look at the object store."),
    Reason.SOURCE_UNAVAILABLE: _worlds(DATA, "Nothing to do, unless it lasts: then look at the source."),
    Reason.CORRUPT: _worlds(ALL, "Build or train it again; look at who else writes to the store."),
    Reason.SERVING_PARITY: _worlds(
        (SERVING,), "Use training and serving images of one release, or train the model again."
    ),
    Reason.INTERNAL_ERROR: _worlds(ALL, "Read the operator's log; report a fault of modelyard."),
}

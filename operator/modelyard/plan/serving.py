"""ModelDeployment: the family's approved model behind one Service; a newer one takes over by measured canary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from modelyard.api.conditions import ConditionSet
from modelyard.api.serving import ModelDeploymentSpec, ModelDeploymentStatus, Revision
from modelyard.contract.progress import Routing
from modelyard.plan.announce import transitions
from modelyard.plan.canary import Turn, roll, target, withdrawn
from modelyard.plan.endpoint import disruption_budget, main_service, revision_service
from modelyard.plan.fleet import servers
from modelyard.plan.inquiry import Inquiry
from modelyard.plan.leftover import Leftovers, leftovers
from modelyard.plan.observe import Observed
from modelyard.plan.opening import opening
from modelyard.plan.parity import PARITY, learned, unasked
from modelyard.plan.plan import Object, Plan
from modelyard.plan.revision import choose
from modelyard.plan.rollout import Candidate, routing, steady
from modelyard.plan.server import serve_task, server_deployment, task_config
from modelyard.plan.settings import Settings
from modelyard.plan.shown import dumped
from modelyard.plan.standing import Standing, at_rest, returning, stand, waiting
from modelyard.plan.suspension import suspended


def plan_serving(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
    read = opening(resource, ModelDeploymentSpec, ModelDeploymentStatus, now)
    if isinstance(read, Plan):
        return read
    spec, conditions = read.spec, read.conditions
    family = observed.related.get("TrainingJob", ())
    turn = _turn(spec, read.status, family, observed, now, settings)
    turn = replace(turn, status=learned(turn.status, observed))
    if turn.status.stable is None:
        root = spec.model.training_job_ref.name
        job = next((j for j in family if j["metadata"]["name"] == root), None)
        phase = suspended(conditions, "no model is taken up") if spec.suspend else waiting(conditions, root, job)
        status = _written(turn.status, resource, phase, conditions, 0)
        return Plan(status, events=turn.events or transitions(read.before.get("conditions", []), status["conditions"]))
    return _serve(_Endpoint(resource, spec, read.status, observed, now, settings), turn, turn.status.stable, conditions)


@dataclass(frozen=True)
class _Endpoint:
    resource: Object
    spec: ModelDeploymentSpec
    before: ModelDeploymentStatus
    observed: Observed
    now: datetime
    settings: Settings


def _serve(of: _Endpoint, turn: Turn, stable: Revision, conditions: ConditionSet) -> Plan:
    status, old = turn.status, of.resource.get("status", {})
    seen = servers(of.observed, stable.revision)
    trouble = seen.trouble(of.now, of.settings)
    standing = Standing(status, old.get("phase", ""), seen, of.spec.replicas.min, turn.move, trouble)
    phase = at_rest(conditions, status, stable) if of.spec.suspend else stand(conditions, standing, stable)
    if of.spec.container:  # answers by its own rules: they are not compared with training's
        conditions.remove(PARITY)
    written = _written(status, of.resource, phase, conditions, seen.ready)
    events = turn.events or transitions(old.get("conditions", []), written["conditions"])
    if _decided(of.before) != _decided(status):
        return Plan(written, events=events)
    children = _children(of, status, stable)
    rest = leftovers(of.observed, status, children, of.now)
    measured = status.rollout is not None and status.rollout.step >= 0
    live = [r for r in (stable, status.candidate) if r]
    compared = () if of.spec.container else live
    asked = sum((servers(of.observed, r.revision).inquiry(of.now) for r in live), Inquiry())
    waits = (turn.move.wait if turn.move else None, rest.wait, asked.wait)
    return Plan(
        status=written,
        apply=children,
        delete=rest.delete,
        events=events,
        requeue_after=min((w for w in waits if w), default=None),
        routing=_routing(of, turn, stable, rest),
        poll=tuple(dict.fromkeys((*(seen.ready_pods if measured else ()), *unasked(compared, of.observed)))),
        inspect=asked.about,
    )


def _decided(status: ModelDeploymentStatus) -> tuple[object, ...]:
    """What is written before anything is done about it: the figures that it followed from may be lost meanwhile."""
    revisions = (r.revision if r else "" for r in (status.stable, status.candidate))
    return (*revisions, status.rollout.step if status.rollout else None)


def _turn(
    spec: ModelDeploymentSpec,
    status: ModelDeploymentStatus,
    family: Sequence[Object],
    observed: Observed,
    now: datetime,
    settings: Settings,
) -> Turn:
    """What is to be served, and the rollout's next move where one is under way. None begins without servers."""
    if spec.suspend:
        return withdrawn(status, "the endpoint is suspended", now)
    if status.stable:
        serving = servers(observed, status.stable.revision)
        if returning(status.phase, serving, spec.replicas.min, serving.trouble(now, settings)):
            return Turn(status)
    return _rollout(spec, target(status, choose(spec.model, status, family, now), now), observed, now, settings)


def _rollout(spec: ModelDeploymentSpec, turn: Turn, observed: Observed, now: datetime, settings: Settings) -> Turn:
    stable, candidate = turn.status.stable, turn.status.candidate
    if stable is None or candidate is None:
        return turn
    serving = servers(observed, stable.revision)
    figures = [r for name in serving.ready_pods if (r := observed.readings.get(name))]
    seen = _candidate(spec, candidate, observed, now, settings)
    return roll(turn, spec.rollout, seen, serving.ready, figures, now)


def _candidate(
    spec: ModelDeploymentSpec, candidate: Revision, observed: Observed, now: datetime, settings: Settings
) -> Candidate:
    seen = servers(observed, candidate.revision)
    return Candidate(candidate.revision, seen.ready, spec.replicas.min, seen.trouble(now, settings), seen.silent)


def _children(of: _Endpoint, status: ModelDeploymentStatus, stable: Revision) -> tuple[dict[str, Any], ...]:
    """Servers before what routes to them. What is left of other revisions stays as it is until it is deleted."""
    children = []
    for revision in (stable, status.candidate):
        if revision:
            config = task_config(of.resource, serve_task(of.resource, of.spec, revision, of.settings))
            name = config["metadata"]["name"]
            children += [config, server_deployment(of.resource, of.spec, revision, name, of.settings)]
            children += [revision_service(of.resource, revision.revision)]
    children += [main_service(of.resource, stable.revision, of.spec.grpc)]
    if of.spec.replicas.min > 1:
        children += [disruption_budget(of.resource, stable.revision)]
    return tuple(children)


def _routing(of: _Endpoint, turn: Turn, stable: Revision, rest: Leftovers) -> Mapping[str, Routing]:
    """What servers are told: the rollout's share, or that there is none where they might still think so."""
    status, pods = turn.status, servers(of.observed, stable.revision).ready_pods
    none = steady(stable.revision)
    ending = dict.fromkeys(rest.pods, none)
    if turn.move and status.candidate and status.rollout and status.rollout.step >= 0:
        candidate = _candidate(of.spec, status.candidate, of.observed, of.now, of.settings)
        share = routing(candidate, status.rollout)
        return {**ending, **dict.fromkeys(pods, share)}
    epochs = {str(of.observed.readings.get(name, {}).get("epoch", "")) for name in pods}
    return {**ending, **dict.fromkeys(pods, none)} if rest.draining or epochs - {"", none.epoch} else {}


def _written(
    status: ModelDeploymentStatus, resource: Object, phase: str, conditions: ConditionSet, ready: int
) -> dict[str, Any]:
    metadata = resource["metadata"]
    url = f"http://{metadata['name']}.{metadata['namespace']}.svc" if status.stable else None
    changes = {"phase": phase, "ready_replicas": ready, "url": url}
    return dumped(status.model_copy(update=changes), conditions)

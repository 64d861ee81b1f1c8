"""One reconcile: what is known of a resource goes to its planner, and what the planner answers is carried out.

Order: children, deletions, status, events. Whatever prefix of it happens, the next reconcile does the rest.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from modelyard.api.conditions import timestamp
from modelyard.contract.progress import Routing
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import quoted
from modelyard.plan.labels import APPLIED_HASH, hash_of
from modelyard.plan.observe import Observed, observe
from modelyard.plan.plan import Key, Object, Plan, key_of
from modelyard.plan.settings import Settings
from modelyard.runtime import status
from modelyard.runtime.budget import Budget
from modelyard.runtime.cache import version_of
from modelyard.runtime.client import Client
from modelyard.runtime.coalescing import Coalescing
from modelyard.runtime.errors import ApiError, ConflictError, ForbiddenError, InvalidError, NotFoundError
from modelyard.runtime.events import Recorder
from modelyard.runtime.intake import Intake
from modelyard.runtime.resources import resource_of

Planner = Callable[[Object, Observed, datetime, Settings], Plan]
Planners = Mapping[str, Planner]
ANOTHER_LOOK = 1.0  # seconds, at the latest, at a resource that was newer than was known
PATIENCE = 5  # failures in a row before an outage is shown in the status

log = logging.getLogger(__name__)


class Asks(Protocol):
    """Who asks pods on the planner's behalf."""

    def ask(self, key: Key, pods: tuple[str, ...], routing: Mapping[str, Routing]) -> None: ...


class Looks(Protocol):
    """Who fetches the events about children on the planner's behalf."""

    def look_at(self, owner: Key, objects: tuple[Object, ...]) -> None: ...


class PlanningError(Exception):
    """A planner raised, or planned what cannot be: an error of ours."""


def _now() -> datetime:
    return datetime.now(UTC)


class Reconciler:
    def __init__(
        self,
        client: Client,
        intake: Intake,
        recorder: Recorder,
        asks: Asks,
        looks: Looks,
        planners: Planners,
        settings: Settings,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._client = client
        self._intake = intake
        self._recorder = recorder
        self._asks = asks
        self._looks = looks
        self._planners = planners
        self._settings = settings
        self._now = now
        self._to_heal: set[Key] = set()
        self._begun: set[Key] = set()  # without a status, and perhaps with children
        self._leads_since = ""  # as creationTimestamp
        self._budget = Budget()
        self._coalescing = Coalescing()

    def heal(self, key: Key) -> None:
        """Apply all children of this resource the next time, even those that seem to be as planned."""
        self._to_heal.add(key)

    def take_over(self) -> None:
        """What was made before may have been begun by another leader, whatever is told of it and when."""
        self._leads_since = timestamp(self._now() + timedelta(seconds=1))  # what is made in this second is in doubt
        self._to_heal.clear()  # a standby's resync marks all there is: the leader before has healed it

    async def reconcile(self, key: Key, failures: int = 0) -> float | None:
        """Seconds until the resource wants to be looked at again, or None.

        `failures` is how often it failed in a row. Raises ApiError, FencedError or PlanningError.
        """
        self._intake.failing.discard(key)
        resource = self._intake.cache.get(key)
        if resource is None or "deletionTimestamp" in resource["metadata"]:
            self._forget(key)  # ownerReferences: the garbage collector deletes the children
            return None
        if status.is_paused(resource):
            self._forget(key)
            await self._write_status(resource, status.paused(resource, self._now()))
            return None
        if status.was_paused(resource):
            self.heal(key)  # what was changed meanwhile
        try:
            plan = self._plan(resource)
            wait = await self._carry_out(key, resource, plan)
        except PlanningError as error:
            await self._try_to_show(resource, {}, Reason.INTERNAL_ERROR, _ours(error))
            raise
        except ApiError as error:
            await self._show(resource, plan.status, error, failures)
            raise
        if wait:
            return min(wait, plan.requeue_after or wait)
        return plan.requeue_after

    def _forget(self, key: Key) -> None:
        self._asks.ask(key, (), {})
        for child in self._intake.cache.children(key):
            if child["kind"] == "Pod":  # what it told is old when somebody asks again
                self._intake.cache.set_reading(key.namespace, child["metadata"]["name"], None)
        self._looks.look_at(key, ())
        self._to_heal.discard(key)
        self._begun.discard(key)
        self._budget.forget(key)
        self._coalescing.forget(key)

    def _plan(self, resource: Object) -> Plan:
        try:
            seen = status.without_pause(resource)
            observed = observe(seen, self._intake.cache)
            return self._planners[resource["kind"]](seen, observed, self._now(), self._settings)
        except Exception as error:
            raise PlanningError(f"{type(error).__name__}: {error}") from error

    async def _carry_out(self, key: Key, resource: Object, plan: Plan) -> float:
        """Seconds after which to go on: the status waits for more to tell, or the resource was not known as it is."""
        known = {other: self._intake.cache.get(other) for other in plan.relies_on}  # as it was planned on
        unwanted = [child for child in plan.delete if "deletionTimestamp" not in child["metadata"]]
        wanted = self._news(plan.apply, heal=key in self._to_heal)
        is_new = self._is_new(key, resource)
        if unwanted or (wanted and not is_new):
            known[key] = resource
        if not await self._are_up_to_date(known):
            return ANOTHER_LOOK
        if wanted and is_new:
            self._begun.add(key)
        await self._apply_all(key, wanted, unwanted)
        self._to_heal.discard(key)
        for child in unwanted:
            await self._delete(key, child)
        self._asks.ask(key, plan.poll, plan.routing)
        self._looks.look_at(key, plan.inspect)
        before = resource.get("status", {})
        patch = status.merge_patch(before, plan.status)
        if wait := self._coalescing.wait(key, before, patch):
            return wait  # planning again tells its events, too
        await self._send_status(resource, plan.status, patch)
        self._begun.discard(key)
        for event in plan.events:
            await self._recorder.tell(resource, event)
        return 0.0

    def _news(self, children: Iterable[Mapping[str, Any]], *, heal: bool) -> list[dict[str, Any]]:
        """Those that are not there, not as planned, or touched by somebody; with the hash of what is planned."""
        news = []
        for child in children:
            place, planned = key_of(child), hash_of(child, 16)
            present = self._intake.cache.get(place)
            annotations: Mapping[str, str] = present["metadata"].get("annotations", {}) if present else {}
            if heal or annotations.get(APPLIED_HASH) != planned or self._intake.cache.ownership.touched(place):
                news.append(_marked(child, planned))
        return news

    def _is_new(self, key: Key, resource: Object) -> bool:
        """Nobody can have made children for it."""
        made_at = resource["metadata"].get("creationTimestamp", "")
        return not resource.get("status") and key not in self._begun and made_at >= self._leads_since

    async def _are_up_to_date(self, known: Mapping[Key, Object | None]) -> bool:
        """Kinds are watched apart: the garbage collector's work may be known before the deletion it follows, and what
        another leader made for a newer spec before that spec is."""
        for key, resource in known.items():
            kind = resource_of(key.kind)
            found, at = await self._client.named(kind, key.namespace, key.name)
            if (found and version_of(found)) == (resource and version_of(resource)):
                continue
            if found is None:
                self._intake.missing(key, at)
            else:
                self._intake.present({**found, "apiVersion": kind.api_version, "kind": key.kind})
            return False
        return True

    async def _apply_all(self, key: Key, wanted: Iterable[Mapping[str, Any]], unwanted: Iterable[Object]) -> None:
        try:
            for planned in wanted:
                await self._apply(key, planned)
        except ForbiddenError as error:
            for child in unwanted:
                if error.quota and child["kind"] == "Job":  # it may take up the quota, and nobody is served by it
                    with suppress(ApiError):  # the quota is to be told
                        await self._delete(key, child)
            raise

    async def _apply(self, key: Key, child: Mapping[str, Any]) -> None:
        present = self._intake.cache.get(key_of(child))
        self._budget.spend(key)
        written = await (self._client.apply(child, force=True) if present else self._begin(child))
        self._intake.present(written)
        self._intake.cache.ownership.applied(written)

    async def _begin(self, child: Mapping[str, Any]) -> dict[str, Any]:
        """Apply a child that is not known as ours. Raises InvalidError where its name is somebody else's."""
        try:
            return await self._client.apply(child, force=False)
        except ConflictError:
            kind, metadata = child["kind"], child["metadata"]
            found, _ = await self._client.named(resource_of(kind), metadata["namespace"], metadata["name"])
            if found and not _same_owner(found, child):
                said = f"a {kind} named {metadata['name']} is there already and belongs to somebody else"
                raise InvalidError(409, "AlreadyExists", said) from None
        return await self._client.apply(child, force=True)

    async def _delete(self, key: Key, child: Object) -> None:
        self._budget.spend(key)
        try:
            await self._client.delete(child)
        except NotFoundError as error:  # a conflict is tried again: it may be that of another writer
            log.debug("%s %s is gone already: %s", child["kind"], child["metadata"]["name"], error)

    async def _write_status(self, resource: Object, planned: Mapping[str, Any]) -> None:
        await self._send_status(resource, planned, status.merge_patch(resource.get("status", {}), planned))

    async def _send_status(self, resource: Object, planned: Mapping[str, Any], patch: Mapping[str, Any]) -> None:
        """`patch` makes `planned` of the status as it is."""
        if not patch:
            return
        self._budget.spend(key_of(resource))
        try:
            written = await self._client.patch_status(resource, patch)
        except NotFoundError:
            if await self._are_up_to_date({key_of(resource): resource}):
                raise  # it is its kind that is not known
            return
        except InvalidError as error:
            raise PlanningError(f"its schema refuses the planned status: {error.message}") from error
        lost = status.merge_patch(written.get("status", {}), planned)
        if lost:
            log.error("the schema of %s drops fields of its status: %s", resource["kind"], sorted(lost))
        self._intake.present(written)

    async def _show(self, resource: Object, planned: Mapping[str, Any], error: ApiError, failures: int) -> None:
        if isinstance(error, InvalidError):
            await self._try_to_show(resource, planned, Reason.CONFIG_ERROR, _refused(error), final=True)
        elif isinstance(error, ForbiddenError) and not error.terminating:
            reason = Reason.QUOTA_EXCEEDED if error.quota else Reason.INTERNAL_ERROR
            await self._try_to_show(resource, planned, reason, _refused(error))
        elif failures + 1 >= PATIENCE and not isinstance(error, (ConflictError, ForbiddenError)):
            text = f"The API server does not answer as it should: {quoted(str(error))}. The operator tries again."
            await self._try_to_show(resource, planned, Reason.INTERNAL_ERROR, text)

    async def _try_to_show(
        self, resource: Object, planned: Mapping[str, Any], reason: Reason, message: str, *, final: bool = False
    ) -> None:
        """The error that is to be shown is the one to raise, not one of showing it."""
        self._intake.failing.add(key_of(resource))
        shown = status.failed(resource, reason, message, self._now(), final=final, planned=planned)
        try:
            await self._write_status(resource, shown)
        except (ApiError, PlanningError) as error:
            log.warning("the failure could not be shown: %s", error)


def _marked(child: Mapping[str, Any], planned: str) -> dict[str, Any]:
    metadata = child["metadata"]
    annotations = {**metadata.get("annotations", {}), APPLIED_HASH: planned}
    return {**child, "metadata": {**metadata, "annotations": annotations}}


def _same_owner(found: Object, child: Mapping[str, Any]) -> bool:
    owners = {owner["uid"] for owner in found["metadata"].get("ownerReferences", [])}
    return any(owner["uid"] in owners for owner in child["metadata"].get("ownerReferences", []))


def _ours(error: PlanningError) -> str:
    fix = "It tries again; please report this with the operator's log."
    return f"The operator cannot plan this resource: {quoted(str(error))}. {fix}"


def _refused(error: ApiError) -> str:
    if isinstance(error, ForbiddenError) and error.lacking:
        fix = (
            "Give its role this right, as this version's chart does: upgrade the release, or ask who manages its RBAC."
        )
        return f"The operator may not do what this resource needs: it {quoted(error.lacking)}. {fix}"
    said = quoted(error.message)
    return f"Kubernetes refused what this resource needs: {said}. Change the field it names, or what forbids it."

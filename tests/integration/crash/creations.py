"""All that was ever created for the operator's purposes, told by watches: also what is long gone."""

import asyncio
from collections import Counter, defaultdict

from modelyard.plan.labels import JOB_NAME, SELECTOR
from modelyard.runtime.resources import CHILDREN, resource_of
from tests.cluster.mock_kubelet.connection import Connection
from tests.integration.crash.outcome import scrubbed


class Creations:
    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], set[str]] = defaultdict(set)  # namespace, kind, name: uids

    async def watch(self, connection: Connection) -> None:
        """Until cancelled. TrainingJobs that a monitor makes bear the label, those of people do not."""
        async with asyncio.TaskGroup() as tasks:
            for resource in (*CHILDREN, resource_of("TrainingJob")):
                tasks.create_task(self._watch(connection, resource.kind, resource.path(None)))

    async def _watch(self, connection: Connection, kind: str, path: str) -> None:
        async for _, found in connection.watch(path, labelSelector=SELECTOR):
            metadata = found["metadata"]
            # Of pods what counts is that a Job gets one; a Deployment's come and go.
            name = metadata.get("labels", {}).get(JOB_NAME) if kind == "Pod" else metadata["name"]
            if name:
                self._seen[metadata["namespace"], kind, name].add(metadata["uid"])

    def of(self, namespace: str) -> Counter[str]:
        """How often each purpose, by kind and scrubbed name, got an object."""
        made: Counter[str] = Counter()
        for (place, kind, name), uids in self._seen.items():
            if place == namespace:
                made[f"{kind} {scrubbed(name, namespace)}"] += len(uids)
        return made

    def twice(self, namespace: str) -> list[str]:
        """Names that more than one object has had; of a Job, that it had more than one pod."""
        found = [
            (kind, name) for (place, kind, name), uids in self._seen.items() if place == namespace and len(uids) > 1
        ]
        return sorted(f"{kind} {name}" for kind, name in found)

"""From the schema of every release to the present one and back: what is stored stays, is read and can be written."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from modelyard.api.crd import definition
from modelyard.api.dataset import DatasetSpec
from modelyard.api.kinds import BY_NAME, KINDS
from modelyard.api.training import TrainingJobSpec
from modelyard.contract.reasons import Reason
from modelyard.plan.build import spec_hash
from modelyard.plan.kinds import PLANNERS
from modelyard.plan.observe import Observed
from modelyard.plan.run import run_hash
from modelyard.plan.settings import Settings
from tests.cluster.controlplane import ControlPlane
from tests.integration.api.objects import ADDED, RELEASED, stored, versions
from tests.integration.api.server import CRDS, SchemaServer

pytestmark = pytest.mark.integration

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Json = dict[str, Any]


def released(version: str) -> list[Json]:
    folder = RELEASED / version / "chart" / "files" / "crds"
    return [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))]


class Upgrade:
    """Objects of a release on an API server, whose definitions are then exchanged."""

    def __init__(self, server: SchemaServer, version: str) -> None:
        self.server, self.version = server, version
        self.server.install(released(version))
        self.stored: list[Json] = []
        for made in stored(version):
            code, answer = server.create({k: v for k, v in made.items() if k != "status"}, keep=True)
            assert code == 201, answer
            if "status" in made:
                status = {"status": made["status"]}
                code, answer = server.merge(made["kind"], made["metadata"]["name"], status, "status")
                assert code == 200, answer
                assert answer["status"] == made["status"]
            self.stored.append(answer)

    def read(self, made: Json) -> Json:
        return self.server.get(made["kind"], made["metadata"]["name"])

    def now(self) -> None:
        """The present definitions, once they are in force for all kinds."""
        self.server.install(definition(kind) for kind in KINDS)
        self._in_force(True)

    def back(self) -> None:
        self.server.install(released(self.version))
        self._in_force(False)

    def _in_force(self, present: bool) -> None:
        for made in self.stored:
            kind = made["kind"]
            with_news = {**made, "metadata": {"name": "news"}, "spec": {**made["spec"], **ADDED[kind]["spec"]}}
            self.server.wait(lambda o=with_news: (self.server.create(o)[0] == 201) is present)  # type: ignore[misc]


@pytest.fixture(scope="module", params=versions())
def upgrade(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[Upgrade]:
    server = SchemaServer(plane, f"from-{request.param.replace('.', '-')}")
    made = Upgrade(server, request.param)
    made.now()
    yield made
    made.now()


def same(found: Any, before: Any) -> bool:
    """All that was there is there; the schema may have filled in what is new."""
    if isinstance(before, dict):
        return isinstance(found, dict) and all(n in found and same(found[n], v) for n, v in before.items())
    if isinstance(before, list):
        return len(found) == len(before) and all(same(f, b) for f, b in zip(found, before, strict=True))
    return bool(found == before)


def kept(found: Json, before: Json) -> None:
    for part in ("spec", "status"):
        assert same(found.get(part), before.get(part)), json.dumps(found)
    assert found["metadata"]["uid"] == before["metadata"]["uid"]


def test_the_released_schema_is_kept_whole(upgrade: Upgrade) -> None:
    assert {c["spec"]["names"]["kind"] for c in released(upgrade.version)} == set(BY_NAME)
    assert {o["kind"] for o in upgrade.stored if o.get("status")} == set(BY_NAME)


def test_stored_objects_are_read_unchanged(upgrade: Upgrade) -> None:
    for made in upgrade.stored:
        kept(upgrade.read(made), made)


def test_an_update_without_a_change_is_taken_and_writes_nothing_twice(upgrade: Upgrade) -> None:
    """The first one may write what is newly filled in."""
    for made in upgrade.stored:
        found = upgrade.read(made)
        code, answer = upgrade.server.merge(made["kind"], made["metadata"]["name"], {"spec": found["spec"]})
        assert code == 200, answer
        assert answer["metadata"]["generation"] <= made["metadata"]["generation"] + 1
        again, answer2 = upgrade.server.merge(made["kind"], made["metadata"]["name"], {"spec": answer["spec"]})
        assert again == 200
        assert answer2["metadata"]["resourceVersion"] == answer["metadata"]["resourceVersion"]


def test_stored_objects_take_the_same_words_of_their_owner_again(upgrade: Upgrade) -> None:
    """`kubectl apply` of the old file, as Git does it."""
    for made in stored(upgrade.version):
        at = f"{upgrade.server.path(made['kind'], made['metadata']['name'])}?fieldManager=git&force=true&dryRun=All"
        body = {k: v for k, v in made.items() if k != "status"}
        code, answer = upgrade.server.api.call("PATCH", at, body, "application/apply-patch+yaml")
        assert code == 200, answer


def test_stored_objects_take_a_status(upgrade: Upgrade) -> None:
    for made in upgrade.stored:
        status = {"status": {"observedGeneration": 1, "phase": "Ready"}}
        code, answer = upgrade.server.merge(made["kind"], made["metadata"]["name"], status, "status", dry_run=True)
        assert code == 200, answer


def test_planners_read_stored_objects(upgrade: Upgrade) -> None:
    for made in upgrade.stored:
        plan = PLANNERS[made["kind"]](upgrade.read(made), Observed(), NOW, Settings())
        reasons = {c["reason"] for c in plan.status["conditions"]}
        assert Reason.CONFIG_ERROR not in reasons, made["metadata"]["name"]
        code, answer = upgrade.server.merge(
            made["kind"], made["metadata"]["name"], {"status": plan.status}, "status", dry_run=True
        )
        assert code == 200, answer


def test_a_run_that_has_ended_and_a_version_that_is_current_outlive_the_upgrade(upgrade: Upgrade) -> None:
    """A new field with a default must not look like a changed spec."""
    for made in upgrade.stored:
        if made["kind"] in ("Dataset", "TrainingJob"):
            assert fingerprint(upgrade.read(made)) == fingerprint(made)


def fingerprint(resource: Json) -> str:
    """Of the spec, as the planner of data or training makes it."""
    if resource["kind"] == "Dataset":
        return spec_hash(resource, DatasetSpec.model_validate(resource["spec"]))
    return run_hash(resource, TrainingJobSpec.model_validate(resource["spec"]))


def test_going_back_loses_nothing_of_the_older_version(upgrade: Upgrade) -> None:
    for made in upgrade.stored:
        name, kind = made["metadata"]["name"], made["kind"]
        news = ADDED[kind] if name == "full" else {}
        for part, fields in news.items():
            code, answer = upgrade.server.merge(kind, name, {part: fields}, "status" if part == "status" else "")
            assert code == 200, answer
    upgrade.back()
    for made in upgrade.stored:
        kept(upgrade.read(made), made)
        code, answer = upgrade.server.merge(
            made["kind"], made["metadata"]["name"], {"metadata": {"annotations": {"touched": "yes"}}}
        )
        assert code == 200, answer
    upgrade.now()
    for made in upgrade.stored:
        kept(upgrade.read(made), made)


def test_no_version_was_stored_that_is_no_longer_served(upgrade: Upgrade) -> None:
    for kind in KINDS:
        _, found = upgrade.server.api.call("GET", f"{CRDS}/{definition(kind)['metadata']['name']}")
        assert found["status"]["storedVersions"] == [definition(kind)["spec"]["versions"][0]["name"]]

"""One soak: users act while requests fail and leaders die; then all is to be as if nothing had ever failed."""

import asyncio
import json
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from modelyard.runtime.resources import CHILDREN, LEASE, OWN, Resource, resource_of
from tests.cluster.controlplane import ControlPlane
from tests.cluster.fault_proxy import account
from tests.cluster.fault_proxy.server import FaultProxy
from tests.cluster.mock_kubelet.connection import Connection
from tests.cluster.mock_kubelet.kubelet import MockKubelet
from tests.cluster.waiting import until
from tests.soak import mix
from tests.soak.creations import Creations
from tests.soak.replicas import NAMESPACE, Replica
from tests.soak.state import differences, orphans, state
from tests.soak.users import UnsettledError, Users
from tests.soak.wishes import Wishes

FAULTY, FAULTLESS = "soak", "reference"
_APPLY = "application/apply-patch+yaml"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_WATCHED: tuple[Resource, ...] = (resource_of("Dataset"), *(r for r in CHILDREN if r.kind != "Pod"))


@dataclass(frozen=True)
class Settings:
    seconds: float = 3600.0  # of acting under faults; a few minutes follow
    kill_every: float = 300.0  # seconds
    act_every: float = 1.0  # seconds
    groups: int = 50  # of four objects
    seed: int = 1


@dataclass
class Report:
    """What was done, and what was found; empty lists are what is hoped for."""

    settings: dict[str, Any]
    seconds: float = 0.0
    acts: int = 0
    kills: int = 0
    ended_by_themselves: int = 0
    requests: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    creations: dict[str, int] = field(default_factory=dict)
    objects: int = 0
    unsettled: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.unsettled or self.differences or self.orphans or self.duplicates)

    def json(self) -> str:
        return json.dumps({**asdict(self), "good": self.good}, indent=1)


def run(settings: Settings, directory: Path) -> Report:
    """Blocks for `settings.seconds` and some minutes; logs of the replicas and `report.json` are in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(controllers=True, scheduler=True))
        token = _prepare(plane)
        stack.enter_context(MockKubelet(plane.kubeconfig))
        proxy = stack.enter_context(FaultProxy(plane.kubeconfig))
        kubeconfig = proxy.kubeconfig(directory / "kubeconfig", token)
        replicas = [Replica(number, kubeconfig, directory) for number in range(2)]
        for replica in replicas:
            stack.callback(replica.stop)
            replica.start()
        report = asyncio.run(_Soak(settings, plane, proxy, replicas).run())
        (directory / "report.json").write_text(report.json())
        return report


def _prepare(plane: ControlPlane) -> str:
    """Definitions, namespaces, the store's Secret and the operator's account; a token of it."""
    for kind in KINDS:
        body = definition(kind)
        assert plane.api.apply(f"{_CRDS}/{body['metadata']['name']}", body) in (200, 201)
    for resource in OWN:
        until(partial(_served, plane, resource), f"{resource.plural} are served", 30)
    for name in (FAULTY, FAULTLESS):
        space = f"/api/v1/namespaces/{name}"
        assert plane.api.apply(space, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}) == 201
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "modelyard-store", "namespace": name}}
        assert plane.api.apply(f"{space}/secrets/modelyard-store", secret) == 201
    for path, body in account.documents("operator", NAMESPACE, account.chart_rules()):
        assert plane.api.apply(path, body) == 201
    answer = plane.api.call("POST", account.token_path("operator", NAMESPACE), account.token_request())[1]
    return str(answer["status"]["token"])


def _served(plane: ControlPlane, resource: Resource) -> bool:
    return plane.api.call("GET", resource.path(None))[0] == 200


class _Soak:
    def __init__(self, settings: Settings, plane: ControlPlane, proxy: FaultProxy, replicas: list[Replica]) -> None:
        self._settings, self._plane, self._proxy, self._replicas = settings, plane, proxy, replicas
        self._report = Report(asdict(settings))
        self._creations = Creations()
        self._begun = time.monotonic()
        self._stage = "begins"
        self._kills = True

    async def run(self) -> Report:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(Connection.opened(self._plane.kubeconfig))
            users = Users(connection, FAULTY, Wishes(self._settings.groups, self._settings.seed))
            async with asyncio.TaskGroup() as tasks:
                others = [tasks.create_task(users.watch(resource, self._creations)) for resource in _WATCHED]
                others.append(tasks.create_task(self._keep()))
                others.append(tasks.create_task(self._kill(connection)))
                others.append(tasks.create_task(self._tell(users)))
                try:
                    await self._live(users)
                    other = Users(connection, FAULTLESS, Wishes(self._settings.groups, self._settings.seed))
                    await self._compare(users, other)
                except UnsettledError as error:
                    self._report.unsettled = str(error).splitlines()
                for task in others:
                    task.cancel()
        self._summary(users)
        return self._report

    async def _live(self, users: Users) -> None:
        """Under faults and kills to the very end, the last changes included."""
        self._proxy.script(*mix.rules(), seed=self._settings.seed)
        self._stage = "acts"
        await users.begin()
        while time.monotonic() - self._begun < self._settings.seconds:
            await users.act()
            await asyncio.sleep(self._settings.act_every)
        self._stage = "finishes"
        await users.finish()
        self._kills = False
        self._proxy.script()

    async def _compare(self, users: Users, other: Users) -> None:
        """With a run of the last specs alone, without faults, by the same replicas."""
        self._stage = "reference"
        await other.finish()
        self._stage = "settles"
        end = time.monotonic() + 400
        while True:
            await users.rest(users.wishes.present)
            objects, children = await users.objects(), await users.children()
            faultless = state(await other.objects(), await other.children())
            self._report.differences = differences(state(objects, children), faultless)
            self._report.orphans = orphans(objects, children)
            if not (self._report.differences or self._report.orphans) or time.monotonic() > end:
                break
            found = (*self._report.differences, *self._report.orphans)
            print(*(f"        still {line}" for line in found[:5]), f"        of {len(found)}", sep="\n", flush=True)
            await asyncio.sleep(10)  # what drains goes later, and the garbage collector takes its time
        self._report.objects = len(objects)

    async def _keep(self) -> None:
        while True:
            for replica in self._replicas:
                replica.keep()
            await asyncio.sleep(0.5)

    async def _kill(self, connection: Connection) -> None:
        """The leader, whoever it is."""
        while True:
            await asyncio.sleep(self._settings.kill_every)
            _, lease = await connection.call("GET", LEASE.path(NAMESPACE, "modelyard"))
            for replica in self._replicas:
                if self._kills and lease.get("spec", {}).get("holderIdentity") == replica.name:
                    await asyncio.to_thread(replica.kill)

    async def _tell(self, users: Users) -> None:
        while True:
            await asyncio.sleep(10)
            self._summary(users)
            report = self._report
            print(
                f"{report.seconds:5.0f} s {self._stage}: {report.acts} acts, {report.requests} requests, "
                f"{sum(report.faults.values())} faults, {report.kills} kills, "
                f"{report.ended_by_themselves} ended by themselves, {sum(report.creations.values())} creations",
                flush=True,
            )

    def _summary(self, users: Users) -> None:
        counts = self._proxy.counts()
        report = self._report
        report.requests = counts.pop("requests", 0)
        report.faults = dict(sorted(counts.items()))
        report.seconds = round(time.monotonic() - self._begun, 1)
        report.acts = users.acts
        report.kills = sum(replica.kills for replica in self._replicas)
        report.ended_by_themselves = sum(replica.ends for replica in self._replicas)
        report.creations = self._creations.counts()
        report.duplicates = self._creations.duplicates()

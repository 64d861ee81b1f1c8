"""The checker finds what Pod Security would, and the chart's pods give it nothing to find."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.chart.pod_security import containers, violations
from tests.unit.chart.rendering import Helm, Rendered

GOOD: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
    "containers": [
        {
            "name": "main",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        }
    ],
}


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["containers"][0]
    return found


SPOILED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "hostNetwork": lambda pod: pod.update(hostNetwork=True),
    "hostPath": lambda pod: pod["volumes"].append({"name": "etc", "hostPath": {"path": "/etc"}}),
    "sysctls": lambda pod: pod["securityContext"].update(sysctls=[{"name": "a", "value": "b"}]),
    "automountServiceAccountToken": lambda pod: pod.pop("automountServiceAccountToken"),
    "runAsNonRoot": lambda pod: pod["securityContext"].pop("runAsNonRoot"),
    "runAsUser": lambda pod: _container(pod)["securityContext"].update(runAsUser=0),
    "seccompProfile": lambda pod: pod["securityContext"].update(seccompProfile={"type": "Unconfined"}),
    "privileged": lambda pod: _container(pod)["securityContext"].update(privileged=True),
    "allowPrivilegeEscalation": lambda pod: _container(pod)["securityContext"].pop("allowPrivilegeEscalation"),
    "readOnlyRootFilesystem": lambda pod: _container(pod)["securityContext"].pop("readOnlyRootFilesystem"),
    "capabilities.drop": lambda pod: _container(pod)["securityContext"].update(capabilities={"drop": ["KILL"]}),
    "capabilities are": lambda pod: _container(pod)["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
    "hostPort": lambda pod: _container(pod).update(ports=[{"containerPort": 80, "hostPort": 80}]),
    "procMount": lambda pod: _container(pod)["securityContext"].update(procMount="Unmasked"),
    "seLinuxOptions": lambda pod: _container(pod)["securityContext"].update(seLinuxOptions={"type": "spc_t"}),
    "hostProcess": lambda pod: pod["securityContext"].update(windowsOptions={"hostProcess": True}),
    "appArmorProfile": lambda pod: pod["securityContext"].update(appArmorProfile={"type": "Unconfined"}),
    "names a host": lambda pod: _container(pod).update(livenessProbe={"httpGet": {"host": "::1", "port": 1}}),
    "size limit": lambda pod: pod["volumes"][0].update(emptyDir={}),
    "no size limit": lambda pod: pod["volumes"][0].update(emptyDir={"sizeLimit": "0"}),
    "memory limit": lambda pod: _container(pod)["resources"].pop("limits"),
    "no memory limit": lambda pod: _container(pod)["resources"].update(limits={"memory": "0Mi"}),
    "requests": lambda pod: _container(pod)["resources"].pop("requests"),
}


def test_a_restricted_pod_has_no_violations() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize("what", SPOILED)
def test_each_weakness_is_named(what: str) -> None:
    pod = copy.deepcopy(GOOD)
    SPOILED[what](pod)
    (found,) = violations(pod)
    assert what in found


@pytest.mark.parametrize("field", ["initContainers", "ephemeralContainers"])
def test_no_kind_of_container_is_overlooked(field: str) -> None:
    assert violations({**GOOD, field: [{"name": "extra"}]})


def test_the_charts_pods_are_restricted_under_all_values(rendered: Rendered) -> None:
    for workload in rendered.workloads():
        is_operator = workload["kind"] == "Deployment"
        assert violations(workload["spec"]["template"]["spec"], token=is_operator) == [], workload["metadata"]["name"]


def test_probes_ask_a_port_that_the_container_names(helm: Helm) -> None:
    for workload in helm.template({}).workloads():
        for container in containers(workload["spec"]["template"]["spec"]):
            ports = {port["name"] for port in container["ports"]}
            probes = [container[f"{each}Probe"]["httpGet"]["port"] for each in ("startup", "liveness", "readiness")]
            assert set(probes) <= ports

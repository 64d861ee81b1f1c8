"""Renders the chart as a user's Helm does, and finds objects in what comes out."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "modelyard"
NAMESPACE = "ml-system"
KUBERNETES = "v1.34.4"  # a Helm 3 that was not built by its Makefile takes itself for 1.20

Object = dict[str, Any]
Values = Mapping[str, Any]

DIGEST = "sha256:" + "ab" * 32
EXTERNAL = {"uri": "s3://lake/ml", "endpoint": "https://s3.example.com:9000", "embedded": {"enabled": False}}
POD_PEER = {"podSelector": {"matchLabels": {"app": "prometheus"}}, "namespaceSelector": {}}

CASES: dict[str, Values] = {
    "defaults": {},
    "two namespaces": {"scope": "Namespace", "workloadNamespaces": ["team-a", "team-b"]},
    "workloads beside the operator": {"workloadNamespaces": [NAMESPACE, "team-a"]},
    "external store with identity": {"store": EXTERNAL, "workloads": {"serviceAccount": "ml"}},
    "external store with a Secret": {"store": {**EXTERNAL, "existingSecret": "lake"}},
    "aws": {"store": {"uri": "s3://lake", "region": "eu-west-1", "embedded": {"enabled": False}}},
    "own Secret for the embedded store": {"store": {"existingSecret": "mine"}},
    "no volume": {"store": {"embedded": {"persistence": {"enabled": False}}}},
    "own claim": {"store": {"embedded": {"persistence": {"existingClaim": "disk"}}}},
    "air-gapped": {"images": {"registry": "registry.example.com:5000/ml", "pullSecrets": ["pull"]}},
    "only the control plane": {
        "crds": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "rbac": {"aggregateToUserRoles": False},
        "operator": {"serviceAccount": {"create": False, "name": "given"}},
    },
    "everything optional": {
        "fullnameOverride": "yard",
        "operator": {
            "replicas": 3,
            "priorityClassName": "system-cluster-critical",
            "podAnnotations": {"a": "b"},
            "nodeSelector": {"kubernetes.io/arch": "arm64"},
            "tolerations": [{"key": "infra", "operator": "Exists", "effect": "NoSchedule"}],
            "serviceAccount": {"annotations": {"c": "d"}},
        },
        "store": {
            "uri": "s3://third/prefix",
            "embedded": {
                "persistence": {"storageClass": "fast", "size": "1Ti"},
                "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"operator": "Exists"}],
            },
        },
        "networkPolicy": {
            "metricsFrom": [POD_PEER],
            "storeFrom": [POD_PEER],
            "extraEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 5432}]}],
        },
        "metrics": {
            "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "15s"},
            "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
            "dashboards": {"enabled": True},
        },
    },
}


class RefusedError(Exception):
    """Helm would not render; the message is what it told."""


@dataclass(frozen=True)
class Helm:
    program: Path

    def run(self, *arguments: str, values: Values) -> str:
        done = subprocess.run(
            [self.program, *arguments, "--values", "-"],
            input=json.dumps(values), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RefusedError(done.stdout + done.stderr)
        return done.stdout

    def lint(self, values: Values) -> str:
        return self.run("lint", "--strict", str(CHART), values=values)

    def template(self, values: Values, release: str = "modelyard", kubernetes: str = KUBERNETES) -> "Rendered":
        return Rendered(_template(self, json.dumps(values), release, kubernetes))


@cache
def _template(helm: Helm, values: str, release: str, kubernetes: str) -> tuple[Object, ...]:
    arguments = ("--namespace", NAMESPACE, "--kube-version", kubernetes)
    text = helm.run("template", release, str(CHART), *arguments, values=json.loads(values))
    return tuple(document for document in yaml.load_all(text, yaml.CSafeLoader) if document)


@dataclass(frozen=True)
class Rendered:
    objects: tuple[Object, ...]

    def of(self, kind: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str, namespace: str | None = None) -> Object:
        (found,) = (
            each
            for each in self.of(kind)
            if each["metadata"]["name"] == name and namespace in (None, each["metadata"].get("namespace"))
        )
        return found

    def workloads(self) -> list[Object]:
        return self.of("Deployment") + self.of("StatefulSet")

    def operator_config(self) -> Object:
        (config,) = (each for each in self.of("ConfigMap") if "operator.yaml" in each["data"])
        parsed: Object = yaml.safe_load(config["data"]["operator.yaml"])
        return parsed

    def images(self) -> Iterator[str]:
        """Every image reference: of the pods, and those the operator is told to use."""
        for workload in self.workloads():
            for container in workload["spec"]["template"]["spec"]["containers"]:
                yield container["image"]
        yield from self.operator_config()["images"].values()

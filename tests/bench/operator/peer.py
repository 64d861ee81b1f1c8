"""A controller of others, run as an ordinary process with its own manifests, read from its Go module.

As in a cluster: its webhooks are called, its service account has its own rights. Only addresses differ: the API
server reaches the webhooks on 127.0.0.1, with one certificate for that address.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench.operator import install
from tests.cluster import build
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import answers, free_ports, until

_HOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@dataclass(frozen=True)
class Peer:
    """`manifests`: CRDs, rights and webhooks as files or folders of the module. `configuration`: what the file given
    by --config says beyond addresses."""

    tool: str
    module: str
    namespace: str
    service_account: str
    manifests: tuple[str, ...]
    configuration: dict[str, Any]

    def start(self, plane: ControlPlane) -> None:
        """Returns when it is ready, with its webhooks in place."""
        install.namespace(plane, self.namespace)
        documents = list(self._documents())
        hooks = [d for d in documents if d["kind"] in _HOOKS]
        install.install(plane, (d for d in documents if d["kind"] not in _HOOKS))
        webhook, health = free_ports(2)
        self._run(plane, webhook, health)
        until(
            lambda: answers(health, "/readyz"), f"{self.tool} is ready", 60, lambda: self._trouble(plane), every_s=0.2
        )
        authority = install.encoded(plane.settings.credentials.ca)
        install.install(plane, (self._reached_at(document, webhook, authority) for document in hooks))

    def _run(self, plane: ControlPlane, webhook: int, health: int) -> None:
        home = plane.directory / self.tool
        self._certificate(plane, home / "k8s-webhook-server" / "serving-certs")
        config = home / "config.yaml"
        config.write_text(json.dumps(self._configured(webhook, health)))
        access = install.kubeconfig(plane, self.namespace, self.service_account)
        command = [str(build.program(self.tool)), f"--config={config}", f"--kubeconfig={access}"]
        # controller-runtime looks for the certificates of webhooks under the temporary folder
        plane.processes.start(self.tool, command, env={**os.environ, "TMPDIR": str(home)})

    def _configured(self, webhook: int, health: int) -> dict[str, Any]:
        addresses = {
            "webhook": {"host": "127.0.0.1", "port": webhook},
            "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
            "metrics": {"bindAddress": "0"},
            "leaderElection": {"leaderElect": False},
        }
        return {"kind": "Configuration", **addresses, **self.configuration}

    def _documents(self) -> Iterator[dict[str, Any]]:
        root = build.module(self.tool, self.module)
        for name in self.manifests:
            path = root / name
            for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
                for document in yaml.safe_load_all(file.read_text()):
                    if document and document["kind"] != "Kustomization":
                        yield self._placed(document)

    def _placed(self, document: dict[str, Any]) -> dict[str, Any]:
        """In the controller's namespace, which kustomize would fill in."""
        if document["kind"] == "ServiceAccount":
            document["metadata"]["namespace"] = self.namespace
        for subject in document.get("subjects", []):
            subject["namespace"] = self.namespace
        return document

    def _reached_at(self, hooks: dict[str, Any], port: int, authority: str) -> dict[str, Any]:
        """Webhooks by address, under a name of their own: both peers' generated manifests have the same one."""
        for hook in hooks["webhooks"]:
            path = hook["clientConfig"]["service"]["path"]
            hook["clientConfig"] = {"url": f"https://127.0.0.1:{port}{path}", "caBundle": authority}
        hooks["metadata"]["name"] = f"{self.tool}-{hooks['metadata']['name']}"
        return hooks

    def _certificate(self, plane: ControlPlane, folder: Path) -> None:
        made = plane.settings.credentials
        made.issue("webhooks", "webhooks", addresses=["127.0.0.1"])
        folder.mkdir(parents=True)
        shutil.copy(made.certificate("webhooks"), folder / "tls.crt")
        shutil.copy(made.key("webhooks"), folder / "tls.key")

    def _trouble(self, plane: ControlPlane) -> str | None:
        return None if plane.processes.alive(self.tool) else f"it ended:\n{plane.log(self.tool)[-2000:]}"

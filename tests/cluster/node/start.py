"""Brings the embedded node up, part by part."""

import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster import build, components
from tests.cluster.api import Api, mark_unknown, node_ready
from tests.cluster.components import ControlPlaneSettings
from tests.cluster.credentials import Credentials
from tests.cluster.node import addons, kubelet, network, runtime
from tests.cluster.node.layout import NODE_NAME, Layout
from tests.cluster.process import Processes
from tests.cluster.provider import ClusterError
from tests.cluster.waiting import until

REPOSITORY = Path(__file__).parents[3]
REQUIRED = ("etcd", "api-server", "containerd", "controller-manager", "scheduler", "kubelet", "kube-proxy",
            "coredns", "volumes", "forwarder")  # fmt: skip


class Start:
    def __init__(self, layout: Layout, processes: Processes) -> None:
        self.layout, self.processes = layout, processes
        self.made = Credentials(layout.credentials)
        self.program = build.program("kubernetes")
        self.coredns = build.program("coredns")
        self.pause = build.program("pause")
        self.settings = ControlPlaneSettings(
            program=self.program, data=layout.data, credentials=self.made,
            bind=layout.network.node, api_port=layout.network.api_port, etcd_port=2379, peer_port=2380,
            services=layout.network.services,
        )  # fmt: skip

    def run(self, kubeconfig: Path) -> None:
        self.write_configuration()
        network.create(self.layout)
        self.inside("etcd", components.etcd(self.settings))
        self.inside("containerd", runtime.containerd(self.layout))
        self.inside("api-server", components.api_server(self.settings))
        api = self.forward(kubeconfig)
        self.wait(api.ready, "the API server", 60, ("etcd", "api-server", "forwarder"))
        self.start_controllers()
        addons.apply(api)
        self.start_node(api)

    def inside(self, name: str, command: Sequence[str]) -> None:
        self.processes.start(name, [*network.inside(self.layout.namespace), *command])

    def write_configuration(self) -> None:
        layout = self.layout
        components.issue_all(self.made, [layout.network.node, "127.0.0.1", layout.network.first_service])
        self.made.issue("kubelet", f"system:node:{NODE_NAME}", "system:nodes")
        self.made.issue("kube-proxy", "system:kube-proxy")
        self.made.issue("coredns", "system:coredns")
        for name in ("kubelet", "kube-proxy", "coredns", "controller-manager", "scheduler"):
            self.made.kubeconfig(name, layout.network.api_url, layout.component_kubeconfig(name))
        folder = runtime.plugin_folder()
        if folder is None:
            raise ClusterError("no container network plugins: install containernetworking-plugins")
        snapshotter = runtime.snapshotter(layout.directory / "overlay-probe")
        files = {
            "containerd.toml": runtime.containerd_config(layout, folder, snapshotter),
            "cni/10-modelyard.conflist": runtime.network_plugin(layout),
            "kubelet.json": kubelet.kubelet_config(layout, self.made),
            "Corefile": kubelet.corefile(layout),
            "resolv.conf": f"nameserver {layout.network.dns}\n",
        }
        for name, text in files.items():
            path = layout.config / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        layout.volumes.mkdir(parents=True, exist_ok=True)

    def forward(self, kubeconfig: Path) -> Api:
        """The API server on 127.0.0.1 of the host, on the same port as last time where that is free."""
        remembered = self.layout.data / "port"
        port = int(remembered.read_text()) if remembered.exists() else 0
        try:
            listening = socket.create_server(("127.0.0.1", port))
        except OSError:
            listening = socket.create_server(("127.0.0.1", 0))
        with listening:
            port = listening.getsockname()[1]
            remembered.write_text(str(port))
            network_ = self.layout.network
            script = str(Path(__file__).with_name("forwarder.py"))
            command = [sys.executable, script, str(listening.fileno()), network_.node, str(network_.api_port)]
            self.processes.start(
                "forwarder", [*network.inside(self.layout.namespace), *command], pass_fds=[listening.fileno()]
            )
        self.made.kubeconfig("admin", f"https://127.0.0.1:{port}", kubeconfig)
        return Api(f"https://127.0.0.1:{port}", self.made)

    def start_controllers(self) -> None:
        of = self.layout.component_kubeconfig
        self.inside("controller-manager", components.controller_manager(self.settings, of("controller-manager"), 10257))
        self.inside("scheduler", components.scheduler(self.settings, of("scheduler"), 10259))
        self.inside("kube-proxy", kubelet.kube_proxy(self.layout, self.program))
        arguments = [self.layout.network.api_url, str(self.layout.credentials), str(self.layout.volumes)]
        self.processes.start(
            "volumes",
            [*network.inside(self.layout.namespace), sys.executable, "-m", "tests.cluster.node.volumes", *arguments],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )

    def start_node(self, api: Api) -> None:
        self.wait(self.layout.runtime_socket.exists, "containerd", 60, ("containerd",))
        self.wait(self.runtime_answers, "containerd's answer", 60, ("containerd",))
        runtime.import_pause(self.layout, self.pause)
        mark_unknown(api, NODE_NAME)
        self.inside("kubelet", kubelet.kubelet(self.layout, self.made, self.program))
        self.inside("coredns", kubelet.coredns(self.layout, self.coredns))
        self.wait(lambda: node_ready(api, NODE_NAME), "the node", 90, REQUIRED)

    def runtime_answers(self) -> bool:
        try:
            runtime.ctr(self.layout, "images", "list", "--quiet")
        except ClusterError:
            return False
        return True

    def wait(self, done: Callable[[], bool], what: str, timeout_s: float, needs: Sequence[str]) -> None:
        def trouble() -> str | None:
            for name in needs:
                if not self.processes.alive(name):
                    return f"{name} ended; its log says\n{self.processes.tail(name)}"
            return None

        until(done, what, timeout_s, trouble)

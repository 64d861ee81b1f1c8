"""Command lines and files: each flag here was a trap once."""

import json
from pathlib import Path

import pytest

from tests.cluster import build, components
from tests.cluster.credentials import Credentials, subject_names
from tests.cluster.kubectl import capacity_patch
from tests.cluster.node import kubelet, runtime
from tests.cluster.node.images import qualified
from tests.cluster.node.layout import PAUSE_IMAGE, Layout
from tests.cluster.toolchain import version_of

LAYOUT = Layout("test", Path("/cache/clusters/test"))
MADE = Credentials(LAYOUT.credentials)
SETTINGS = components.ControlPlaneSettings(
    program=Path("/bin/kubernetes"), data=LAYOUT.data, credentials=MADE, bind="198.18.0.1",
    api_port=6443, etcd_port=2379, peer_port=2380, services="10.96.0.0/16",
)  # fmt: skip


def test_control_plane() -> None:
    assert "--unsafe-no-fsync" in components.etcd(SETTINGS)
    server = components.api_server(SETTINGS)
    assert "--kubelet-preferred-address-types=InternalIP" in server
    assert "--authorization-mode=Node,RBAC" in server
    manager = components.controller_manager(SETTINGS, Path("/k"), 1)
    assert {"--kube-api-qps=500", "--kube-api-burst=1000"} <= set(manager)
    assert {"--kube-api-qps=1000", "--kube-api-burst=2000"} <= set(components.scheduler(SETTINGS, Path("/k"), 1))


def test_node() -> None:
    config = json.loads(kubelet.kubelet_config(LAYOUT, MADE))
    assert (config["cgroupDriver"], config["failCgroupV1"], config["failSwapOn"]) == ("cgroupfs", False, False)
    assert config["imageGCHighThresholdPercent"] == 100
    assert "--conntrack-max-per-core=0" in kubelet.kube_proxy(LAYOUT, Path("/bin/kubernetes"))
    assert f"bind {LAYOUT.network.dns}" in kubelet.corefile(LAYOUT)


def test_runtime() -> None:
    text = runtime.containerd_config(LAYOUT, Path("/usr/lib/cni"), "overlayfs")
    assert "restrict_oom_score_adj = true" in text
    assert f'sandbox_image = "{PAUSE_IMAGE}"' in text
    plugin = json.loads(runtime.network_plugin(LAYOUT))["plugins"][0]
    assert plugin["ipam"]["ranges"] == [[{"subnet": "10.244.0.0/16"}]]


def test_capacity_is_a_json_pointer() -> None:
    patch = json.loads(capacity_patch("nvidia.com/gpu", "2"))
    assert [each["path"] for each in patch] == [
        "/status/capacity/nvidia.com~1gpu",
        "/status/allocatable/nvidia.com~1gpu",
    ]


@pytest.mark.parametrize(
    ("tag", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("modelyard/operator:dev", "docker.io/modelyard/operator:dev"),
        ("localhost/a:1", "localhost/a:1"),
        ("example.com:5000/a", "example.com:5000/a:latest"),
    ],
)
def test_image_names(tag: str, full: str) -> None:
    assert qualified(tag) == full


def test_versions_and_names() -> None:
    assert version_of("go version go1.26.8 linux/amd64") == (1, 26)
    assert version_of("") == (0, 0)
    assert subject_names(["10.96.0.1", "localhost"]) == "IP:10.96.0.1,DNS:localhost"


def test_a_changed_module_is_a_new_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    (tmp_path / "pause").mkdir()
    before = build.folder("pause")
    (tmp_path / "pause" / "main.go").write_text("package main")
    assert build.folder("pause") != before


@pytest.mark.parametrize("name", list(build.TOOLS))
def test_each_tool_has_its_own_locked_module(name: str) -> None:
    module = build.SOURCES / name
    assert f"module modelyard.dev/tests/cluster/{name}\n" in (module / "go.mod").read_text()
    assert (module / "go.sum").exists()

"""Addresses, paths and the commands made of them."""

import ipaddress
from pathlib import Path

import pytest

from tests.cluster.node.layout import Layout, Network
from tests.cluster.node.network import inside, plan
from tests.cluster.node.sweep import is_shim_of
from tests.cluster.paths import cache_dir, cluster_dir

LAYOUT = Layout("test", Path("/cache/clusters/test"))


def test_addresses_do_not_overlap() -> None:
    network = Network()
    pods, services = ipaddress.ip_network(network.pods), ipaddress.ip_network(network.services)
    assert not pods.overlaps(services)
    for address in (network.node, network.dns):
        assert ipaddress.ip_address(address) not in pods
        assert ipaddress.ip_address(address) not in services
    assert network.first_service == "10.96.0.1"


def test_the_namespace_is_joined_without_ip_netns_exec() -> None:
    assert inside(LAYOUT.namespace) == ["nsenter", "--net=/run/netns/test"]


def test_no_way_out() -> None:
    commands = [" ".join(command) for command in plan(LAYOUT)]
    assert "ip route add 10.96.0.0/16 dev node0 src 198.18.0.1" in commands
    assert not any("default" in command or "dummy" in command for command in commands)


def test_sockets_fit_into_108_bytes() -> None:
    assert len(str(Layout("modelyard", cluster_dir("modelyard")).runtime_socket)) < 108


def test_only_our_own_shims_are_ours() -> None:
    ours = ["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-address", str(LAYOUT.runtime_socket)]
    assert is_shim_of(LAYOUT, ours)
    assert not is_shim_of(LAYOUT, [*ours[:-1], "/run/containerd/containerd.sock"])
    assert not is_shim_of(LAYOUT, ["vi", str(LAYOUT.runtime_socket)])


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "modelyard"

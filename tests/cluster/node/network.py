"""The node's network namespace: no way out, so pods and Services never leave the machine."""

import subprocess
from pathlib import Path

from tests.cluster.node.layout import Layout


def inside(namespace: Path) -> list[str]:
    """nsenter and never `ip netns exec`, which remounts /sys so that kubelet finds no cgroups."""
    return ["nsenter", f"--net={namespace}"]


def create(layout: Layout) -> None:
    _run("ip", "netns", "add", layout.namespace.name)
    for command in plan(layout):
        _run(*inside(layout.namespace), *command)


def plan(layout: Layout) -> list[list[str]]:
    """A bridge without ports carries the addresses: some kernels have no dummy interfaces."""
    network = layout.network
    bridge = ["dev", network.bridge]
    return [
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", network.bridge, "type", "bridge"],
        ["ip", "address", "add", f"{network.node}/32", *bridge],
        ["ip", "address", "add", f"{network.dns}/32", *bridge],
        ["ip", "link", "set", network.bridge, "up"],
        # the host's own packets to a Service need a route before iptables rewrites them
        ["ip", "route", "add", network.services, *bridge, "src", network.node],
        ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
    ]


def remove(layout: Layout) -> None:
    if layout.namespace.exists():
        subprocess.run(["ip", "netns", "delete", layout.namespace.name], check=False, capture_output=True)
        layout.namespace.unlink(missing_ok=True)
    folder = layout.namespace.parent
    if folder in mount_points() and not any(folder.iterdir()):
        _run("umount", str(folder))  # `ip netns add` mounts it on itself; nobody else uses an empty one


def mount_points() -> list[Path]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [Path(line.split()[4].encode().decode("unicode_escape")) for line in lines]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)

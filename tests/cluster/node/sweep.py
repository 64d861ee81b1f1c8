"""Removes whatever a node left behind, after a clean stop or a crash: processes, mounts, namespaces, links.

Everything is recognised by a path inside the cluster's own folder or by a recorded process, never by a name.
"""

import contextlib
import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

from tests.cluster.node import network
from tests.cluster.node.layout import Layout
from tests.cluster.process import Processes, Record, end

# kubelet first, so that it restarts no pod; what others need last. The patience of each group is in seconds:
# only containerd and etcd have something to write down.
STOP_ORDER: tuple[tuple[tuple[str, ...], float], ...] = (
    (("kubelet", "volumes", "forwarder"), 2),
    (("scheduler", "controller-manager", "kube-proxy", "coredns", "api-server"), 1),
    (("containerd", "etcd"), 10),
)


def sweep(layout: Layout, processes: Processes) -> None:
    for names, patience in STOP_ORDER:
        processes.stop(names, patience)
    end([*strays(layout), *pod_processes(layout)], grace_s=0)
    unmount_below(layout.directory)
    network.remove(layout)
    for address in (layout.runtime_state / "containerd").glob("*/k8s.io/*/address"):
        with contextlib.suppress(OSError):
            Path(address.read_text().removeprefix("unix://")).unlink(missing_ok=True)
    shutil.rmtree(layout.runtime_state, ignore_errors=True)
    remove_pod_groups()


def forget(layout: Layout) -> None:
    """The data too, and the links to it that kubelet and the network plugin put in fixed places."""
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and str(layout.directory) in str(link.readlink()):
            link.unlink(missing_ok=True)
    results, prefix = Path("/var/lib/cni/results"), f"{layout.cluster}-"
    for result in results.glob(f"{prefix}*-eth0"):
        container = result.name.removeprefix(prefix).removesuffix("-eth0")
        result.unlink(missing_ok=True)
        (results / f"cni-loopback-{container}-lo").unlink(missing_ok=True)
    shutil.rmtree(layout.directory)


def pod_processes(layout: Layout) -> list[Record]:
    """The containerd shims that serve our socket, after everything below them."""
    children: dict[int, list[int]] = defaultdict(list)
    shims = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            children[parent].append(int(folder.name))
            if is_shim_of(layout, folder.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")):
                shims.append(int(folder.name))
    found, rest = [], list(shims)
    while rest:
        pid = rest.pop()
        found.append(pid)
        rest += children[pid]
    return [record for record in map(Record.of, reversed(found)) if record]


def strays(layout: Layout) -> list[Record]:
    """Whoever else is in our network namespace: started in the moment before a crash, so not recorded."""
    if not layout.namespace.exists():
        return []
    command = ["ip", "netns", "pids", layout.namespace.name]
    pids = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return [record for record in map(Record.of, map(int, pids)) if record]


def is_shim_of(layout: Layout, arguments: list[str]) -> bool:
    program = Path(arguments[0]).name
    return program.startswith("containerd-shim") and str(layout.runtime_socket) in arguments


def unmount_below(directory: Path) -> None:
    """The youngest mount first: later mounts may lie on earlier ones."""
    below = [point for point in network.mount_points() if point.is_relative_to(directory)]
    for point in reversed(below):
        subprocess.run(["umount", "--lazy", str(point)], check=False, capture_output=True)


def remove_pod_groups() -> None:
    """The pods' control groups; one that still has a process refuses, and belongs to somebody else."""
    for top in [*Path("/sys/fs/cgroup").glob("kubepods"), *Path("/sys/fs/cgroup").glob("*/kubepods")]:
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()

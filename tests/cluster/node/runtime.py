"""Our own containerd: its configuration, its network plugin, and images into it."""

import hashlib
import json
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.cluster.node.layout import PAUSE_IMAGE, Layout
from tests.cluster.provider import ClusterError

PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))


def plugin_folder() -> Path | None:
    return next((folder for folder in PLUGIN_FOLDERS if (folder / "ptp").exists()), None)


def containerd(layout: Layout) -> list[str]:
    return ["containerd", "--config", str(layout.config / "containerd.toml")]


def containerd_config(layout: Layout, plugins: Path, snapshotter: str) -> str:
    """`restrict_oom_score_adj`: without CAP_SYS_RESOURCE every sandbox would die in its first moment."""
    return f"""version = 2
root = "{layout.data / "containerd"}"
state = "{layout.runtime_state / "containerd"}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{layout.runtime_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{layout.runtime_state / "runc"}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{layout.config / "cni"}"
"""


def network_plugin(layout: Layout) -> str:
    """Point to point: each packet between pods passes iptables, with or without a bridge filter in the kernel."""
    ipam = {
        "type": "host-local",
        "dataDir": str(layout.data / "addresses"),
        "ranges": [[{"subnet": layout.network.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [{"type": "ptp", "ipMasq": False, "ipam": ipam}]
    return json.dumps({"cniVersion": "0.4.0", "name": layout.cluster, "plugins": plugins}, indent=1)


def snapshotter(scratch: Path) -> str:
    """overlayfs where the file system under the cache can carry it."""
    parts = {name: scratch / name for name in ("lower", "upper", "work", "merged")}
    for part in parts.values():
        part.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
    command = ["mount", "-t", "overlay", "overlay", "-o", options, str(parts["merged"])]
    works = subprocess.run(command, capture_output=True, check=False).returncode == 0
    if works:
        subprocess.run(["umount", str(parts["merged"])], check=True)
    shutil.rmtree(scratch, ignore_errors=True)
    return "overlayfs" if works else "native"


def ctr(layout: Layout, *arguments: str) -> str:
    command = ["ctr", "--address", str(layout.runtime_socket), "--namespace", "k8s.io", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"ctr {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def import_pause(layout: Layout, program: Path) -> None:
    """An image of one file, written by hand as a docker-archive."""
    if PAUSE_IMAGE in ctr(layout, "images", "list", "--quiet").split():
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with tarfile.open(folder / "layer.tar", "w") as layer:
            layer.add(program, "pause")
        digest = hashlib.sha256((folder / "layer.tar").read_bytes()).hexdigest()
        image = {
            "architecture": "arm64" if platform.machine() == "aarch64" else "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/pause"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
        (folder / "config.json").write_text(json.dumps(image))
        manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with tarfile.open(folder / "image.tar", "w") as archive:
            for name in ("manifest.json", "config.json", "layer.tar"):
                archive.add(folder / name, name)
        ctr(layout, "images", "import", str(folder / "image.tar"))

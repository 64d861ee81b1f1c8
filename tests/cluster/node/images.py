"""Images into the node: which are there already, and archives of those that docker or buildah hold."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.cluster.node.layout import Layout
from tests.cluster.node.runtime import ctr
from tests.cluster.progress import say, step
from tests.cluster.provider import ClusterError


def load(layout: Layout, image: str) -> None:
    if Path(image).is_file():
        load_archive(layout, Path(image))
        return
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "image.tar"
        export(image, archive)
        load_archive(layout, archive)


def export(image: str, archive: Path) -> None:
    """From the engine that built it."""
    commands = (
        ["docker", "save", "--output", str(archive), image],
        ["buildah", "push", image, f"docker-archive:{archive}:{image}"],
    )
    complaints = [f"{image} is no file"]
    for command in commands:
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            complaints.append(f"{command[0]}: {done.stderr.strip().splitlines()[-1:]}")
    raise ClusterError("; ".join(complaints))


def load_archive(layout: Layout, archive: Path) -> None:
    ids, ledger = identities(archive), layout.data / "images.json"
    known: dict[str, str] = json.loads(ledger.read_text()) if ledger.exists() else {}
    present = set(ctr(layout, "images", "list", "--quiet").split())
    if ids and all(known.get(tag) == digest and qualified(tag) in present for tag, digest in ids.items()):
        say(f"{', '.join(ids)}: already loaded")
        return
    with step(f"loading {', '.join(ids) or archive.name}"):
        ctr(layout, "images", "import", str(archive))
    ledger.write_text(json.dumps(known | ids, indent=1))


def identities(archive: Path) -> dict[str, str]:
    """Tag -> image id of a docker-archive, without reading its layers."""
    with tarfile.open(archive) as opened:
        try:
            member = opened.extractfile("manifest.json")
        except KeyError:
            return {}
        manifest = json.load(member) if member else []
    return {tag: entry["Config"] for entry in manifest for tag in entry.get("RepoTags") or ()}


def qualified(tag: str) -> str:
    """The full name that the container runtime knows a tag by: `a/b:1` -> `docker.io/a/b:1`."""
    host, slash, rest = tag.partition("/")
    if not slash:
        host, rest = "", f"library/{tag}"
    elif "." not in host and ":" not in host and host != "localhost":
        host, rest = "", tag
    name = f"{host or 'docker.io'}/{rest}"
    return name if ":" in rest.rpartition("/")[2] else f"{name}:latest"

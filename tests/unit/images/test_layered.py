"""Archives without the parent's layers: whole in what they name, small in what they hold."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from images.builder.layered import write_layered

NAME = "docker.io/modelyard/serving:1"
LAYERS = {f"sha256:{hashlib.sha256(data).hexdigest()}": data for data in (b"base", b"dependencies", b"code")}


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A docker-archive as buildah writes it."""
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": list(LAYERS)}}).encode()
    names = {diff_id: f"{diff_id[7:]}.tar" for diff_id in LAYERS}
    manifest = [{"Config": "config.json", "RepoTags": [NAME], "Layers": list(names.values())}]
    files = {names[diff_id]: data for diff_id, data in LAYERS.items()}
    files |= {"config.json": config, "manifest.json": json.dumps(manifest).encode()}
    path = tmp_path / "full.tar"
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def _contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {member.name: opened.read() for member in archive if (opened := archive.extractfile(member))}


def test_the_parents_layers_are_named_but_left_out(full: Path, tmp_path: Path) -> None:
    base, *own = LAYERS
    write_layered(full, tmp_path / "out.tar", NAME, [base])
    found = _contents(tmp_path / "out.tar")
    index = json.loads(found["index.json"])["manifests"][0]
    assert index["annotations"] == {"io.containerd.image.name": NAME}
    manifest = json.loads(found[f"blobs/{index['digest'].replace(':', '/')}"])
    assert [layer["digest"] for layer in manifest["layers"]] == list(LAYERS)
    assert [layer["size"] for layer in manifest["layers"]] == [len(data) for data in LAYERS.values()]
    held = {name.replace("blobs/", "").replace("/", ":") for name in found if name.startswith("blobs/")}
    assert held == {*own, index["digest"], manifest["config"]["digest"]}


def test_every_blob_has_the_digest_it_is_named_by(full: Path, tmp_path: Path) -> None:
    write_layered(full, tmp_path / "out.tar", NAME, [])
    blobs = {name: data for name, data in _contents(tmp_path / "out.tar").items() if name.startswith("blobs/")}
    assert len(blobs) == len(LAYERS) + 2
    assert all(name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}" for name, data in blobs.items())


def test_readers_of_docker_archives_find_name_and_id(full: Path, tmp_path: Path) -> None:
    write_layered(full, tmp_path / "out.tar", NAME, [])
    found = _contents(tmp_path / "out.tar")
    entry = json.loads(found["manifest.json"])[0]
    assert entry["RepoTags"] == [NAME]
    assert f"blobs/{entry['Config'].replace(':', '/')}" in found

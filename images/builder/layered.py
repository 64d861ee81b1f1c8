"""Archives of only those layers that the parent image does not have: a code change then loads in about a second.

An OCI layout with a docker-archive's manifest.json beside it, for readers of names and ids. The container runtime
must have loaded the parent first, which holds the layers left out.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

_OCI = "application/vnd.oci.image"


def write_layered(full: Path, target: Path, name: str, left_out: Collection[str]) -> None:
    """Writes `target` from the docker-archive `full` of one image, without the layers whose diff ids are left out."""
    with tarfile.open(full) as source, tarfile.open(target, "w") as out:
        entry = json.loads(_open(source, "manifest.json").read())[0]
        config = _open(source, entry["Config"]).read()
        diff_ids: list[str] = json.loads(config)["rootfs"]["diff_ids"]
        layers = dict(zip(diff_ids, entry["Layers"], strict=True))
        sizes = {diff_id: source.getmember(member).size for diff_id, member in layers.items()}
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": f"{_OCI}.manifest.v1+json",
                "config": _descriptor("config.v1+json", _digest(config), len(config)),
                "layers": [_descriptor("layer.v1.tar", diff_id, sizes[diff_id]) for diff_id in diff_ids],
            }
        )
        index = _descriptor("manifest.v1+json", _digest(manifest), len(manifest))
        index["annotations"] = {"io.containerd.image.name": name}
        _add(out, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(out, "index.json", _json({"schemaVersion": 2, "manifests": [index]}))
        _add(out, "manifest.json", _json([{"Config": _digest(config), "RepoTags": [name], "Layers": []}]))
        _add(out, _path(_digest(manifest)), manifest)
        _add(out, _path(_digest(config)), config)
        for diff_id, member in layers.items():
            if diff_id not in left_out:
                _add(out, _path(diff_id), _open(source, member), sizes[diff_id])


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": digest, "size": size}


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    opened = archive.extractfile(name)
    if opened is None:
        raise ValueError(f"{name} in {archive.name!r} is no file")
    return opened


def _add(out: tarfile.TarFile, name: str, content: bytes | IO[bytes], size: int | None = None) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content) if isinstance(content, bytes) else size or 0
    out.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else content)

"""Archives are recognised by their image ids, without reading layers."""

import io
import json
import tarfile
from pathlib import Path

from tests.cluster.node.images import identities


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as opened:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return path


def test_tags_and_ids(tmp_path: Path) -> None:
    manifest = [
        {"Config": "abc.json", "RepoTags": ["a:1", "b:2"], "Layers": []},
        {"Config": "d.json", "RepoTags": None},
    ]
    tar = archive(tmp_path / "image.tar", {"manifest.json": json.dumps(manifest).encode()})
    assert identities(tar) == {"a:1": "abc.json", "b:2": "abc.json"}


def test_another_kind_of_archive_is_always_loaded(tmp_path: Path) -> None:
    assert identities(archive(tmp_path / "oci.tar", {"oci-layout": b"{}"})) == {}

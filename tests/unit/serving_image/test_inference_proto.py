"""The messages of gRPC are what their .proto says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3] / "images" / "serving"
PROTO = "modelyard_serving/inference.proto"


def test_the_generated_files_are_up_to_date(tmp_path: Path) -> None:
    """`make protocol` writes them."""
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([*command, PROTO], cwd=ROOT, check=True)
    for name in ("inference_pb2.py", "inference_pb2.pyi"):
        assert (tmp_path / "modelyard_serving" / name).read_text() == (ROOT / "modelyard_serving" / name).read_text()

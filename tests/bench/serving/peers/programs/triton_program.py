"""Triton itself, as NVIDIA's pytriton ships it, with its Python backend; with the graph, its dynamic batching."""

import os
import shutil
import site
import sys
from pathlib import Path

from tests.bench.serving.peers.model import FOLDER, FORM, PORT

HERE = Path(__file__).parent
CONFIG = """name: "bench"
backend: "python"
max_batch_size: 32
{batching}
input [{inputs}]
output [{{ name: "predict" data_type: TYPE_STRING dims: [1] }}]
instance_group [{{ kind: KIND_CPU count: 1 }}]
"""


def main() -> None:
    packages = Path(site.getsitepackages()[0])
    server = packages / "pytriton" / "tritonserver"
    place = Path(FOLDER) / f"triton-{FORM}"
    _repository(place / "models" / "bench")
    backend = place / "backends" / "python"
    shutil.copytree(server / "backends" / "python", backend)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = shutil.copy(server / "python_backend_stubs" / version / "triton_python_backend_stub", backend)
    Path(stub).chmod(0o755)
    binary = server / "bin" / "tritonserver"
    binary.chmod(0o755)
    libraries = [str(packages / "nvidia_pytriton.libs"), f"{sys.base_prefix}/lib"]
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "PEER_PACKAGES": os.pathsep.join([str(packages), os.environ["PYTHONPATH"]]),
    }
    os.execve(  # noqa: S606
        binary,
        [
            str(binary),
            f"--model-repository={place / 'models'}",
            f"--backend-directory={place / 'backends'}",
            f"--http-port={PORT}",
            "--http-address=127.0.0.1",
            "--http-thread-count=1",
            "--allow-grpc=false",
            "--allow-metrics=false",
            "--log-info=false",
        ],
        environment,
    )


def _repository(folder: Path) -> None:
    shutil.rmtree(folder.parents[1], ignore_errors=True)
    (folder / "1").mkdir(parents=True)
    shutil.copy(HERE / "triton_model.py", folder / "1" / "model.py")
    count = int((Path(FOLDER) / "features.txt").read_text())
    inputs = ", ".join(f'{{ name: "f{n}" data_type: TYPE_FP64 dims: [1] }}' for n in range(count))
    batching = "dynamic_batching { max_queue_delay_microseconds: 500 }" if FORM == "graph" else ""
    (folder / "config.pbtxt").write_text(CONFIG.format(inputs=inputs, batching=batching))


if __name__ == "__main__":
    main()

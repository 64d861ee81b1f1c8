"""Runs SeaweedFS with the credentials and buckets the environment names. Only the standard library.

AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: the one identity. BUCKETS: names, separated by commas or spaces.
Master, volume server and filer have no authentication: they listen on loopback, at MASTER_PORT and the two after.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

PORT = int(os.environ.get("PORT", "8333"))
MASTER_PORT = int(os.environ.get("MASTER_PORT", "9333"))
DATA = os.environ.get("DATA", "/data")
SCRATCH = Path(os.environ.get("SCRATCH", "/tmp"))  # noqa: S108 - a volume of the pod
START_SECONDS = 60
SHELL_SECONDS = 20


def main() -> int:
    configuration = SCRATCH / "s3.json"
    configuration.touch(mode=0o600)
    configuration.write_text(json.dumps(identities(os.environ)))
    # A new bucket takes one volume at first, not seven, so that a small disk holds several buckets.
    environment = {**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
    server = subprocess.Popen(server_command(configuration), env=environment, cwd=SCRATCH)

    def forward(number: int, _frame: FrameType | None) -> None:
        server.send_signal(number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    try:
        wait_until_ready(server)
        create_buckets(os.environ.get("BUCKETS", "").replace(",", " ").split())
    except TimeoutError as error:
        print(f"store: {error}", file=sys.stderr)
        server.terminate()
        server.wait()
        return 1
    return server.wait()


def identities(environment: "os._Environ[str]") -> dict[str, object]:
    try:
        keys = {
            "accessKey": environment["AWS_ACCESS_KEY_ID"],
            "secretKey": environment["AWS_SECRET_ACCESS_KEY"],
        }
    except KeyError as error:
        raise SystemExit(f"store: {error.args[0]} is not set: mount the store's Secret as environment") from None
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return {"identities": [{"name": "modelyard", "credentials": [keys], "actions": actions}]}


def server_command(configuration: Path) -> list[str]:
    # Volumes are files that grow; 256 MB each keeps compaction short, and their number is left to the disk.
    return [
        "weed",
        "-logtostderr=true",
        "server",
        f"-dir={DATA}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3",
        "-s3.ip.bind=0.0.0.0",
        f"-s3.port={PORT}",
        f"-s3.config={configuration}",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-master.port={MASTER_PORT}",
        f"-volume.port={MASTER_PORT + 1}",
        f"-filer.port={MASTER_PORT + 2}",
        "-master.volumeSizeLimitMB=256",
        "-master.telemetry=false",
        "-volume.max=0",
        "-volume.preStopSeconds=1",
    ]


def wait_until_ready(server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise TimeoutError(f"SeaweedFS ended with {server.returncode} before it answered")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(f"SeaweedFS did not answer within {START_SECONDS} s")


def create_buckets(names: list[str]) -> None:
    """Those that are there already stay as they are. Tries again: just after its start the server may refuse."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            present = {line.split()[0] for line in weed_shell("s3.bucket.list").splitlines() if "size:" in line}
            for name in names:
                if name not in present:
                    weed_shell(f"s3.bucket.create -name {name}")
            return
        except subprocess.SubprocessError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no buckets {', '.join(names)} after {START_SECONDS} s: {error}") from None
            time.sleep(1)


def weed_shell(command: str) -> str:
    shell = ["weed", "-logtostderr=true", "shell", f"-master=127.0.0.1:{MASTER_PORT}"]
    done = subprocess.run(
        shell, input=command, stdout=subprocess.PIPE, text=True, cwd=SCRATCH, timeout=SHELL_SECONDS, check=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

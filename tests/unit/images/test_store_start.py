"""The store's start, with a server in SeaweedFS's place that refuses its first commands."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

from tests.cluster.waiting import free_ports

ROOT = Path(__file__).parents[3]
REFUSING_WEED = """\
    #!{python}
    import http.server, pathlib, sys
    calls, buckets = pathlib.Path("calls"), pathlib.Path("buckets")
    if "server" in sys.argv:
        class Health(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
        http.server.HTTPServer(("127.0.0.1", {port}), Health).serve_forever()
    with calls.open("a") as file:
        file.write("call\\n")
    if len(calls.read_text().splitlines()) <= 2:
        sys.exit("not the leader yet")
    command = sys.stdin.read()
    made = buckets.read_text() if buckets.exists() else ""
    if command.startswith("s3.bucket.create"):
        buckets.write_text(made + command.split()[-1] + "  size:0\\n")
    print(made)
"""


def test_a_store_whose_first_commands_are_refused_makes_its_buckets_without_a_restart(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    weed = tmp_path / "bin" / "weed"
    weed.parent.mkdir()
    weed.write_text(textwrap.dedent(REFUSING_WEED).format(python=sys.executable, port=port))
    weed.chmod(0o755)
    environment = {
        "PATH": f"{weed.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "images/store"),
        "SCRATCH": str(tmp_path),
        "PORT": str(port),
        "BUCKETS": "modelyard,examples",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    made = tmp_path / "buckets"
    command = [sys.executable, "-m", "modelyard_store"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True) as store:
        try:
            while store.poll() is None and not (made.exists() and "examples" in made.read_text()):
                time.sleep(0.1)
            assert store.poll() is None
        finally:
            with suppress(ProcessLookupError):  # it ended
                os.killpg(store.pid, signal.SIGKILL)
    assert made.read_text().split() == ["modelyard", "size:0", "examples", "size:0"]

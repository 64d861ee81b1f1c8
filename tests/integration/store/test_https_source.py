"""https sources, from a real TLS server: the checksum is the identity, and each answer has its reason."""

import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import SourceTask
from modelyard_dataset import addresses
from modelyard_dataset.fetch import fetch_all
from modelyard_dataset.listing import list_sources
from modelyard_kit.failure import TaskFailure

pytestmark = pytest.mark.integration

CONTENT = b"id,x\n1,2\n"
_ELSEWHERE = {302: "/200.csv", 307: "https://169.254.169.254/latest/meta-data/iam/"}
STORE = StoreConfig(uri="s3://modelyard")


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = int(self.path.strip("/").split(".")[0])
        self.send_response(status)
        if status in _ELSEWHERE:
            self.send_header("Location", _ELSEWHERE[status])
        body = CONTENT if status == 200 else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """https://localhost:<port>, whose certificate is trusted; the path is the status it answers."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        patch.setattr(addresses, "REFUSED", ())  # it can only be on loopback here
        yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def _fetch(uri: str, folder: Path, content: bytes = CONTENT) -> bytes:
    source = SourceTask(name="web", uri=uri, sha256=hashlib.sha256(content).hexdigest())
    files = list_sources([source], STORE)
    return fetch_all(files, STORE, folder, lambda done, uri: None)["web"][0].read_bytes()


@pytest.mark.parametrize("path", ["200.csv", "302.csv", "200.csv?token=1"])
def test_a_file_is_downloaded_through_redirects(site: str, tmp_path: Path, path: str) -> None:
    assert _fetch(f"{site}/{path}", tmp_path) == CONTENT


def test_another_checksum_is_the_users_to_look_at(site: str, tmp_path: Path) -> None:
    with pytest.raises(TaskFailure, match=r"spec\.sources\[web\]\.sha256 is") as caught:
        _fetch(f"{site}/200.csv", tmp_path, b"something else")
    assert caught.value.reason == Reason.CHECKSUM_MISMATCH


@pytest.mark.parametrize(
    ("status", "blame", "reason"),
    [
        (404, "user", Reason.SOURCE_NOT_FOUND),
        (410, "user", Reason.SOURCE_NOT_FOUND),
        (401, "user", Reason.SOURCE_FORBIDDEN),
        (403, "user", Reason.SOURCE_FORBIDDEN),
        (429, "world", Reason.SOURCE_UNAVAILABLE),
        (503, "world", Reason.SOURCE_UNAVAILABLE),
    ],
)
def test_an_answer_without_the_file_has_its_reason(
    site: str, tmp_path: Path, status: int, blame: str, reason: Reason
) -> None:
    with pytest.raises(TaskFailure, match=r"spec\.sources\[web\]\.uri https://localhost") as caught:
        _fetch(f"{site}/{status}.csv", tmp_path)
    assert (caught.value.blame, caught.value.reason) == (blame, reason)


def test_a_redirect_leads_nowhere_where_no_source_may_be(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "REFUSED", (ip_network("169.254.0.0/16"),))
    with pytest.raises(TaskFailure, match=r"spec\.sources\[web\]\.uri: 169\.254\.169\.254, where no") as caught:
        _fetch(f"{site}/307.csv", tmp_path)
    assert (caught.value.blame, caught.value.reason) == ("user", Reason.SOURCE_FORBIDDEN)


def test_a_certificate_of_another_name_is_not_trusted(site: str, tmp_path: Path) -> None:
    with pytest.raises(TaskFailure, match="CERTIFICATE_VERIFY_FAILED"):
        _fetch(f"{site.replace('localhost', '127.0.0.1')}/200.csv", tmp_path)


def test_a_server_that_is_away_is_the_worlds_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "REFUSED", ())
    with pytest.raises(TaskFailure) as caught:
        _fetch("https://127.0.0.1:9/a.csv", tmp_path)
    assert (caught.value.blame, caught.value.reason) == ("world", Reason.SOURCE_UNAVAILABLE)

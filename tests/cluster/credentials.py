"""Certificates, service account keys and kubeconfigs, made with the openssl program."""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.provider import ClusterError

_CONFIG = """[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,digitalSignature
[leaf]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth,clientAuth
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-days", "3650")


class Credentials:
    """One certificate authority and what it signed, in a folder; made once, kept with the cluster's data."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ca = directory / "ca.crt"

    def certificate(self, name: str) -> Path:
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.directory / f"{name}.key"

    def make_authority(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        (self.directory / "openssl.cnf").write_text(_CONFIG)
        if not self.ca.exists():
            self._openssl("ca", "/CN=modelyard test authority", "authority")
        if not self.key("service-account").exists():
            self._openssl("service-account", "/CN=service accounts", "leaf")

    def issue(self, name: str, common_name: str, group: str = "", addresses: Sequence[str] = ()) -> None:
        """A certificate for client and server use; one that exists is kept."""
        if self.certificate(name).exists():
            return
        subject = (f"/O={group}" if group else "") + f"/CN={common_name}"
        extra = ["-CA", str(self.ca), "-CAkey", str(self.key("ca"))]
        if addresses:
            extra += ["-addext", f"subjectAltName={subject_names(addresses)}"]
        self._openssl(name, subject, "leaf", *extra)

    def kubeconfig(self, name: str, server: str, path: Path) -> Path:
        """A kubeconfig that holds its certificates, so that it works wherever it is copied to."""
        path.parent.mkdir(parents=True, exist_ok=True)
        user = {
            "client-certificate-data": _encoded(self.certificate(name)),
            "client-key-data": _encoded(self.key(name)),
        }
        cluster = {"server": server, "certificate-authority-data": _encoded(self.ca)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "modelyard", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "modelyard", "context": {"cluster": "modelyard", "user": name}}],
            "current-context": "modelyard",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=1))  # JSON is YAML
        return path

    def _openssl(self, name: str, subject: str, section: str, *extra: str) -> None:
        scratch = self.directory / f"{name}.new"
        command = ["openssl", "req", "-x509", *_KEY, "-config", str(self.directory / "openssl.cnf"),
                   "-extensions", section, "-subj", subject, "-keyout", str(self.key(name)),
                   "-out", str(scratch), *extra]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClusterError(f"openssl could not make {name} (it has to be 3.0 or newer): {done.stderr.strip()}")
        scratch.replace(self.certificate(name))


def subject_names(addresses: Sequence[str]) -> str:
    return ",".join(f"IP:{name}" if name[:1].isdigit() else f"DNS:{name}" for name in addresses)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()

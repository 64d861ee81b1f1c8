"""Command lines of the control plane, the same for the embedded node and for integration tests. Pure."""

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.credentials import Credentials


@dataclass(frozen=True)
class ControlPlaneSettings:
    program: Path
    data: Path
    credentials: Credentials
    bind: str
    api_port: int
    etcd_port: int
    peer_port: int
    services: str
    audit_policy: Path | None = None

    @property
    def audit_log(self) -> Path:
        return self.data / "audit.log"

    @property
    def etcd_url(self) -> str:
        return f"http://127.0.0.1:{self.etcd_port}"

    @property
    def api_url(self) -> str:
        return f"https://{self.bind}:{self.api_port}"


def etcd(settings: ControlPlaneSettings) -> list[str]:
    peer = f"http://127.0.0.1:{settings.peer_port}"
    return [
        str(settings.program), "etcd",
        "--name=node", f"--data-dir={settings.data / 'etcd'}",
        f"--listen-client-urls={settings.etcd_url}", f"--advertise-client-urls={settings.etcd_url}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=node={peer}",
        "--unsafe-no-fsync", "--quota-backend-bytes=4294967296",
        "--auto-compaction-mode=periodic", "--auto-compaction-retention=10m",
    ]  # fmt: skip


def api_server(settings: ControlPlaneSettings) -> list[str]:
    made = settings.credentials
    return [
        str(settings.program), "kube-apiserver",
        f"--etcd-servers={settings.etcd_url}",
        f"--bind-address={settings.bind}", f"--advertise-address={settings.bind}",
        f"--secure-port={settings.api_port}", f"--service-cluster-ip-range={settings.services}",
        f"--tls-cert-file={made.certificate('api-server')}", f"--tls-private-key-file={made.key('api-server')}",
        f"--client-ca-file={made.ca}",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true", "--profiling=false",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={made.certificate('service-account')}",
        f"--service-account-signing-key-file={made.key('service-account')}",
        f"--kubelet-client-certificate={made.certificate('kubelet-client')}",
        f"--kubelet-client-key={made.key('kubelet-client')}",
        # else exec and logs ask DNS for the node's name
        "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={made.ca}", "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group", "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={made.certificate('front-proxy')}",
        f"--proxy-client-key-file={made.key('front-proxy')}",
        "--watch-cache=true", "--event-ttl=6h",
        *_audit(settings),
    ]  # fmt: skip


def _audit(settings: ControlPlaneSettings) -> list[str]:
    if settings.audit_policy is None:
        return []
    return [f"--audit-policy-file={settings.audit_policy}", f"--audit-log-path={settings.audit_log}"]


def controller_manager(settings: ControlPlaneSettings, kubeconfig: Path, port: int) -> list[str]:
    """The rates are those of a load test: with the defaults 1,000 Jobs take 298 s instead of 19 s."""
    return [
        str(settings.program), "kube-controller-manager",
        f"--kubeconfig={kubeconfig}", "--bind-address=127.0.0.1", f"--secure-port={port}",
        f"--cert-dir={settings.data / 'controller-manager'}",
        "--use-service-account-credentials=true", "--leader-elect=false",
        f"--service-account-private-key-file={settings.credentials.key('service-account')}",
        f"--root-ca-file={settings.credentials.ca}",
        "--kube-api-qps=500", "--kube-api-burst=1000",
    ]  # fmt: skip


def scheduler(settings: ControlPlaneSettings, kubeconfig: Path, port: int) -> list[str]:
    return [
        str(settings.program), "kube-scheduler",
        f"--kubeconfig={kubeconfig}", "--bind-address=127.0.0.1", f"--secure-port={port}",
        f"--cert-dir={settings.data / 'scheduler'}",
        "--leader-elect=false", "--kube-api-qps=1000", "--kube-api-burst=2000",
    ]  # fmt: skip


def issue_all(made: Credentials, server_names: list[str]) -> None:
    """Everything that the command lines above name."""
    made.make_authority()
    made.issue("api-server", "kube-apiserver", addresses=[*server_names, "kubernetes", "localhost",
               "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"])  # fmt: skip
    made.issue("admin", "modelyard-admin", "system:masters")
    made.issue("kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    made.issue("front-proxy", "front-proxy")
    made.issue("controller-manager", "system:kube-controller-manager")
    made.issue("scheduler", "system:kube-scheduler")

"""How to reach the API server: the pod's service account where there is one, else the kubeconfig."""

import os
import ssl
from pathlib import Path
from typing import Any

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HOST = "KUBERNETES_SERVICE_HOST"
# Python 3.13 made it the default, and the certificates of many clusters fail it, e.g. for want of an Authority Key
# Identifier (kubernetes-client/python#2394). Chain, validity and host name are checked as ever.
STRICT = ssl.VERIFY_X509_STRICT


def in_cluster() -> bool:
    """KUBECONFIG, where set, wins: a developer's choice, made in a pod too."""
    return not os.environ.get("KUBECONFIG") and _HOST in os.environ and (_ACCOUNT / "token").exists()


def server() -> str:
    """The API server by address, so that nothing depends on the cluster's DNS."""
    host = os.environ[_HOST]
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def token() -> str:
    return (_ACCOUNT / "token").read_text().strip()


def authority() -> Path:
    return _ACCOUNT / "ca.crt"


def own_namespace() -> str:
    """The namespace this process runs in; `default` outside a cluster."""
    given = os.environ.get("POD_NAMESPACE")
    file = _ACCOUNT / "namespace"
    return given or (file.read_text().strip() if file.exists() else "default")


async def configuration() -> Any:
    """A kubernetes.aio Configuration. Service account tokens are read again as they rotate."""
    from kubernetes.aio import config as untyped
    from kubernetes.aio.client import Configuration

    config: Any = untyped
    result = Configuration()
    result.disable_strict_ssl_verification = True  # see STRICT
    # Else aiohttp looks for proxies and a .netrc in a thread at each request, for half of its cost.
    result.client_session_kwargs = {"trust_env": False}
    if in_cluster():
        config.load_incluster_config(client_configuration=result)
    else:
        await config.load_kube_config(config_file=os.environ.get("KUBECONFIG"), client_configuration=result)
    return result

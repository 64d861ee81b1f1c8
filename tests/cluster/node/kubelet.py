"""Configuration and command lines of what runs on the node: kubelet, kube-proxy, CoreDNS. Pure."""

import json
from pathlib import Path

from tests.cluster.credentials import Credentials
from tests.cluster.node.layout import NODE_NAME, Layout


def kubelet_config(layout: Layout, made: Credentials) -> str:
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{layout.runtime_socket}",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},
                "x509": {"clientCAFile": str(made.ca)},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "clusterDNS": [layout.network.dns],
            "clusterDomain": "cluster.local",
            "resolvConf": str(layout.config / "resolv.conf"),
            "podLogsDir": str(layout.data / "pod-logs"),
            "volumePluginDir": str(layout.data / "volume-plugins"),
            "maxPods": 250,
            "serializeImagePulls": False,
            "kubeAPIQPS": 500,
            "kubeAPIBurst": 1000,
            # nothing can be pulled again: images are never collected for lack of space
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "nodeStatusUpdateFrequency": "5s",
            "shutdownGracePeriod": "0s",
        },
        indent=1,
    )


def kubelet(layout: Layout, made: Credentials, program: Path) -> list[str]:
    return [
        str(program), "kubelet",
        f"--config={layout.config / 'kubelet.json'}", f"--kubeconfig={layout.component_kubeconfig('kubelet')}",
        f"--root-dir={layout.data / 'kubelet'}", f"--cert-dir={layout.data / 'kubelet-certificates'}",
        f"--hostname-override={NODE_NAME}", f"--node-ip={layout.network.node}",
    ]  # fmt: skip


def kube_proxy(layout: Layout, program: Path) -> list[str]:
    return [
        str(program), "kube-proxy",
        f"--kubeconfig={layout.component_kubeconfig('kube-proxy')}", f"--hostname-override={NODE_NAME}",
        "--proxy-mode=iptables", f"--cluster-cidr={layout.network.pods}", "--oom-score-adj=0",
        "--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249",
        # these are the host's kernel settings: not ours to change
        "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]  # fmt: skip


def coredns(layout: Layout, program: Path) -> list[str]:
    return [str(program), "-conf", str(layout.config / "Corefile")]


def corefile(layout: Layout) -> str:
    """No way out: other names do not exist. No `cache`: a name that is missing once would stay so for seconds."""
    return f"""cluster.local:53 in-addr.arpa:53 {{
    bind {layout.network.dns}
    errors
    health 127.0.0.1:8080
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {layout.component_kubeconfig("coredns")}
        pods insecure
        ttl 5
    }}
}}
.:53 {{
    bind {layout.network.dns}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""

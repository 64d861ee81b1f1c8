"""`python -m tests.product install|uninstall|dev`: modelyard on the cluster, by hand."""

import argparse
import os
import sys

from tests.cluster.choice import PROVIDERS, choose
from tests.cluster.provider import ClusterError, Provider
from tests.product.images import build_and_load
from tests.product.product import CHART, RELEASE, ROOT, SYSTEM, Product, ProductError


def install(provider: Provider, namespace: str) -> None:
    provider.up()
    Product(provider, workloads=(namespace,)).install(build_and_load(provider))
    print(f"modelyard is installed; work in namespace {namespace}:")
    print(f"  export KUBECONFIG={provider.kubeconfig()}")
    print(f"  kubectl --namespace {namespace} apply -f examples/quickstart/model.yaml")


def dev(provider: Provider, namespace: str) -> None:
    """The working tree's operator takes over from the installed one until it ends."""
    product = Product(provider, workloads=(namespace,))
    deployment = ("deployment", RELEASE, "--namespace", SYSTEM)
    config = product.get("configmap", f"{RELEASE}-config", "--namespace", SYSTEM)["data"]["operator.yaml"]
    path = ROOT / ".work" / "dev" / "operator.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config)
    product.kubectl("scale", *deployment, "--replicas=0")
    environment = {**os.environ, "KUBECONFIG": str(provider.kubeconfig()), "PYTHONPATH": str(ROOT / "operator")}
    command = [sys.executable, "-m", "modelyard", "run", "--dev", "--config", str(path)]
    print(f"the operator of the working tree runs; when it ends: helm upgrade {RELEASE} {CHART.relative_to(ROOT)}")
    os.execve(sys.executable, command, environment)  # noqa: S606


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.product", description="modelyard on a cluster.")
    parser.add_argument("command", choices=["install", "uninstall", "dev"])
    parser.add_argument("--provider", choices=list(PROVIDERS), help="default: kind where Docker answers, else node")
    parser.add_argument("--namespace", default="demo", help="where data scientists work (default: demo)")
    options = parser.parse_args()
    try:
        provider = choose(options.provider)
        match options.command:
            case "install":
                install(provider, options.namespace)
            case "uninstall":
                Product(provider).uninstall()
            case "dev":
                dev(provider, options.namespace)
    except (ClusterError, ProductError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

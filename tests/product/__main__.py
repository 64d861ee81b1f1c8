"""`python -m tests.product install|uninstall|dev`: modelyard on the cluster, by hand."""

import argparse
import sys

from tests.cluster.choice import PROVIDERS, choose
from tests.cluster.provider import ClusterError, Provider
from tests.product.dev import dev
from tests.product.images import build_and_load
from tests.product.product import Product, ProductError


def install(provider: Provider, namespace: str) -> None:
    provider.up()
    Product(provider, workloads=(namespace,)).install(build_and_load(provider))
    print(f"modelyard is installed; work in namespace {namespace}:")
    print(f"  export KUBECONFIG={provider.kubeconfig()}")
    print(f"  kubectl --namespace {namespace} apply -f examples/quickstart/model.yaml")


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
                dev(Product(provider))
    except (ClusterError, ProductError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

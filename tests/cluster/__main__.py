"""`python -m tests.cluster up|down|status|kubeconfig|load|capacity|tool`: the providers by hand."""

import argparse
import sys

from tests.cluster import build
from tests.cluster.choice import PROVIDERS, choose
from tests.cluster.provider import CLUSTER_NAME, ClusterError, Provider


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m tests.cluster", description="A Kubernetes for tests.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--provider", choices=list(PROVIDERS), help="default: kind where Docker answers, else node")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("up", parents=[common], help="start it, or return at once when it is healthy")
    down = commands.add_parser("down", parents=[common], help="stop it and delete its data (not the programs)")
    down.add_argument("--keep-data", action="store_true", help="the next `up` finds pods and objects again")
    commands.add_parser("status", parents=[common], help="exit code 0 when healthy, 3 when not")
    commands.add_parser("kubeconfig", parents=[common], help="print the path of the kubeconfig")
    load = commands.add_parser("load", parents=[common], help="make images available to pods")
    load.add_argument("image", nargs="+", help="a docker-archive tar, or a name that docker or buildah knows")
    capacity = commands.add_parser("capacity", parents=[common], help="pretend to have devices")
    capacity.add_argument("amount", nargs="+", help="nvidia.com/gpu=2")
    tool = commands.add_parser("tool", help="build a program if needed and print its path")
    tool.add_argument("name", choices=["kubectl", *build.TOOLS])
    return top


def run(arguments: argparse.Namespace) -> int:
    if arguments.command == "tool":
        is_kubectl = arguments.name == "kubectl"
        print(build.program("kubernetes" if is_kubectl else arguments.name, arguments.name))
        return 0
    return act(arguments, choose(arguments.provider, CLUSTER_NAME))


def act(arguments: argparse.Namespace, provider: Provider) -> int:
    match arguments.command:
        case "up":
            provider.up()
            print(provider.kubeconfig())
        case "down":
            provider.down(keep_data=arguments.keep_data)
        case "status":
            status = provider.status()
            print(status)
            return 0 if status.healthy else 3
        case "kubeconfig":
            print(provider.kubeconfig())
        case "load":
            for image in arguments.image:
                provider.load_image(image)
        case "capacity":
            for amount in arguments.amount:
                resource, equals, quantity = amount.partition("=")
                if not equals:
                    raise ClusterError(f"{amount!r} is not RESOURCE=QUANTITY")
                provider.set_capacity(resource, quantity)
    return 0


def main() -> int:
    try:
        return run(parser().parse_args())
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""A real Kubernetes on any Linux machine, behind one interface.

`choose()` gives the provider that this machine can run; `python -m tests.cluster --help` is the same by hand.
"""

from tests.cluster.choice import choose
from tests.cluster.provider import ClusterError, Provider, Status

__all__ = ["ClusterError", "Provider", "Status", "choose"]

"""What the process's metrics say at this moment."""

from prometheus_client import REGISTRY


def sample(series: str, /, **labels: str) -> float:
    """The value of one series; 0 where it does not exist yet."""
    return REGISTRY.get_sample_value(series, labels) or 0.0


def queue(name: str) -> float:
    return sample(f"workqueue_{name}", name="modelyard", controller="modelyard")

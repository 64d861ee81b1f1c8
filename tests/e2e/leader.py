"""The operator's leader, and ways to lose it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.product.product import SYSTEM, Product


def leader(product: Product) -> str | None:
    """The pod that holds the Lease."""
    leases = product.get("leases", "--namespace", SYSTEM)["items"]
    holders = (str(lease["spec"].get("holderIdentity") or "") for lease in leases)
    return next((holder.split("_")[0] for holder in holders if holder), None)


def kill_leader(product: Product) -> None:
    pod = leader(product)
    if pod:
        force = ("--grace-period=0", "--force", "--ignore-not-found")
        product.kubectl("delete", "pod", pod, "--namespace", SYSTEM, *force)


@contextmanager
def leader_killed(product: Product, every: float) -> Iterator[None]:
    """Kills whoever leads, again and again, while the context lasts; fails if nobody was killed."""
    over, killed = Event(), []

    def again() -> None:
        while not over.wait(every):
            kill_leader(product)
            killed.append(1)

    thread = Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert killed

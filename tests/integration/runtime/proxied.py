"""What tests of the operator behind the fault proxy need: its service account, and times between requests."""

from collections.abc import Sequence
from itertools import pairwise

from tests.cluster.fault_proxy import account
from tests.cluster.fault_proxy.server import Record
from tests.integration.runtime.cluster import User


async def allow(user: User, rules: Sequence[account.Rule]) -> None:
    """The account `operator` of the user's namespace has these rights and no others."""
    for path, body in account.documents("operator", user.namespace, rules):
        await user.call(
            "patch",
            path,
            body=body,
            content_type="application/apply-patch+yaml",
            field_manager="tests",
            force_conflicts="true",
        )


async def token(user: User) -> str:
    answer = await user.call("post", account.token_path("operator", user.namespace), body=account.token_request())
    found: str = answer["status"]["token"]
    return found


def pauses(records: Sequence[Record]) -> list[float]:
    """Seconds between requests."""
    return [after.at - before.at for before, after in pairwise(records)]

"""One complete list of a resource brought into the cache, and what it does not hold taken out."""

import logging

from modelyard.plan.labels import SELECTOR
from modelyard.plan.plan import Key, key_of
from modelyard.runtime.client import Client
from modelyard.runtime.errors import GoneError
from modelyard.runtime.intake import Intake
from modelyard.runtime.metrics import RESYNC_DELETIONS
from modelyard.runtime.resources import CHILDREN, Resource

_ANEW = 3  # times in a row

log = logging.getLogger(__name__)


def selector_of(resource: Resource) -> str | None:
    """Of children only ours are looked at."""
    return SELECTOR if resource in CHILDREN else None


async def list_into(intake: Intake, client: Client, resource: Resource, namespace: str | None) -> str:
    """Returns the resourceVersion the list was taken at, from which a watch goes on. Raises ApiError.

    A snapshot that expires between two pages is begun anew, a few times.
    """
    for _ in range(_ANEW):
        try:
            return await _list(intake, client, resource, namespace)
        except GoneError as error:
            log.info("the list of %s begins anew: %s", resource.plural, error)
    return await _list(intake, client, resource, namespace)


async def _list(intake: Intake, client: Client, resource: Resource, namespace: str | None) -> str:
    listed: set[Key] = set()
    version = ""
    async for page in client.pages(resource, namespace, selector_of(resource)):
        version = page["metadata"]["resourceVersion"]
        for item in page["items"]:
            obj = {**item, "apiVersion": resource.api_version, "kind": resource.kind}
            listed.add(key_of(obj))
            intake.present(obj)
    ghosts = intake.cache.drop_ghosts(resource.kind, namespace, listed, int(version))
    RESYNC_DELETIONS.labels(resource.kind).inc(len(ghosts))
    if ghosts:
        log.info("noticed %d deletions of %s that no watch had told", len(ghosts), resource.plural)
    intake.absent(ghosts)
    return version

"""What people may do with the four kinds by the cluster's usual roles: exactly what the documentation says."""

from functools import partial

import pytest

from modelyard.api.fields import GROUP
from modelyard.api.kinds import KINDS
from tests.cluster import build
from tests.cluster.api import Api
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until
from tests.integration.security import release
from tests.unit.chart.rendering import Helm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

READ = {"get", "list", "watch"}
WRITE = {"create", "update", "patch", "delete", "deletecollection"}
MAY = {"view": READ, "edit": READ | WRITE, "admin": READ | WRITE}
PARTS = ("", "status", "finalizers")
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@pytest.fixture(scope="module")
def api(controlled_plane: ControlPlane) -> Api:
    """With a user of each role, named after it, once the controller has put the chart's roles into the usual ones."""
    rendered = Helm(build.program("helm")).template({})
    release.define(controlled_plane, rendered)
    release.apply(controlled_plane, rendered.of("ClusterRole"))
    rbac = "rbac.authorization.k8s.io"
    for role in MAY:
        reference = {"apiGroup": rbac, "kind": "ClusterRole", "name": role}
        user = {"apiGroup": rbac, "kind": "User", "name": role}
        head = {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": f"tried-{role}"}}
        release.apply(controlled_plane, [{**head, "roleRef": reference, "subjects": [user]}])
    found = controlled_plane.api
    for role, verbs in MAY.items():
        for verb in verbs:
            until(partial(may, found, role, verb, "datasets", ""), f"{role} is aggregated", 30)
    return found


def may(api: Api, user: str, verb: str, resource: str, part: str) -> bool:
    asked = {"verb": verb, "group": GROUP, "resource": resource, "subresource": part, "namespace": "default"}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    _, answer = api.call("POST", REVIEWS, {**review, "spec": {"user": user, "resourceAttributes": asked}})
    allowed: bool = answer["status"]["allowed"]
    return allowed


@pytest.mark.parametrize("role", MAY)
def test_people_may_do_with_the_kinds_what_their_role_says_and_never_write_a_status(api: Api, role: str) -> None:
    for kind in KINDS:
        for part in PARTS:
            allowed = {verb for verb in READ | WRITE if may(api, role, verb, kind.plural, part)}
            assert allowed == (MAY[role] if not part else set()), f"{kind.plural}/{part}"

"""A namespace of its own for each test, on an API server that has our CRDs."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from modelyard.runtime.client import Client
from tests.integration.runtime.cluster import User

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest_asyncio.fixture
async def user(control_plane: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[User]:
    monkeypatch.setenv("KUBECONFIG", str(control_plane))
    client = await Client.connect()
    result = User(client, f"runtime-{uuid4().hex[:8]}")
    for kind in KINDS:
        body = definition(kind)
        await result.call(
            "patch",
            f"{CRDS}/{body['metadata']['name']}",
            body=body,
            content_type="application/apply-patch+yaml",
            field_manager="tests",
            force_conflicts="true",
        )
    await result.call("post", "/api/v1/namespaces", body={"metadata": {"name": result.namespace}})
    yield result
    await client.close()

"""The node's storage class `standard`: a folder of the node for each claim, deleted with it.

Pods are non-root and hostPath knows no fsGroup, so the folders are open to everybody.
"""

import contextlib
import http.client
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tests.cluster.api import Api
from tests.cluster.credentials import Credentials
from tests.cluster.node.layout import NODE_NAME

CLASS = "standard"
PROVISIONER = "modelyard.dev/folder"
_LABEL = "modelyard.dev/provisioned"


def storage_class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def volume_for(claim: dict[str, Any], root: Path) -> dict[str, Any]:
    meta, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{meta['uid']}"
    reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "uid": meta["uid"],
                 "namespace": meta["namespace"], "name": meta["name"]}  # fmt: skip
    on_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "labels": {_LABEL: "true"},
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": CLASS,
            "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": reference,
            "hostPath": {"path": str(root / name), "type": "Directory"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [on_node]}]}},
        },
    }


def waiting(claim: dict[str, Any]) -> bool:
    return (
        claim["status"].get("phase") == "Pending"
        and claim["spec"].get("storageClassName") == CLASS
        and not claim["spec"].get("volumeName")
        and "deletionTimestamp" not in claim["metadata"]
    )


def provision_once(api: Api, root: Path) -> None:
    for claim in api.call("GET", "/api/v1/persistentvolumeclaims")[1]["items"]:
        if waiting(claim):
            volume = volume_for(claim, root)
            folder = Path(volume["spec"]["hostPath"]["path"])
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
            api.call("POST", "/api/v1/persistentvolumes", volume)
    for volume in api.call("GET", f"/api/v1/persistentvolumes?labelSelector={_LABEL}")[1]["items"]:
        if volume["status"].get("phase") in ("Released", "Failed"):
            shutil.rmtree(root / volume["metadata"]["name"], ignore_errors=True)
            api.call("DELETE", f"/api/v1/persistentvolumes/{volume['metadata']['name']}")


def main() -> None:
    server, credentials, root = sys.argv[1:4]
    api = Api(server, Credentials(Path(credentials)))
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException, KeyError, TypeError):
            provision_once(api, Path(root))
        time.sleep(1)


if __name__ == "__main__":
    main()

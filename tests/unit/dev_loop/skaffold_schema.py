"""The part of skaffold's v4beta14 schema that skaffold.yaml uses: which keys stand where, in our own words.

Checked by hand against https://skaffold.dev/schemas/v4beta14.json, which is not copied here.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
TEMPLATES: Schema = {"type": "object", "additionalProperties": TEXT}


def closed(*required: str, **properties: Schema) -> Schema:
    """An object with these keys and no others."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def items(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


DOCKER = closed(dockerfile=TEXT, target=TEXT, buildArgs=TEMPLATES, noCache=FLAG, pullParent=FLAG, network=TEXT)
ARTIFACT = closed(
    "image", image=TEXT, context=TEXT, docker=DOCKER, requires=items(closed("image", image=TEXT, alias=TEXT))
)
LOCAL = closed(
    push=FLAG, tryImportMissing=FLAG, useBuildkit=FLAG, useDockerCLI=FLAG, concurrency={"type": "integer", "minimum": 0}
)
BUILD = closed(
    artifacts=items(ARTIFACT),
    local=LOCAL,
    tagPolicy={**closed(inputDigest=closed(), sha256=closed()), "maxProperties": 1},
)
RELEASE = closed(
    "name",
    name=TEXT,
    chartPath=TEXT,
    namespace=TEXT,
    valuesFiles=items(TEXT),
    setValues={"type": "object"},
    setValueTemplates=TEMPLATES,
    createNamespace=FLAG,
    wait=FLAG,
)
DEPLOY = closed(helm=closed(releases=items(RELEASE)), kubeContext=TEXT)
PROFILE = closed(
    "name",
    name=TEXT,
    activation=items(closed(env=TEXT, kubeContext=TEXT, command=TEXT)),
    build=BUILD,
    deploy=DEPLOY,
)
SKAFFOLD = closed(
    "apiVersion",
    "kind",
    apiVersion={"const": "skaffold/v4beta14"},
    kind={"const": "Config"},
    metadata=closed(name=TEXT),
    build=BUILD,
    deploy=DEPLOY,
    profiles=items(PROFILE),
)

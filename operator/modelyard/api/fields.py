"""Field types that the four kinds share: bounded strings, references, quantities, durations, decimals."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "modelyard.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "modelyard"


class Schema(BaseModel):
    """camelCase in YAML. Unknown fields are ignored here: the API server refuses them under strict validation."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, protected_namespaces=())


def rules(*pairs: tuple[str, str]) -> dict[str, Any]:
    """CEL rules for a model's or field's JSON schema: (rule, message that names the field and the fix)."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in pairs]}


DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
# Names of our objects are at most 40 characters so that `<name>-<role>-<hash>` fits a Job's pod name.
ObjectName = Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL)]
Identifier = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
ColumnName = Annotated[str, Field(min_length=1, max_length=128)]
Decimal = Annotated[str, Field(max_length=20, pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
Duration = Annotated[str, Field(max_length=16, pattern=r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", min_length=2)]
Digest = Annotated[str, Field(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
Time = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
Quantity = Annotated[str, Field(max_length=20, pattern=r"^[0-9]+(\.[0-9]+)?(m|[kKMGTPE]i?)?$")]


class Ref(Schema):
    """A reference to an object of the same namespace."""

    name: ObjectName = Field(description="Name of the object, in the same namespace.")


class Resources(Schema):
    """CPU, memory and accelerators of the pods, as in any Kubernetes container."""

    limits: dict[str, Quantity] = Field(
        default={},
        max_length=8,
        description="Limits by resource name: cpu, memory, nvidia.com/gpu, aws.amazon.com/neuron.",
    )
    requests: dict[str, Quantity] = Field(
        default={}, max_length=8, description="Requests by resource name; where absent, the limits."
    )


_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def seconds(duration: str) -> int:
    """Seconds of a Duration such as `1h30m`."""
    return sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"([0-9]+)([dhms])", duration))

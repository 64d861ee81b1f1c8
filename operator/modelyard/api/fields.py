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


def text(*pairs: tuple[str, str], **bounds: Any) -> Any:
    """A string field with bounds and CEL rules of its own. Types read objects from before a rule: rules are only in
    the schema."""
    return Field(**bounds, json_schema_extra=rules(*pairs))


DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
# Names of our objects are at most 40 characters so that `<name>-<role>-<hash>` fits a Job's pod name.
ObjectName = Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL)]
Identifier = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
ColumnName = Annotated[str, Field(min_length=1, max_length=128)]
_DECIMAL: dict[str, Any] = {"max_length": 20, "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
Decimal = Annotated[str, Field(**_DECIMAL)]
PositiveDecimal = Annotated[str, text(("double(self) > 0.0", "must be above 0: raise it"), **_DECIMAL)]
NotNegative = Annotated[str, text(("double(self) >= 0.0", "must be 0 or more: remove the minus"), **_DECIMAL)]
Share = Annotated[
    str,
    text(
        ("double(self) >= 0.0 && double(self) <= 1.0", "must be from 0 to 1: a share, 0.05 is five percent"),
        **_DECIMAL,
    ),
]
# Within a pod's activeDeadlineSeconds, which is below 2**31.
_DURATION: dict[str, Any] = {
    "min_length": 2,
    "max_length": 16,
    "pattern": r"^([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$",
}
Duration = Annotated[str, Field(**_DURATION)]
PositiveDuration = Annotated[
    str, text(("self.matches('[1-9]')", "must be longer than zero: write for example 30m"), **_DURATION)
]
# Only in the schema, whose checks of whole numbers are in 64 bits: stored objects may have bigger ones.
Number = Annotated[float, Field(json_schema_extra={"minimum": -9e18, "maximum": 9e18})]
Finding = Annotated[str, Field(max_length=256)]
Quantity = Annotated[str, Field(max_length=20, pattern=r"^[0-9]+(\.[0-9]+)?(m|[kKMGTPE]i?)?$")]


class Ref(Schema):
    """A reference to an object of the same namespace."""

    name: ObjectName = Field(description="Name of the object, in the same namespace.")


def _known(field: str) -> tuple[str, str]:
    """What Kubernetes itself asks of a resource's name."""
    names = "['cpu', 'memory', 'ephemeral-storage']"
    return (
        f"!has(self.{field}) || self.{field}.all(n, n in {names} || n.contains('/') || n.startsWith('hugepages-'))",
        f"resources.{field} may name cpu, memory, ephemeral-storage, and others with their domain, as in "
        "nvidia.com/gpu: correct the name",
    )


class Resources(Schema):
    """CPU, memory and accelerators of the pods, as in any Kubernetes container."""

    model_config = ConfigDict(json_schema_extra=rules(_known("limits"), _known("requests")))
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

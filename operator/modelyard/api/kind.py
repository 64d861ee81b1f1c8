"""What a custom resource is besides its schema: names, printer columns; and the list of our kinds."""

from dataclasses import dataclass

from pydantic import Field

from modelyard.api.conditions import Condition
from modelyard.api.fields import Schema
from modelyard.contract.limits import Count


@dataclass(frozen=True)
class Column:
    name: str
    path: str  # JSONPath
    type: str = "string"
    wide: bool = False
    description: str = ""


@dataclass(frozen=True)
class Kind:
    kind: str
    plural: str
    short: str
    spec: type[Schema]
    status: type[Schema]
    columns: tuple[Column, ...]
    description: str
    name_limit: int = 40  # so that `<name>-<revision>` and `<name>-<role>-<hash>` are whole names of children

    @property
    def stem(self) -> str:
        """The name under which this kind is found in every folder."""
        return {
            "Dataset": "dataset",
            "TrainingJob": "training",
            "ModelDeployment": "serving",
            "DriftMonitor": "drift",
        }[self.kind]


PAUSED = Column("Paused", ".status.conditions[?(@.type=='Paused')].status")  # for all kinds: phases stay as they were


class StatusBase(Schema):
    """What every status has."""

    observed_generation: Count = Field(default=0, description="The generation this status describes.")
    phase: str = Field(default="Pending", max_length=32, description="One word for people; tools read conditions.")
    conditions: list[Condition] = Field(
        default=[],
        max_length=16,
        description="Ready, Reconciling and Stalled, and the kind's own.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )

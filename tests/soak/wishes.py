"""What the users of the soak want, and what they do next: pure, and the same for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from modelyard.api.fields import API_VERSION
from modelyard.plan.labels import PAUSED, RUN

KINDS = ("Dataset", "TrainingJob", "ModelDeployment", "DriftMonitor")
Act = Literal["apply", "delete"]


@dataclass(frozen=True)
class Place:
    """One object: all four kinds of a group have the group's name and belong together as users would link them."""

    kind: str
    name: str


@dataclass
class Wish:
    """How an object is to be: `turn` makes its spec, which is never the same twice, `run` and `paused` annotations."""

    turn: int
    run: str = ""
    paused: bool = False


def spec(kind: str, name: str, turn: int) -> dict[str, Any]:
    match kind:
        case "Dataset":
            return {"transform": {"sql": f"select {turn} as x"}}
        case "TrainingJob":
            recipe = {"name": "tabular", "task": "classification"}
            return {"datasetRef": {"name": name}, "recipe": recipe, "parameters": {"turn": str(turn)}}
        case "ModelDeployment":
            steps = [{"weight": 50}, {"weight": 100}]
            return {
                "model": {"trainingJobRef": {"name": name}},
                "replicas": {"min": 1 + turn % 2},
                "rollout": {"steps": steps, "minRequests": 10},
            }
        case "DriftMonitor":
            cron = f"{turn % 60} 3 1 1 *"  # not while it runs
            return {"modelDeploymentRef": {"name": name}, "schedule": {"cron": cron}, "window": {"rows": 1000 + turn}}
    raise ValueError(kind)


def document(namespace: str, place: Place, wish: Wish) -> dict[str, Any]:
    """For server-side apply: an annotation that is not named is taken away."""
    annotations = {RUN: wish.run} if wish.run else {}
    annotations |= {PAUSED: "true"} if wish.paused else {}
    return {
        "apiVersion": API_VERSION,
        "kind": place.kind,
        "metadata": {"name": place.name, "namespace": namespace, "annotations": annotations},
        "spec": spec(place.kind, place.name, wish.turn),
    }


@dataclass
class Wishes:
    """All objects of `groups` groups; `present` are those that are to exist now."""

    groups: int
    seed: int
    present: dict[Place, Wish] = field(default_factory=dict)
    turns: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable users, no secret
        self.names = [f"g{number:02}" for number in range(self.groups)]

    @property
    def places(self) -> list[Place]:
        return [Place(kind, name) for name in self.names for kind in KINDS]

    def first(self) -> Iterator[Place]:
        """Everything is wanted."""
        for place in self.places:
            self.present[place] = Wish(self._turn())
            yield place

    def next(self) -> tuple[Act, Place]:
        """One act: mostly changes; what was deleted comes back as another object of the same name."""
        place = self._random.choice(self.places)
        wish = self.present.get(place)
        if wish is None:
            self.present[place] = Wish(self._turn())
            return "apply", place
        chance = self._random.random()
        if chance < 0.12:
            del self.present[place]
            return "delete", place
        if chance < 0.22:
            wish.paused = not wish.paused
        elif chance < 0.5 and place.kind in ("Dataset", "DriftMonitor"):
            wish.run = f"run-{self._turn()}"
        else:
            wish.turn = self._turn()
        return "apply", place

    def last(self, kind: str) -> tuple[list[Place], list[Place]]:
        """How all objects of a kind are to be in the end: those to apply and those to delete.

        The same for every seed and history. One group in five lacks its monitor, one in ten its endpoint, too.
        """
        kept, gone = [], []
        for number, name in enumerate(self.names):
            place = Place(kind, name)
            if (kind == "DriftMonitor" and number % 5 == 4) or (kind == "ModelDeployment" and number % 10 == 9):
                self.present.pop(place, None)
                gone.append(place)
                continue
            run = "last" if kind == "DriftMonitor" else ""
            self.present[place] = Wish(1_000_000 + 10 * number + KINDS.index(kind), run)
            kept.append(place)
        return kept, gone

    def _turn(self) -> int:
        self.turns += 1
        return self.turns

"""The four kinds, in the order in which a model comes to life."""

from modelyard.api.dataset import DATASET
from modelyard.api.drift import DRIFT
from modelyard.api.kind import Kind
from modelyard.api.serving import SERVING
from modelyard.api.training import TRAINING

KINDS: tuple[Kind, ...] = (DATASET, TRAINING, SERVING, DRIFT)
BY_NAME: dict[str, Kind] = {kind.kind: kind for kind in KINDS}

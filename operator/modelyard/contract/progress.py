"""What a pod answers on its management port, and what the operator may tell a server there.

GET /progress (batch pods and servers), GET /metrics, GET /stats and PUT /routing (servers only).
"""

from modelyard.contract.document import Document

# Upper bounds of the latency histogram, in milliseconds; one more count follows for what lies above.
LATENCY_BOUNDS_MS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 30000.0)


class Progress(Document):
    stage: str  # one word: Downloading, Checking, Training, Serving, ...
    percent: int = 0
    message: str = ""
    metrics: dict[str, float] = {}


class Routing(Document):
    """PUT /routing to the pods of the stable revision. A share of requests goes to the candidate's Service.

    `epoch` names the rollout step; statistics start at zero when it changes. Weight and shadow of 0 switch it off.
    """

    epoch: str
    candidate: str | None = None  # revision: its Service is <deployment>-<revision>, port 8080
    weight: int = 0  # percent of requests that the candidate answers, by hash of the inference id
    shadow: int = 0  # percent of requests, others than those, that it is asked beside: nobody gets what it answers


class VariantStats(Document):
    requests: int = 0
    errors: int = 0  # answers of 500 and above, and candidates that could not be reached
    latency: list[int] = [0] * (len(LATENCY_BOUNDS_MS) + 1)


class Parity(Document):
    """How a model answered the rows that training recorded, before its server got ready.

    `max_difference` is of numbers, relative to the recorded one where that is above 1; classes are equal or not.
    """

    rows: int = 0  # none where training recorded no answers
    max_difference: float | None = None


class ServingStats(Document):
    """GET /stats: what this pod has seen since the epoch began. `compared` counts rows predicted by both.

    `parity` is of the loading before, whatever the epoch.
    """

    epoch: str = ""
    stable: VariantStats = VariantStats()
    candidate: VariantStats = VariantStats()
    compared: int = 0
    disagreed: int = 0
    captured: int = 0
    capture_dropped: int = 0
    parity: Parity | None = None

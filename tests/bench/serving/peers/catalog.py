"""Which servers are compared, how each is started, and what was promised against it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests import environment

HERE = Path(__file__).parent
Form = Literal["native", "graph"]  # as the guides show it; and the best that it can, on the graph that ours serves


@dataclass(frozen=True)
class Peer:
    """`targets`: how many times our CPU it needs at least, by model; 1 where none was promised. `deep`: it takes a
    column as [rows, 1]. `binary`: it knows V2's tensors in bytes."""

    name: str
    lock: str
    arguments: Callable[[int], list[str]]
    targets: Mapping[str, float] = field(default_factory=dict)
    deep: bool = False
    binary: bool = False

    def command(self, port: int) -> list[str]:
        return [str(environment.python(self.lock)), *self.arguments(port)]


def _program(name: str) -> Callable[[int], list[str]]:
    return lambda port: [str(HERE / "programs" / f"{name}_program.py")]


def _bentoml(port: int) -> list[str]:
    service = "tests.bench.serving.peers.programs.bentoml_program:Served"
    return ["-m", "bentoml", "serve", service, "--host", "127.0.0.1", "--port", str(port)]


TENFOLD = {"LogReg": 10.0}
AHEAD = (  # those that were promised to be behind on every model
    Peer("mosec", "peer-mosec", _program("mosec")),
    Peer("Triton's Python backend", "peer-triton", _program("triton"), deep=True, binary=True),
)
PEERS = (
    *AHEAD,
    Peer("KServe SDK", "peer-kserve", _program("kserve"), TENFOLD),
    Peer("LitServe", "peer-litserve", _program("litserve"), TENFOLD),
    Peer("BentoML", "peer-bentoml", _bentoml, TENFOLD),
    Peer("Ray Serve", "peer-ray", _program("ray"), TENFOLD),
)

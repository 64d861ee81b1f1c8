"""Files that do more than to compute, or are not what they are named: each is refused before torch sees it."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import open_model
from modelyard_kit.torch_archive import written
from modelyard_serving.trial import try_out
from tests.torch_image.networks import SAVED, Shop, is_known, manifest, scripted, trained

GRAPH = "serialized_exported_program.json"
WEIGHTS = "serialized_state_dict.pt"


class Payload:
    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return exec, (f"open({self.target!r}, 'w').close()",)


def refusal(path: Path) -> TaskFailure:
    with pytest.raises(TaskFailure) as told:
        open_model(path, manifest(path))
    assert path.name in told.value.message
    return told.value


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The same archive with other contents, its checksums right."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


@pytest.fixture(scope="module", params=["scripted", "exported"])
def good(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SAVED[request.param](trained(Shop()), tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("name", ["model.pt", "model.pt2"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_of_torch_save_is_refused_and_does_not_run(name: str, zipped: bool, tmp_path: Path) -> None:
    path, ran = tmp_path / name, tmp_path / "ran"
    torch.save({"weights": Payload(str(ran))}, path, _use_new_zipfile_serialization=zipped)
    told = refusal(path)
    assert (told.reason, ran.exists()) == (Reason.UNSAFE_MODEL, False)
    assert "is a pickle" in told.message
    path.write_bytes(pickle.dumps(Payload(str(ran))))
    assert (refusal(path).reason, ran.exists()) == (Reason.UNSAFE_MODEL, False)


@pytest.mark.parametrize("part", [WEIGHTS, "serialized_constants.pt"])
def test_a_pickle_within_an_export_is_read_as_data_or_refused(part: str, tmp_path: Path) -> None:
    held, ran = io.BytesIO(), tmp_path / "ran"
    torch.save({"net.0.weight": Payload(str(ran))}, held)
    path = SAVED["exported"](trained(Shop()), tmp_path)
    rewritten(path, lambda name, data: held.getvalue() if name == part else data)
    told = refusal(path)
    assert (told.reason, ran.exists()) == (Reason.UNSAFE_MODEL, False)
    assert "holds a pickle with" in told.message
    with suppress(Exception):
        torch.export.load(path)
    assert ran.exists()  # torch itself runs it


@pytest.mark.parametrize("part", ["data.pkl", "constants.pkl"])
def test_a_pickle_within_torchscript_is_read_as_data_or_refused(part: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = SAVED["frozen"](trained(Shop()), tmp_path)
    payload = pickle.dumps(Payload(str(ran)), 2)
    rewritten(path, lambda name, data: payload if name.endswith(f"/{part}") else data)
    told = refusal(path)
    assert (told.reason, ran.exists()) == (Reason.UNSAFE_MODEL, False)


CODE = {
    "an operator that writes": b"    torch.save(rows, 'ran')\n    return",
    "another library's": b"    _9 = ops.c10d.barrier(rows)\n    return",
    "a file as a tensor": b"    _9 = torch.from_file('/etc/passwd')\n    return",
    "an attribute by another spelling": b"    _9 = getattr(torch, 'sa' 've')\n    return",
    "a hook of loading": b"    return __setstate__\n    return",
    "an endless loop": b"    while True:\n      pass\n    return",
    "a class of C++": b"    _9 = __torch__.torch.classes.profiling.InstructionStats()\n    return",
}


@pytest.mark.parametrize("said", CODE.values(), ids=CODE)
def test_torchscript_that_does_more_than_to_compute_is_refused(said: bytes, tmp_path: Path) -> None:
    path = SAVED["traced"](trained(Shop()), tmp_path)
    rewritten(path, lambda name, data: data.replace(b"    return", said, 1) if name.endswith(".py") else data)
    told = refusal(path)
    assert told.reason == Reason.UNSAFE_MODEL
    assert "which serving does not run" in told.message


def test_code_that_torch_runs_on_loading_is_refused(tmp_path: Path) -> None:
    """The default of an argument is computed when TorchScript is compiled, whoever calls the function."""
    path, ran = SAVED["scripted"](trained(Shop()), tmp_path), tmp_path / "ran"
    default = f"inplace: Tensor=torch.from_file('{ran}', True, 4, dtype=6)".encode()
    rewritten(path, lambda name, data: data.replace(b"inplace: bool=False", default))
    told = refusal(path)
    assert (told.reason, ran.exists()) == (Reason.UNSAFE_MODEL, False)
    assert "says from_file in its code" in told.message
    with suppress(RuntimeError):
        torch.jit.load(path)
    assert ran.exists()  # torch itself computes it


GRAPHS: dict[str, Callable[[Any], None]] = {
    "an operator that loads a library": lambda m: m["graph"]["nodes"][0].update(target="torch.ops.load_library"),
    "an operator that reads a file": lambda m: m["graph"]["nodes"][0].update(target="torch.ops.aten.from_file.default"),
    "a function of Python's": lambda m: m["graph"]["nodes"][0].update(target="_operator.methodcaller"),
    "a size that is code": lambda m: m["graph"]["tensor_values"]["rows"]["sizes"][0].update(
        as_expr={"expr_str": "__import__('os').system('true')", "hint": None}
    ),
    "a size that never ends": lambda m: m["graph"]["tensor_values"]["rows"]["sizes"][0].update(
        as_expr={"expr_str": "9**9**9**9", "hint": None}
    ),
    "a name that is code": lambda m: m["graph"]["nodes"][0]["outputs"][0]["as_tensor"].update(name="a = exec('') #"),
    "an argument that is code": lambda m: m["module_call_graph"][0]["signature"].update(forward_arg_names=["a=exec"]),
    "a graph within": lambda m: m["graph"]["nodes"][0]["inputs"][0]["arg"].update(as_graph={"name": "inner"}),
}


@pytest.mark.parametrize("change", GRAPHS.values(), ids=GRAPHS)
def test_a_graph_that_does_more_than_to_compute_is_refused(change: Callable[[Any], None], tmp_path: Path) -> None:
    path = SAVED["exported"](trained(Shop()), tmp_path)

    def changed(name: str, data: bytes) -> bytes:
        if name != GRAPH:
            return data
        document = json.loads(data)
        change(document["graph_module"])
        return json.dumps(document).encode()

    assert refusal(rewritten(path, changed)).reason == Reason.UNSAFE_MODEL


def test_a_file_that_is_cut_short_is_corrupt(good: Path, tmp_path: Path) -> None:
    path, whole, random = tmp_path / good.name, good.read_bytes(), Random(5)  # noqa: S311 - repeatable
    for _ in range(30):
        path.write_bytes(whole[: random.randrange(len(whole) - 1)])
        assert refusal(path).reason in (Reason.CORRUPT, Reason.UNSAFE_MODEL)  # the end of one may be one within


def test_a_wrong_bit_is_refused_or_changes_nothing(good: Path, tmp_path: Path) -> None:
    path, whole, random = tmp_path / good.name, good.read_bytes(), Random(6)  # noqa: S311 - repeatable
    given = [[21.0, 3.0], [4.0, 9.0], [2.0, 44.0]]
    expected = open_model(good, manifest(good)).predict_columns(given).scores
    reasons = []
    for _ in range(60):
        place = random.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << random.randrange(8)]) + whole[place + 1 :])
        try:
            assert open_model(path, manifest(path)).predict_columns(given).scores == expected
        except TaskFailure as told:
            reasons.append(told.reason)
    assert set(reasons) <= {Reason.CORRUPT, Reason.UNSAFE_MODEL}
    assert len(reasons) > 10


def test_a_bomb_and_a_name_that_is_there_twice_are_refused(tmp_path: Path) -> None:
    for name in ("model.pt", "model.pt2"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model/data.pkl", bytes(256 * 2**20))
        assert refusal(path).reason == Reason.UNSAFE_MODEL
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", b"a")
            archive.writestr("model/DATA.pkl", b"b")
        assert refusal(path).reason == Reason.CORRUPT


def test_sizes_that_are_not_those_of_the_bytes_are_refused(tmp_path: Path) -> None:
    path = SAVED["scripted"](trained(Shop()), tmp_path)
    rewritten(path, lambda name, data: data[:-4] if name.endswith("/data/1") else data)
    told = refusal(path)
    assert (told.reason, "storage 1 has" in told.message) == (Reason.CORRUPT, True)


UNFIT = {
    "of logits": (Shop(end=torch.nn.Identity()), "gives no probabilities: end it with torch.nn.Softmax"),
    "of other classes": (Shop(classes=4), "label level has 3 classes"),
    "of other features": (
        torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.Softmax(1)),
        "fails on rows of 3 features",
    ),
}


@pytest.mark.parametrize(("module", "words"), UNFIT.values(), ids=UNFIT)
def test_a_network_that_does_not_fit_says_how(module: torch.nn.Module, words: str, tmp_path: Path) -> None:
    path = scripted(torch.jit.script(module.eval()), tmp_path / "model.pt")
    with pytest.raises(TaskFailure, match=words) as told:
        open_model(path, manifest(path))
    assert told.value.reason == Reason.USER_ERROR


def test_a_trial_tells_a_refusal_as_the_loader_does(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(trained(Shop()), path)
    with pytest.raises(TaskFailure, match="is a pickle") as told:
        try_out(path, manifest(path))
    assert told.value.reason == Reason.UNSAFE_MODEL


def test_what_is_written_for_torch_is_what_was_checked() -> None:
    with zipfile.ZipFile(written({"data.pkl": b"a", "code/a.py": b"b"})) as archive:
        assert archive.namelist() == ["model/data.pkl", "model/code/a.py"]


@pytest.mark.parametrize(
    "operator", ["save", "from_file", "rpc_sync", "load_tensor", "set_", "as_strided", "fork", "barrier", "_print"]
)
def test_operators_that_reach_beyond_tensors_are_not_allowed(operator: str) -> None:
    assert not is_known(operator)


def test_every_operator_of_the_list_is_torchs_own() -> None:
    from modelyard_kit.torch_operators import OPERATORS

    names = {schema.name.partition("::")[2] for schema in torch._C._jit_get_all_schemas()}
    assert {name for name in OPERATORS if name not in names and f"{name}_" not in names} == set()

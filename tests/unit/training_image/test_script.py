"""Training by script: real child processes under SageMaker's contract."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

import modelyard_training.seal
from modelyard.contract.manifest import Column
from modelyard.contract.results import TrainResult
from modelyard.contract.tasks import TrainTask
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import fetch_model, load_model
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from modelyard_serving.trial import try_out
from modelyard_training.script import run_script
from modelyard_training.train import train
from tests.unit.training_image.conftest import Publish
from tests.unit.training_image.data import COLUMNS, rows

GOOD = """
import argparse, json, os, pathlib
import pandas as pd, skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
parser = argparse.ArgumentParser()
parser.add_argument("--trees", type=int)
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
args = parser.parse_args()
data = pd.read_parquet(args.train)
features = [name for name in json.loads(os.environ["MODELYARD_FEATURES"]) if data[name].dtype != object]
numbers = __import__("sklearn.compose", fromlist=["*"]).ColumnTransformer([("n", "passthrough", features)])
model = __import__("sklearn.pipeline", fromlist=["*"]).make_pipeline(
    numbers, HistGradientBoostingClassifier(max_iter=args.trees))
model.fit(data.drop(columns=["churned"]).astype({name: float for name in features}), data["churned"])
skops.io.dump(model, pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.skops")
print("trained", args.trees, "trees")
"""


class Scripted:
    def __init__(self, task: TrainTask, base: Path) -> None:
        self.task, self.base = task, base

    def run(self, code: str, **parameters: str) -> TrainResult:
        (self.base / "code").mkdir(parents=True, exist_ok=True)
        (self.base / "code" / "train.py").write_text(textwrap.dedent(code))
        task = self.task.model_copy(update={"recipe": None, "entry_point": "train.py", "parameters": parameters})
        return train(task, Reporter(CollectorRegistry()))

    def fails(self, code: str, **parameters: str) -> TaskFailure:
        with pytest.raises(TaskFailure) as caught:
            self.run(code, **parameters)
        assert caught.value.blame == "user"
        return caught.value


@pytest.fixture
def scripted(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    task = publish(COLUMNS, {"train": rows(150, 1), "test": rows(60, 2)})
    return Scripted(task, tmp_path / "ml")


def test_a_script_becomes_a_measured_model(scripted: Scripted, store: Store, tmp_path: Path) -> None:
    result = scripted.run(GOOD, trees="5")
    assert 0.5 < result.metrics["accuracy"] <= 1
    assert (result.train_rows, result.test_rows) == (150, 60)
    manifest = load_model(store, "ns", "churn", result.model_digest, tmp_path / "model").manifest
    assert manifest.classes == ["false", "true"]
    assert manifest.parameters == {"trees": "5", "script": "train.py", "seed": "0"}


PICKLED = GOOD.replace("skops.io.dump(", "import joblib; joblib.dump(").replace("model.skops", "model.joblib")
DUMMY = """
import json, os, pathlib, pickle
import pandas as pd
from sklearn.dummy import DummyClassifier
data = pd.read_parquet(os.environ["SM_CHANNEL_TRAIN"])
model = DummyClassifier().fit(data[json.loads(os.environ["MODELYARD_FEATURES"])], data["churned"])
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.pkl").write_bytes(pickle.dumps(model))
"""


@pytest.mark.parametrize(
    ("code", "form", "files"),
    [(PICKLED, "onnx", ["model.joblib", "model.onnx"]), (DUMMY, "pickle", ["model.joblib"])],
    ids=["exported", "not exported"],
)
def test_a_pickle_is_published_where_it_is_allowed(
    scripted: Scripted, store: Store, tmp_path: Path, code: str, form: str, files: list[str]
) -> None:
    assert scripted.fails(code, trees="5").reason == "UnsafeModel"
    scripted.task = scripted.task.model_copy(update={"allow_unsafe": True})
    result = scripted.run(code, trees="5")
    manifest, path = fetch_model(store, "ns", "churn", result.model_digest, tmp_path)
    assert (manifest.format, [file.path for file in manifest.files]) == (form, files)
    try_out(path, manifest, allow_unsafe=form == "pickle")


BOOSTED = """
import json, os, pathlib
import pandas as pd
data = pd.read_parquet(os.environ["SM_CHANNEL_TRAIN"])
rows = data[json.loads(os.environ["MODELYARD_FEATURES"])].astype(float)
labels = data[os.environ["MODELYARD_LABEL"]]
folder = pathlib.Path(os.environ["SM_MODEL_DIR"])
"""
XGBOOST = """
import xgboost
indices = labels.astype("category").cat.codes
model = xgboost.train({"objective": "multi:softprob", "num_class": 12}, xgboost.DMatrix(rows, indices), 20)
model.save_model(folder / os.environ["SM_HP_FILE"])
"""
LIGHTGBM = """
import lightgbm
model = lightgbm.LGBMClassifier(n_estimators=20, verbosity=-1, **json.loads(os.environ.get("SM_HP_MORE", "{}")))
model.fit(rows, labels).booster_.save_model(folder / "model.txt")
"""


@pytest.mark.parametrize(
    ("code", "parameters", "native", "path", "why_not"),
    [
        (XGBOOST, {"file": "model.ubj"}, "xgboost", "model.ubj", None),
        (XGBOOST, {"file": "model.json"}, "xgboost", "model.ubj", None),
        (LIGHTGBM, {}, "lightgbm", "model.txt", None),
        (LIGHTGBM, {"more": '{"zero_as_missing": true}'}, "lightgbm", "model.txt", "it answers otherwise"),
    ],
    ids=["ubj", "json", "text", "not exported"],
)
def test_a_model_of_xgboost_or_lightgbm_is_measured_exported_where_that_works_and_served(
    publish: Publish,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    parameters: dict[str, str],
    native: str,
    path: str,
    why_not: str | None,
) -> None:
    """Of twelve classes, which are in the order of numbers, not of text."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    columns = [Column(name="x", type="float64"), Column(name="n", type="int64", nullable=False)]
    columns += [Column(name="month", type="int64", role="label")]
    months = [at % 12 + 1 for at in range(1200)]
    values = [None if at % 25 == 0 else (month - 6.0) * (at % 3) for at, month in enumerate(months)]
    split: dict[str, list[Any]] = {"x": values, "n": [month // 2 for month in months], "month": months}
    task = publish(columns, {"train": split, "test": {name: held[:300] for name, held in split.items()}})
    result = Scripted(task, tmp_path / "ml").run(BOOSTED + code, **parameters)
    assert result.metrics["accuracy"] > 0.7
    model = load_model(store, "ns", "churn", result.model_digest, tmp_path / "model")
    manifest = model.manifest
    assert manifest.classes == [str(month) for month in range(1, 13)]
    if why_not:
        assert (manifest.format, [file.path for file in manifest.files]) == (native, [path])
        assert why_not in manifest.not_served["onnx"]
    else:
        assert (manifest.format, [file.path for file in manifest.files]) == ("onnx", [path, "model.onnx"])
        assert manifest.not_served == {native: "the ONNX graph gives the same answers for less CPU"}
    fetched = fetch_model(store, "ns", "churn", result.model_digest, tmp_path)[1]
    try_out(fetched, manifest)


def test_the_script_finds_what_sagemaker_promises(scripted: Scripted) -> None:
    """Everything is asked for in the script itself, which fails where it is not there."""
    scripted.fails(
        """
        import json, os, pathlib, sys
        base = pathlib.Path(os.environ["SM_MODEL_DIR"]).parent
        config = base / "input" / "config"
        assert sys.argv[1:] == ["-a", "1", "--flag", "True", "--rate", "0.5", "--text", "plain words"], sys.argv
        hyperparameters = json.loads((config / "hyperparameters.json").read_text())
        assert hyperparameters == {"a": "1", "flag": "true", "rate": "0.5", "text": "plain words"}
        assert json.loads(os.environ["SM_HPS"]) == {"a": 1, "flag": True, "rate": 0.5, "text": "plain words"}
        assert json.loads(os.environ["SM_USER_ARGS"]) == sys.argv[1:]
        assert os.environ["SM_HP_RATE"] == "0.5" and os.environ["SM_HP_FLAG"] == "true"
        assert json.loads(os.environ["SM_CHANNELS"]) == ["test", "train"]
        assert os.environ["SM_CHANNEL_TRAIN"] == os.environ["SM_CHANNEL_TRAINING"] == str(base / "input/data/train")
        assert [p.suffix for p in pathlib.Path(os.environ["SM_CHANNEL_TEST"]).iterdir()] == [".csv"]
        assert set(json.loads((config / "inputdataconfig.json").read_text())) == {"train", "test"}
        host = os.environ["SM_CURRENT_HOST"]
        assert json.loads((config / "resourceconfig.json").read_text())["current_host"] == host
        assert json.loads(os.environ["SM_HOSTS"]) == [host]
        assert int(os.environ["SM_NUM_CPUS"]) >= 1 and int(os.environ["SM_NUM_GPUS"]) >= 0
        assert pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"]).is_dir() and os.getcwd() == str(base / "code")
        assert json.loads(os.environ["SM_TRAINING_ENV"])["hyperparameters"]["rate"] == 0.5
        assert os.environ["TRAINING_JOB_NAME"] == "churn" and os.environ["MODELYARD_LABEL"] == "churned"
        print("all found", file=sys.stderr)
        sys.exit(9)
        """,
        a="1",
        flag="true",
        rate="0.5",
        text="plain words",
        channel_format="csv",
    ).message.index("the script exited with code 9: all found")


@pytest.mark.parametrize(
    ("code", "reason", "exit_code", "words"),
    [
        ("import sys; print('no luck', file=sys.stderr); sys.exit(3)", "UserError", 3, "code 3: no luck"),
        ("raise ValueError('bad column')", "UserError", 1, "code 1: ValueError: bad column"),
        (
            "import os, sys; open(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('loss is NaN'); sys.exit(3)",
            "UserError",
            3,
            "code 3: loss is NaN",
        ),
        ("import sys; sys.exit(4)", "UserError", 4, "wrote nothing to stderr"),
        ("import os; os.kill(os.getpid(), 9)", "OOMKilled", 137, "spec.resources.limits.memory"),
        ("import os; os.kill(os.getpid(), 11)", "UserError", 139, "SIGSEGV"),
        ("print('done')", "UserError", None, "no model in SM_MODEL_DIR (it is empty)"),
        (
            "import os, pickle; pickle.dump({}, open(os.environ['SM_MODEL_DIR'] + '/model.pkl', 'wb'))",
            "UnsafeModel",
            None,
            "skops.io.dump",
        ),
        (
            "import os; open(os.environ['SM_MODEL_DIR'] + '/model.skops', 'w').write('x')",
            "UserError",
            None,
            "is no zip archive",
        ),
        (
            "import os, pickle; pickle.dump({}, open(os.environ['SM_MODEL_DIR'] + '/model.skops', 'wb'))",
            "UnsafeModel",
            None,
            "model.skops is a pickle",
        ),
        (
            "import os, zipfile as z; f = z.ZipFile(os.environ['SM_MODEL_DIR'] + '/model.skops', 'w', z.ZIP_DEFLATED); "
            "f.writestr('schema.json', b'0' * 2**27); f.close()",
            "UnsafeModel",
            None,
            "unpacks to 134,217,728 bytes",
        ),
        (
            "import os; os.symlink('/etc/passwd', os.environ['SM_MODEL_DIR'] + '/model.txt')",
            "UnsafeModel",
            None,
            "model.txt is a symbolic link",
        ),
        (
            "import os; open(os.environ['SM_MODEL_DIR'] + '/model.txt', 'w').write('my notes')",
            "UserError",
            None,
            "model.txt cannot be read by LightGBM",
        ),
        (
            "import os; open(os.environ['SM_MODEL_DIR'] + '/model.json', 'w').write('{\"a\": 1}')",
            "UserError",
            None,
            "model.json cannot be read by XGBoost",
        ),
        (
            "import os, pickle; pickle.dump({}, open(os.environ['SM_MODEL_DIR'] + '/model.ubj', 'wb'))",
            "UnsafeModel",
            None,
            "model.ubj is a pickle",
        ),
        (
            BOOSTED.replace(".astype(float)", "[['x']]") + LIGHTGBM,
            "UserError",
            None,
            "takes numbers only, and feature plan is text",
        ),
    ],
)
def test_a_script_that_fails_says_why(
    scripted: Scripted, code: str, reason: str, exit_code: int | None, words: str
) -> None:
    failure = scripted.fails(code)
    assert (failure.reason, failure.exit_code) == (reason, exit_code)
    assert words in failure.message


def test_an_entry_point_that_is_not_there_is_named(scripted: Scripted) -> None:
    task = scripted.task.model_copy(update={"recipe": None, "entry_point": "other.py"})
    with pytest.raises(TaskFailure, match=r"there is no other\.py"):
        train(task, Reporter(CollectorRegistry()))


def test_the_script_sees_no_credentials(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "MY_TOKEN"):
        monkeypatch.setenv(name, "hunter2-hunter2")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    code = "import os, sys; print(sorted(n for n, v in os.environ.items() if 'hunter2' in v), file=sys.stderr);"
    message = scripted.fails(code + "print(os.environ['AWS_REGION'], file=sys.stderr); sys.exit(5)").message
    assert message.endswith("code 5: eu-north-1")
    message = scripted.fails(code + "sys.exit(5)").message
    assert message.endswith("code 5: []")


def test_a_script_of_the_same_user_cannot_read_the_environment_of_its_parent() -> None:
    """As an ordinary user, since root reads everything."""
    spy = "import os; print(b'hunter2' in open(f'/proc/{os.getppid()}/environ', 'rb').read())"
    asked = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spy!r}], stderr=subprocess.STDOUT)"
    seal = Path(modelyard_training.seal.__file__).read_text() + "\nseal_process()\n"
    assert _as_ordinary_user(asked).strip() == "True"
    assert "PermissionError" in _as_ordinary_user(seal + asked)


def _as_ordinary_user(code: str) -> str:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    who: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = {"SECRET": "hunter2", "PATH": "/usr/bin:/bin"}
    return str(subprocess.run([python, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, **who).stdout)


def test_leftovers_of_an_earlier_attempt_are_no_model(scripted: Scripted) -> None:
    assert "is no zip archive" in scripted.fails("open('../model/model.skops', 'w').write('x')").message
    assert "it is empty" in scripted.fails("print('nothing')").message


def test_output_of_the_script_is_its_progress(scripted: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    scripted.fails("print('epoch 1'); raise SystemExit(2)")
    assert "script: epoch 1" in caplog.text


def test_a_stop_of_the_pod_reaches_the_script(tmp_path: Path) -> None:
    """The task runner raises in the main thread on SIGTERM; here an alarm does."""
    (tmp_path / "train.py").write_text(
        "import pathlib, signal, sys, time\n"
        "def save(*_): pathlib.Path('saved').touch(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\n"
        "pathlib.Path('ready').touch(); time.sleep(60)\n"
    )

    def stop(_signal: int, _frame: object) -> None:
        if (tmp_path / "ready").exists():
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_script(tmp_path, "train.py", [], {}, Reporter(CollectorRegistry()), tmp_path / "failure")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert (tmp_path / "saved").exists()

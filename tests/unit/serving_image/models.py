"""Small real models, published to a store of local files as training publishes them, and servers of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import joblib
import lightgbm
import numpy as np
import uvicorn
import xgboost
from safetensors.numpy import save_file
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import TORCH_FORMATS, Column, ModelFormat, ModelManifest
from modelyard.contract.store import StoreConfig, model_manifest
from modelyard.contract.tasks import ServeTask
from modelyard_kit import model as kit
from modelyard_kit.architecture import HEADER
from modelyard_kit.model import LoadedModel, fetch_model, load_model, publish_file
from modelyard_kit.profile import publish_profile
from modelyard_kit.skops_format import save_model
from modelyard_kit.store import Store
from modelyard_kit.tabular import table_matrix
from modelyard_serving.data_plane import DataPlane
from modelyard_serving.http import App
from modelyard_serving.lifecycle import server
from modelyard_serving.loading import loaded
from modelyard_serving.predictor import Predictor
from modelyard_serving.serving import Serving
from modelyard_serving.shell import shell
from modelyard_training.export import convert
from tests.unit.kit.frames import frame_of, table_of

# The others: tests/torch_image, and pickles, which are loaded only where that is allowed.
FORMATS = tuple(form for form in kit.FORMATS if form not in TORCH_FORMATS and form != "pickle")
Kind = Literal["classification", "inverted", "regression"]
FEATURES = [
    Column(name="price", type="float64", nullable=False),
    Column(name="region", type="string"),
    Column(name="hour", type="int64", nullable=False),
]
ROWS: dict[str, list[Any]] = {
    "price": [float(number) for number in range(40)],
    "region": ["north", "south", None, "west"] * 10,
    "hour": [number % 24 for number in range(40)],
}
NUMERIC = [FEATURES[0], FEATURES[2]]


@dataclass(frozen=True)
class Place:
    """A store of local files, and what is in it."""

    store: Store
    folder: Path

    def task(self, digest: str, revision: str = "r1", **changes: Any) -> ServeTask:
        return ServeTask(
            namespace="shop",
            name="demo",
            store=self.store.config,
            model_name="demo",
            training_job="demo-job",
            model_digest=digest,
            revision=revision,
            **{"drain_seconds": 0, "flush_seconds": 60, **changes},
        )


def place(folder: Path) -> Place:
    (folder / "store").mkdir()
    return Place(Store(StoreConfig(uri=f"file://{folder}/store")), folder)


def train(kind: Kind, features: list[Column]) -> Any:
    """A classifier of price < 20 as low or high (`inverted`: the other way), or a regression of 2 * price + 1."""
    frame = frame_of({column.name: ROWS[column.name] for column in features}, features)
    encode = OneHotEncoder(handle_unknown="ignore")
    strings = [column.name for column in features if column.type == "string"]
    columns = ColumnTransformer([("strings", encode, strings)], remainder="passthrough")
    if kind == "regression":
        return Pipeline([("columns", columns), ("model", LinearRegression())]).fit(
            frame, [2 * price + 1 for price in ROWS["price"]]
        )
    names = ("low", "high") if kind == "classification" else ("high", "low")
    last = DecisionTreeClassifier() if strings else LogisticRegression(max_iter=5000)
    return Pipeline([("columns", columns), ("model", last)]).fit(frame, [names[price >= 20] for price in ROWS["price"]])


def boosted(form: ModelFormat, kind: Kind, features: list[Column], folder: Path) -> Path:
    """A file of XGBoost's or LightGBM's that answers as `train`'s estimator does, closely where it is a regression."""
    rows = table_matrix(table_of({column.name: ROWS[column.name] for column in features}, features), features)
    above = np.asarray(ROWS["price"]) >= 20
    codes = above if kind == "inverted" else ~above  # of high and low
    regression = kind == "regression"
    wanted = rows[:, 0] * 2 + 1 if regression else codes
    if form == "xgboost":
        path = folder / "model.ubj"
        given: dict[str, Any] = {"objective": "reg:squarederror" if regression else "binary:logistic", "eta": 0.9}
        xgboost.train(given, xgboost.DMatrix(rows, wanted), 20).save_model(path)
    else:
        path = folder / "model.txt"
        given = {"objective": "regression" if regression else "binary", "learning_rate": 0.9, "verbosity": -1}
        small = {"min_data_in_leaf": 1, "min_data_in_bin": 1}
        lightgbm.train({**given, **small}, lightgbm.Dataset(rows, wanted), 20).save_model(path)
    return path


def perceptron(kind: Kind, features: list[Column], folder: Path) -> Path:
    """Weights of no hidden layer that answer as `train`'s estimator does."""
    path, slope = folder / "model.safetensors", {"regression": 2.0, "classification": -4.0, "inverted": 4.0}[kind]
    weight = np.zeros((1, len(features)), np.float32)
    weight[0, 0] = slope
    bias = np.array([1.0 if kind == "regression" else -19.5 * slope], np.float32)
    output = "identity" if kind == "regression" else "sigmoid"
    said = {"kind": "mlp", "sizes": [len(features), 1], "layers": ["0"], "output": output}
    save_file({"0.weight": weight, "0.bias": bias}, path, metadata={HEADER: json.dumps(said)})
    return path


def pickled(estimator: Any, folder: Path) -> Path:
    joblib.dump(estimator, folder / "model.joblib")
    return folder / "model.joblib"


def publish(
    where: Place,
    kind: Kind,
    features: list[Column] | None = None,
    trusted: list[str] | None = None,
    form: ModelFormat = "skops",
) -> str:
    """Returns the model's digest. `trusted` replaces the list of its types in the manifest."""
    features = features or FEATURES
    folder = where.folder / "trained"
    folder.mkdir(exist_ok=True)
    types: list[str] = []
    if form in ("xgboost", "lightgbm"):
        paths, classes = [boosted(form, kind, features, folder)], ["high", "low"]
    elif form == "safetensors":
        paths, classes = [perceptron(kind, features, folder)], ["high", "low"]
    else:
        estimator = train(kind, features)
        path, types = (pickled(estimator, folder), []) if form == "pickle" else save_model(estimator, folder)
        paths, classes = [path], [str(name) for name in getattr(estimator, "classes_", ())]
    if form == "onnx":
        paths += [folder / "model.onnx"]
        paths[-1].write_bytes(convert(estimator, features))
    regression = kind == "regression"
    manifest = ModelManifest(
        format=form,
        task="regression" if regression else "classification",
        files=[publish_file(where.store, path) for path in paths],
        trusted_types=types if trusted is None else trusted,
        features=features,
        label=Column(name="level", type="float64" if regression else "string", role="label"),
        classes=[] if regression else classes,
        metrics={"r2": 1.0} if regression else {"accuracy": 1.0},
        profile_digest=_profile(where, features),
        dataset_name="demo-data",
        dataset_digest="sha256:1",
        created_at="2024-05-01T00:00:00Z",
        example={column.name: ROWS[column.name][:2] for column in features},
    )
    digest = digest_of(manifest.wire())
    where.store.put_manifest(model_manifest("shop", "demo-job", digest), manifest)
    return digest


def _profile(where: Place, features: list[Column]) -> str:
    table = table_of({column.name: ROWS[column.name] for column in features}, features)
    return publish_profile(where.store, table, features, 20, 50)


def load(where: Place, digest: str) -> LoadedModel:
    return load_model(where.store, "shop", "demo-job", digest, where.folder / "loaded")


def fetched(where: Place, digest: str) -> tuple[ModelManifest, Path]:
    return fetch_model(where.store, "shop", "demo-job", digest, where.folder)


@dataclass(frozen=True)
class Endpoint:
    """A server in this process, and a client of it."""

    serving: Serving
    app: DataPlane
    client: httpx.AsyncClient

    async def written(self) -> None:
        """Until everything captured is in the store."""
        assert self.serving.loaded is not None
        for spool in self.serving.loaded.spools():
            assert await asyncio.to_thread(spool.close, 10.0)


@asynccontextmanager
async def endpoint(
    where: Place,
    task: ServeTask,
    model: LoadedModel | Predictor,
    to_candidate: httpx.AsyncBaseTransport | None = None,
    patience: float | httpx.Timeout = 5.0,
) -> AsyncIterator[Endpoint]:
    """Serves `model`; `to_candidate` is the way to its candidate's Service, `patience` seconds to wait there."""
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    async with httpx.AsyncClient(transport=to_candidate, timeout=patience) as forwarding:
        serving = Serving(task, forwarding)
        serving.begin(loaded(task, where.store, predictor), 0.0)
        app = DataPlane(serving, shell(serving))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            found = Endpoint(serving, app, client)
            yield found
            await found.written()


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[int]:
    """A real HTTP server of `app` on a free port of the loopback."""
    running: uvicorn.Server = server(app, 0, host="127.0.0.1")
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110  uvicorn has a flag only
        await asyncio.sleep(0.01)
    yield running.servers[0].sockets[0].getsockname()[1]
    running.should_exit = True
    await task


class Service(httpx.AsyncHTTPTransport):
    """What cluster DNS does: whatever name is asked, the connection goes to one port of the loopback."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.scheme}://{request.url.netloc.decode()}")
        request.url = request.url.copy_with(host="127.0.0.1", port=self.port)
        return await super().handle_async_request(request)


def v2_body(columns: dict[str, list[Any]], **more: Any) -> dict[str, Any]:
    types = {"price": "FP64", "region": "BYTES", "hour": "INT64"}
    return {
        "inputs": [
            {"name": name, "shape": [len(values)], "datatype": types.get(name, "FP64"), "data": values}
            for name, values in columns.items()
        ],
        **more,
    }

"""A model that costs nothing, published as any other: what is left is the server's own work for a request.

Its graph answers the first feature. ONNX Runtime is still called for every batch: nothing in the server knows of it.
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.store import model_manifest
from modelyard_kit.model import LoadedModel, open_model, publish_file
from modelyard_kit.onnx_format import FILE
from modelyard_kit.store import Store
from modelyard_training.export import TARGETS
from tests.bench.serving.models import JOB, NAMESPACE, Model, columns, rows

FEATURES = 4
NO_OP = Model("no-op model", FEATURES, lambda: None, 1.3)
IR_VERSION = 10  # of ONNX, as that operator set has it


def graph() -> bytes:
    """[rows, 4] to [rows]: one Gather of the first column."""
    first = helper.make_tensor("first", TensorProto.INT64, [], [0])
    node = helper.make_node("Gather", ["features", "first"], ["variable"], axis=1)
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, FEATURES])
    answer = helper.make_tensor_value_info("variable", TensorProto.FLOAT, [None])
    made = helper.make_graph([node], "no-op", [given], [answer], [first])
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", TARGETS[""])], ir_version=IR_VERSION, producer_name="modelyard"
    )
    onnx.checker.check_model(model)
    found: bytes = model.SerializeToString()
    return found


def published_no_op(store: Store, folder: Path) -> tuple[str, LoadedModel]:
    """The digest of the model, and the model."""
    (folder / FILE).write_bytes(graph())
    example = {name: values[:2] for name, values in rows(NO_OP, 0).to_pydict().items()}
    manifest = ModelManifest(
        format="onnx",
        task="regression",
        files=[publish_file(store, folder / FILE)],
        features=columns(NO_OP),
        label=Column(name="y", type="float64", role="label"),
        classes=[],
        metrics={},
        profile_digest="",
        dataset_name="made-up",
        dataset_digest="",
        created_at="",
        example=example,
        answers=example["f0"],
    )
    digest = digest_of(manifest.wire())
    store.put_manifest(model_manifest(NAMESPACE, JOB, digest), manifest)
    return digest, open_model(folder / FILE, manifest)

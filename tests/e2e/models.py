"""Training scripts: a model of each framework that no graph stands for, and files that are not what they say."""

from collections.abc import Mapping

_ROWS = """
import io, os, pickle, zipfile
import pandas as pd
data = pd.read_parquet(os.environ["SM_CHANNEL_TRAIN"])
rows, labels = data[["x", "y"]], data["label"]
folder = os.environ["SM_MODEL_DIR"] + "/"
"""

_SKLEARN = """
import skops.io
from sklearn.svm import LinearSVC
model = LinearSVC().fit(rows, labels)
skops.io.dump(model, folder + "model.skops")
"""

_XGBOOST = """
import xgboost
matrix = xgboost.DMatrix(rows, labels == "yes")
model = xgboost.train({"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.1}, matrix, 30)
model.save_model(folder + "model.ubj")
"""

_LIGHTGBM = """
import lightgbm
model = lightgbm.LGBMClassifier(n_estimators=30, verbosity=-1, linear_tree=True).fit(rows, labels)
model.booster_.save_model(folder + "model.txt")
"""

# Format -> script. A LinearSVC knows no probabilities; the converters know neither dart nor linear trees.
NATIVE: Mapping[str, str] = {
    "skops": _ROWS + _SKLEARN,
    "xgboost": _ROWS + _XGBOOST,
    "lightgbm": _ROWS + _LIGHTGBM,
}

# No graph stands for it, as it knows no probabilities.
PICKLED = (
    _ROWS
    + """
import joblib
from sklearn.svm import LinearSVC
joblib.dump(LinearSVC().fit(rows, labels), folder + "model.joblib")
"""
)

_PICKLE = """
class Evil:
    def __reduce__(self):
        return os._exit, (86,)

"""

_SPOILT = """
def spoil(name, change):
    with open(folder + name, "r+b") as file:
        data = bytearray(file.read())
        file.seek(0)
        file.truncate()
        file.write(change(data))

def flipped(data):
    data[len(data) // 2] ^= 0x10
    return data

"""

# What is wrong -> script, reason of the condition, words of its message.
HOSTILE: Mapping[str, tuple[str, str, str]] = {
    "pickle": (
        _ROWS + _PICKLE + 'pickle.dump(Evil(), open(folder + "model.ubj", "wb"))',
        "UnsafeModel",
        "model.ubj is a pickle",
    ),
    "bomb": (
        _ROWS
        + 'f = zipfile.ZipFile(folder + "model.skops", "w", zipfile.ZIP_DEFLATED)\n'
        + 'f.writestr("schema.json", b"0" * 2**28)\nf.close()',
        "UnsafeModel",
        "unpacks to",
    ),
    "link": (
        _ROWS + 'os.symlink("/proc/self/environ", folder + "model.txt")',
        "UnsafeModel",
        "is a symbolic link",
    ),
    "truncated": (
        _ROWS + _LIGHTGBM + _SPOILT + 'spoil("model.txt", lambda data: data[:len(data) // 2])',
        "UserError",
        "cannot be read by LightGBM",
    ),
    "flipped": (
        _ROWS + _SKLEARN + _SPOILT + 'spoil("model.skops", flipped)',
        "UserError",
        "model.skops",
    ),
}

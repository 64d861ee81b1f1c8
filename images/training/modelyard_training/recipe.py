"""The recipe tabular: gradient boosted trees, or a linear model, on numbers and text columns, by scikit-learn.

Trees get numbers as they are, missing values included, and no scaler: float32 scaling moves rows across splits when
a model is exported. Text is one-hot: native categories of HistGradientBoosting are lost in export.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelyard_training.parameters import TabularParameters
from modelyard_training.target import Kind

MAX_CATEGORIES = 50  # per column; rarer ones share a column, unknown ones are none: ONNX knows no third way
PATIENCE = 10  # trees without gain on the validation split before boosting stops

Target = npt.NDArray[Any]


def fit_tabular(
    frame: pd.DataFrame,
    wanted: Target,
    kind: Kind,
    parameters: TabularParameters,
    seed: int,
    validation: tuple[pd.DataFrame, Target] | None = None,
) -> Pipeline:
    """Fits on a frame as `tabular.table_frame` makes it; `validation` ends boosting early. Deterministic by `seed`."""
    columns = _columns(frame, scaled=parameters.model == "linear")
    encoded = columns.fit_transform(frame)
    model = _model(kind, parameters, seed, stops=validation is not None)
    if validation is None or parameters.model == "linear":
        model.fit(encoded, wanted)
    else:
        model.fit(encoded, wanted, X_val=columns.transform(validation[0]), y_val=validation[1])
    return Pipeline([("columns", columns), ("model", model)])


def for_stopping(frame: pd.DataFrame, wanted: Target, known: Target, kind: Kind) -> tuple[pd.DataFrame, Target] | None:
    """The validation rows boosting can use: those of classes it was shown. None where none are left."""
    usable = np.isin(wanted, np.unique(known)) if kind == "classification" else np.ones(len(wanted), dtype=bool)
    return (frame[usable], wanted[usable]) if usable.any() else None


def _columns(frame: pd.DataFrame, scaled: bool) -> ColumnTransformer:
    words = [name for name in frame.columns if frame[name].dtype == object]
    numbers = [name for name in frame.columns if name not in words]
    one_hot = OneHotEncoder(max_categories=MAX_CATEGORIES, handle_unknown="ignore", sparse_output=False)
    as_they_are: Any = "passthrough"
    if scaled:
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        as_they_are = Pipeline([("impute", imputer), ("scale", StandardScaler())])
    return ColumnTransformer([("numbers", as_they_are, numbers), ("words", one_hot, words)])


def _model(kind: Kind, parameters: TabularParameters, seed: int, stops: bool) -> Any:
    if parameters.model == "linear":
        if kind == "regression":
            return Ridge(alpha=parameters.l2)
        inverse = 1 / parameters.l2 if parameters.l2 else np.inf
        return LogisticRegression(C=inverse, max_iter=parameters.max_iter, random_state=seed)
    boosting = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    return boosting(
        learning_rate=parameters.learning_rate,
        max_iter=parameters.max_iter,
        max_depth=parameters.max_depth,
        max_leaf_nodes=parameters.max_leaf_nodes,
        l2_regularization=parameters.l2,
        min_samples_leaf=parameters.min_samples_leaf,
        early_stopping=stops,
        n_iter_no_change=PATIENCE,
        random_state=seed,
    )

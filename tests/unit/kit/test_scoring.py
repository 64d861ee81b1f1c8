"""The metrics say what scikit-learn's say; what is undefined is NaN, never an error."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from modelyard.contract.manifest import MetricName
from modelyard_kit.scoring import better_by, classification, regression, score, scores

SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(SEEDS, st.integers(2, 4), st.integers(30, 80))
def test_classification_metrics_equal_those_of_scikit_learn(seed: int, classes: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.integers(0, classes, rows)])
    given_scores = np.round(rng.dirichlet(np.ones(classes), len(truth)), 2) + 0.01  # rounded: ties must count half
    probabilities = given_scores / given_scores.sum(axis=1, keepdims=True)
    predicted = rng.integers(0, classes, len(truth))
    names = [f"c{code}" for code in range(classes)]
    outcome = classification([names[i] for i in truth], [names[i] for i in predicted], names, probabilities)
    if classes == 2:
        f1 = oracle.f1_score(truth, predicted, zero_division=0)
        area = oracle.roc_auc_score(truth, probabilities[:, 1])
    else:
        f1 = oracle.f1_score(truth, predicted, average="macro", zero_division=0)
        area = oracle.roc_auc_score(truth, probabilities, multi_class="ovr")
    expected = {
        "accuracy": oracle.accuracy_score(truth, predicted),
        "f1": f1,
        "rocAuc": area,
        "logLoss": oracle.log_loss(truth, probabilities),
    }
    assert scores(outcome) == pytest.approx(expected)


@settings(deadline=None)
@given(SEEDS, st.integers(2, 60))
def test_regression_metrics_equal_those_of_scikit_learn(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = rng.normal(size=rows), rng.normal(size=rows)
    expected = {
        "mae": oracle.mean_absolute_error(truth, predicted),
        "rmse": oracle.root_mean_squared_error(truth, predicted),
        "r2": oracle.r2_score(truth, predicted),
    }
    assert scores(regression(truth.tolist(), predicted.tolist())) == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["rocAuc", "mae"])
def test_an_undefined_metric_is_nan(metric: MetricName) -> None:
    assert math.isnan(score(metric, classification(["a", "a"], ["a", "b"], ["a", "b"])))
    assert math.isnan(score(metric, classification([], [], ["a", "b"])))


def test_a_class_the_model_does_not_know_is_a_miss() -> None:
    outcome = classification(["a", "new"], ["a", "b"], ["a", "b"], np.array([[0.9, 0.1], [0.2, 0.8]]))
    assert score("accuracy", outcome) == 0.5
    assert score("logLoss", outcome) > 10


def test_better_is_positive_whatever_the_metric() -> None:
    assert better_by("accuracy", 0.9, 0.8) == pytest.approx(0.1)
    assert better_by("mae", 1.0, 3.0) == 2.0

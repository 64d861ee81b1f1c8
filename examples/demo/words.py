"""What the demo explains besides the steps: what figures and verdicts mean, and what comes next."""

from collections.abc import Mapping

QUESTION = (
    "Will the price of electricity in New South Wales rise in the next half-hour?",
    "Twelve weeks lie in the lake: the oldest 80 % of them train the model, the newest 10 % test it.",
)
FIGURES = (
    "The monitor compares the newest 1,000 rows with the training data, and answers with what really happened.",
    "Behind a column is how far it moved, in standard deviations: 0.1 is small, 0.5 is large.",
)
MEANING: Mapping[str, str] = {
    "Stable": "nothing moved by more than chance",
    "Drifted": "inputs moved, predictions are not proven worse: reported, nothing else",
    "Degraded": "predictions are worse than the test rows promised, by more than maxDrop allows",
}
GATE = (
    "Newest data, same recipe. The gate then lets both models predict the same rows: at least 500, with labels, newer",
    "than all training data. Where it looked before they were there, it looks again about a minute later.",
)
CANARY = (
    "At each step its errors, its latency and how often it disagrees with the old model have to stay within limits.",
)
REPLACED = (
    "The monitor is Learning: its VERDICT is of the model that was replaced. The new one is checked at the full hour,",
    "or at once: kubectl annotate dmon/electricity --namespace demo modelyard.dev/run=again --overwrite",
)
KEPT = ("The old model goes on serving; the lines above say why the new one does not. That is a result, too.",)

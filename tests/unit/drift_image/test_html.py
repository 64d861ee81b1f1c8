"""The report for people says our verdict first, whatever stands in it."""

from modelyard_drift.html import headed


def test_headline_stands_above_evidentlys_report() -> None:
    page = headed("<html><body class='a'><p>Evidently</p></body></html>", "Degraded: accuracy is 0.7")
    assert page.index("Degraded: accuracy is 0.7") < page.index("Evidently</p>")


def test_headline_cannot_bring_markup_along() -> None:
    assert "<script>" not in headed("<body></body>", "column <script>alert(1)</script> \\1 drifted")

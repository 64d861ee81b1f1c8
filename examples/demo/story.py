"""The acts of the demo: data, model, endpoint, decay, retraining, gate, rollout."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore

from examples.demo import market_day
from examples.demo.timeline import Step, Timeline
from examples.demo.watch import Resource, condition, wait_for
from examples.demo.words import MEANING
from tests.product.lake import bucket
from tests.product.product import Product

MODEL = Path(__file__).parents[1] / "electricity" / "model.yaml"
KNOWN_WEEKS, LAST_WEEK = 12, 40


@dataclass
class Story:
    product: Product
    namespace: str
    images: dict[str, str]
    timeline: Timeline

    def resource(self, step: Step, reference: str, done: Any, timeout: float = 300, **more: Any) -> Resource:
        return wait_for(self.product, step, reference, done, namespace=self.namespace, timeout=timeout, **more)

    def apply(self) -> None:
        with self.timeline.step("put twelve weeks of the market into the lake") as step:
            rows = market_day.fill_lake(self.product, KNOWN_WEEKS, LAST_WEEK - KNOWN_WEEKS)
            step.result = f"{rows:,} half-hours in s3://examples/electricity/"
        with self.timeline.step("kubectl apply -f examples/electricity/model.yaml") as step:
            self.product.kubectl("apply", "--namespace", self.namespace, "-f", str(MODEL))
            step.result = "Dataset, TrainingJob, ModelDeployment, DriftMonitor"
        with self.timeline.step("Dataset: read, checked, split, versioned") as step:
            dataset = self.resource(step, "dataset/electricity", lambda r: r.get("status", {}).get("current"))
            current = dataset["status"]["current"]
            sizes = ", ".join(f"{rows:,} {split}" for split, rows in current["splits"].items())
            step.result = f"{current['version']}, {current['rows']:,} rows: {sizes}"
        with self.timeline.step("TrainingJob: trained and measured") as step:
            job = self.resource(step, "trainingjob/electricity", lambda r: r["status"].get("phase") == "Succeeded")
            step.result = f"{job['status']['score']} on the test rows, the newest, which it never saw"
        with self.timeline.step("ModelDeployment: answering") as step:
            ready = lambda r: condition(r, "Ready").get("status") == "True"  # noqa: E731
            endpoint = self.resource(step, "modeldeployment/electricity", ready)
            step.result = f"{endpoint['status']['url']}, revision {endpoint['status']['stable']['revision']}"

    def replay(self, first: int, last: int, *, title: str) -> None:
        name = f"replay-{first}-{last}"
        with self.timeline.step(title) as step:
            market_day.start(self.product, self.namespace, self.images["serving"], name, self._arguments(first, last))
            rows, right = market_day.follow(
                self.product,
                self.namespace,
                name,
                lambda rows, right: step.update(f"{rows:,} predictions, {right / rows:.1%} right"),
            )
            step.result = f"{rows:,} predictions, {right / rows:.1%} right"
        time.sleep(12)  # servers write captured rows at the latest every 10 seconds

    @staticmethod
    def _arguments(first: int, last: int, *more: str) -> list[str]:
        return ["http://electricity", str(first), str(last), *more]

    def check(self, label: str) -> Resource:
        """Run the monitor now; returns it once the check is in its status."""
        with self.timeline.step("DriftMonitor: check") as step:
            self.product.kubectl(
                *("annotate", "driftmonitor/electricity", f"modelyard.dev/run={label}", "--overwrite"),
                *("--namespace", self.namespace),
            )
            before = self.product.get("driftmonitor/electricity", "--namespace", self.namespace)
            old = before.get("status", {}).get("lastCheck", {}).get("job")
            monitor = self.resource(
                step,
                "driftmonitor/electricity",
                lambda r: r["status"].get("lastCheck", {}).get("job") not in (None, old),
                may_stall=True,
            )
            verdict = monitor["status"]["lastCheck"]["verdict"]
            step.result = ": ".join(words for words in (verdict, MEANING.get(verdict)) if words)
        self.timeline.say(monitor["status"]["lastCheck"]["message"])
        return monitor

    def retraining(self) -> Resource:
        with self.timeline.step("operator starts a retraining on fresh data") as step:
            monitor = self.resource(
                step, "driftmonitor/electricity", lambda r: r["status"].get("retrain"), timeout=60, may_stall=True
            )
            job = monitor["status"]["retrain"]["trainingJob"]
            step.result = job
        with self.timeline.step("the new model is trained") as step:
            trained = self.resource(step, f"trainingjob/{job}", lambda r: r["status"].get("phase") == "Succeeded")
            step.result = f"{trained['status']['score']} on its own test rows; is it better than the one that serves?"
        return trained

    def judgement(self) -> Resource:
        with self.timeline.step("gate: both models on rows neither has seen") as step:
            monitor = self.resource(
                step,
                "driftmonitor/electricity",
                lambda r: r["status"]["retrain"]["state"] in ("Promoted", "Refused", "Failed"),
                timeout=420,
                may_stall=True,
            )
            step.result = str(monitor["status"]["retrain"]["state"])
        gate = monitor["status"]["retrain"].get("gate", {})
        self.timeline.say(gate.get("message", ""))
        return monitor

    def rollout(self, job: str) -> bool:
        """Traffic goes on, one row a request, while the candidate is measured; True if it took over."""
        arguments = self._arguments(28, LAST_WEEK, "1", "0.02")
        market_day.start(self.product, self.namespace, self.images["serving"], "replay-rollout", arguments)
        with self.timeline.step("canary: measured at 20 %, 50 %, 100 % of live traffic") as step:
            endpoint = self.resource(
                step,
                "modeldeployment/electricity",
                lambda r: (
                    not r["status"].get("rollout")
                    and (r["status"]["stable"]["trainingJob"] == job or r["status"].get("rolledBack"))
                ),
                timeout=420,
                may_stall=True,
            )
            back = endpoint["status"].get("rolledBack")
            step.result = f"rolled back: {back[-1]['message']}" if back else f"{job} now answers all requests"
        self.product.kubectl("delete", "job", "replay-rollout", "--namespace", self.namespace, "--wait=false")
        return not back

    def report(self, folder: Path, monitor: Resource) -> Path:
        """Fetch the newest report for people out of the store."""
        folder.mkdir(parents=True, exist_ok=True)
        check = monitor["status"]["lastCheck"]
        source = check.get("html") or check["report"]
        target = folder / f"drift-report.{source.rsplit('.', 1)[-1]}"
        with bucket(self.product, "modelyard") as store:
            target.write_bytes(bytes(obstore.get(store, source).bytes()))
        return target

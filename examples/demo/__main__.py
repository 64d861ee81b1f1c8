"""`python -m examples.demo`: set-up, story, and how to look around afterwards."""

import json
import shutil
import sys
import urllib.request
from pathlib import Path

from examples.demo import words
from examples.demo.story import Story
from examples.demo.timeline import Timeline
from examples.demo.watch import StoryError
from tests.cluster.choice import choose
from tests.cluster.provider import ClusterError
from tests.product.forward import forward
from tests.product.images import build_and_load
from tests.product.product import ROOT, Product, ProductError

OUTPUT = ROOT / ".work" / "demo"
NAMESPACE = "demo"
EXAMPLE = {"period": 0.5, "nswprice": 0.06, "nswdemand": 0.44, "vicprice": 0.0035, "vicdemand": 0.42, "transfer": 0.41}


def set_up(timeline: Timeline) -> Story:
    timeline.chapter("A cluster with modelyard on it")
    provider = choose()
    with timeline.step(f"Kubernetes ({provider.name})") as step:
        provider.up()
        step.result = str(provider.kubeconfig())
    with timeline.step("images built and loaded") as step:
        images = build_and_load(provider)
        step.result = ", ".join(images)
    product = Product(provider, workloads=(NAMESPACE,), values={"operator.pollSeconds": 5})
    with timeline.step("helm upgrade --install modelyard") as step:
        product.install(images)
        step.result = "two operator replicas, one object store"
    # By kind: of the category, kubectl may hold a list from before the definitions were there.
    kinds = "datasets,trainingjobs,modeldeployments,driftmonitors"
    product.kubectl("delete", kinds, "--all", "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
    return Story(product, NAMESPACE, images, timeline)


def tell(story: Story) -> None:
    timeline = story.timeline
    timeline.chapter("1. One file: data becomes a version, a model, an endpoint")
    timeline.explain(*words.QUESTION)
    story.apply()
    timeline.chapter("2. Life goes on: the market is replayed as requests, each day's truth follows a day later")
    timeline.explain(*words.FIGURES)
    story.replay(13, 15, title="weeks 13 to 15")
    story.check("after-week-15")
    story.replay(16, 24, title="weeks 16 to 24")
    monitor = story.check("after-week-24")
    report = story.report(OUTPUT, monitor).relative_to(ROOT)
    timeline.say(f"all figures of this check, for a browser: {report}")
    timeline.chapter("3. The evidence says: worse than promised. A new model is trained, and has to prove itself")
    timeline.explain(*words.GATE)
    trained = story.retraining()
    story.replay(25, 27, title="weeks 25 to 27, which neither model has seen")
    monitor = story.judgement()
    replaced = False
    if monitor["status"]["retrain"]["state"] == "Promoted":
        timeline.chapter("4. Proven better: it takes over step by step")
        timeline.explain(*words.CANARY)
        replaced = story.rollout(trained["metadata"]["name"])
    timeline.chapter("What is there now")
    resources = story.product.kubectl("get", "modelyard", "--namespace", NAMESPACE)
    timeline.console.print(resources, highlight=False, soft_wrap=True)
    timeline.explain(*(words.REPLACED if replaced else words.KEPT))
    one_prediction(story)


def one_prediction(story: Story) -> None:
    tensors = [{"name": k, "shape": [1], "datatype": "FP64", "data": [v]} for k, v in EXAMPLE.items()]
    body = json.dumps({"inputs": tensors})
    with forward(story.product, NAMESPACE, "service/electricity", 80) as url:
        target = f"{url}/v2/models/electricity/infer"
        request = urllib.request.Request(target, body.encode(), {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            outputs = {o["name"]: o["data"][0] for o in json.load(answer)["outputs"]}
    rises = "rises" if outputs["predict"] == "1" else "does not rise"
    story.timeline.chapter("Ask it yourself (first: the port-forward below)")
    story.timeline.say(f"curl http://127.0.0.1:8080/v2/models/electricity/infer -d '{body}'")
    story.timeline.say(f"It just answered: the price {rises}, with probability {outputs['probability']:.0%}.")


def look_around(story: Story) -> None:
    provider = story.product.provider
    kubectl = f"{'kubectl' if shutil.which('kubectl') else provider.kubectl()} --namespace {NAMESPACE}"
    story.timeline.chapter("Look around: all of it stays until you take it away")
    story.timeline.say(f"export KUBECONFIG={provider.kubeconfig()}")
    for command in (
        "get modelyard",
        "describe driftmonitor electricity   # the verdict and the gate, with figures",
        "get events --sort-by=.lastTimestamp",
        "port-forward service/electricity 8080:80   # then http://127.0.0.1:8080/docs",
    ):
        story.timeline.say(f"{kubectl} {command}")
    story.timeline.say("make down   # takes all of it away; what was built stays in the cache")


def main() -> int:
    timeline = Timeline(OUTPUT / "timeline.json")
    try:
        story = set_up(timeline)
        tell(story)
    except (StoryError, ProductError, ClusterError) as error:
        timeline.console.print(f"\n[red]{error}[/red]", highlight=False)
        timeline.finish()
        return 1
    look_around(story)
    timeline.finish()
    timeline.say(f"timeline: {Path(timeline.path).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

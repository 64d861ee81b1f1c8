"""The store: what pods are told about it, where its credentials lie, and what survives an uninstall."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.unit.chart.rendering import CASES, CHART, NAMESPACE, Helm, Object, Rendered


def secrets(rendered: Rendered) -> dict[str, Object]:
    return {each["metadata"]["namespace"]: each for each in rendered.of("Secret")}


def test_the_embedded_store_is_what_pods_are_told(helm: Helm) -> None:
    rendered = helm.template({}, release="demo")
    config = rendered.operator_config()
    service = rendered.one("Service", "demo-modelyard-store", NAMESPACE)
    assert config["store"] == {
        "uri": "s3://modelyard",
        "endpoint": f"http://{service['metadata']['name']}.{NAMESPACE}.svc:{service['spec']['ports'][0]['port']}",
        "region": "us-east-1",
    }
    assert config["storeSecret"] == "modelyard-store"
    pod = rendered.one("StatefulSet", "demo-modelyard-store")["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()


def test_every_namespace_with_pods_gets_the_same_credentials(helm: Helm) -> None:
    found = secrets(helm.template({"workloadNamespaces": ["team-a", "team-b"]}))
    assert set(found) == {NAMESPACE, "team-a", "team-b"}
    assert {each["metadata"]["name"] for each in found.values()} == {"modelyard-store"}
    (data,) = {tuple(sorted(each["data"].items())) for each in found.values()}
    assert [key for key, _ in data] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]


def test_a_namespace_named_twice_gets_one_secret(helm: Helm) -> None:
    assert len(helm.template(CASES["workloads beside the operator"]).of("Secret")) == 2


def test_data_and_its_credentials_outlive_the_release(helm: Helm) -> None:
    rendered = helm.template({})
    (claim,) = rendered.of("PersistentVolumeClaim")
    kept = secrets(rendered)
    policies = {name: each["metadata"].get("annotations", {}) for name, each in kept.items()}
    assert claim["metadata"]["annotations"] == policies[NAMESPACE] == {"helm.sh/resource-policy": "keep"}
    assert policies["default"] == {}, "copies are made again from the kept one"


@pytest.mark.parametrize(
    ("case", "secret"),
    [
        ("own Secret for the embedded store", "mine"),
        ("external store with a Secret", "lake"),
        ("external store with identity", None),
        ("aws", None),
    ],
)
def test_the_chart_makes_no_secret_where_it_is_not_its_own(helm: Helm, case: str, secret: str | None) -> None:
    rendered = helm.template(CASES[case])
    assert rendered.of("Secret") == []
    assert rendered.operator_config()["storeSecret"] == secret


def test_an_external_store_replaces_the_embedded_one(helm: Helm) -> None:
    rendered = helm.template(CASES["external store with identity"])
    assert rendered.of("StatefulSet") == rendered.of("PersistentVolumeClaim") == []
    assert [each["metadata"]["name"] for each in rendered.of("Service")] == ["modelyard-metrics"]
    config = rendered.operator_config()
    assert config["store"] == {
        "uri": "s3://lake/ml",
        "endpoint": "https://s3.example.com:9000",
        "region": "us-east-1",
    }
    assert config["serviceAccount"] == "ml"
    assert "endpoint" not in helm.template(CASES["aws"]).operator_config()["store"]


def environment(rendered: Rendered) -> dict[str, Object]:
    (store,) = rendered.of("StatefulSet")
    (container,) = store["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each for each in container["env"]}


def test_the_stores_own_bucket_is_always_made(helm: Helm) -> None:
    assert environment(helm.template({}))["BUCKETS"]["value"] == "modelyard,examples"
    other = helm.template({"store": {"uri": "s3://third/prefix"}})
    assert environment(other)["BUCKETS"]["value"] == "third,modelyard,examples"


def test_no_credential_is_written_anywhere_but_in_the_secret(rendered: Rendered) -> None:
    values = {value for secret in rendered.of("Secret") for value in secret["data"].values()}
    others = str([each for each in rendered.objects if each["kind"] != "Secret"])
    assert not any(value in others for value in values)


@pytest.mark.parametrize(
    ("persistence", "volume"),
    [
        ({}, {"persistentVolumeClaim": {"claimName": "modelyard-store"}}),
        ({"existingClaim": "disk"}, {"persistentVolumeClaim": {"claimName": "disk"}}),
        ({"enabled": False, "size": "2Gi"}, {"emptyDir": {"sizeLimit": "2Gi"}}),
    ],
)
def test_data_lies_where_the_values_say(helm: Helm, persistence: Object, volume: Object) -> None:
    rendered = helm.template({"store": {"embedded": {"persistence": persistence}}})
    volumes = rendered.one("StatefulSet", "modelyard-store")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "data", **volume} in volumes
    assert len(rendered.of("PersistentVolumeClaim")) == (persistence == {})


def test_a_new_version_of_the_chart_does_not_restart_a_store_of_the_same_image(helm: Helm, tmp_path: Path) -> None:
    newer = tmp_path / "modelyard"
    shutil.copytree(CHART, newer)
    about = yaml.safe_load((newer / "Chart.yaml").read_text())
    (newer / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": "99.0.0", "appVersion": "99.0.0"}))

    def pods(chart: Path) -> Object:
        text = helm.run("template", "demo", str(chart), "--namespace", NAMESPACE, values={"images": {"tag": "same"}})
        (found,) = Rendered(tuple(yaml.safe_load_all(text))).of("StatefulSet")
        template: Object = found["spec"]["template"]
        return template

    assert pods(newer) == pods(CHART)

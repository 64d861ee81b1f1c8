"""The operator's configuration file."""

from pathlib import Path

import pytest

from modelyard.plan.settings import Settings
from modelyard.runtime.config import ConfigError, load, parse


def test_no_file_means_the_defaults() -> None:
    config = load(None)
    assert config.settings == Settings()
    assert (config.runtime.workers, config.runtime.poll_seconds, config.runtime.health_port) == (16, 15.0, 8080)
    assert config.runtime.resync_seconds == 600


def test_a_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text(
        "store: {uri: 's3://mine', endpoint: 'http://store:8333'}\n"
        "storeSecret: null\n"
        "images: {training: 'registry/training:1'}\n"
        "pendingSeconds: 60\n"
        "namespaces: [a, b]\n"
        "lease: {namespace: system, name: mine}\n"
    )
    config = load(file)
    assert config.settings.store.uri == "s3://mine"
    assert config.settings.store_secret is None
    assert config.settings.images.training == "registry/training:1"
    assert config.settings.images.serving == Settings().images.serving
    assert config.settings.pending_seconds == 60
    assert config.runtime.namespaces == ("a", "b")
    assert config.runtime.lease.name == "mine"


def test_an_empty_file_is_a_file_of_defaults(tmp_path: Path) -> None:
    file = tmp_path / "operator.yaml"
    file.write_text("")
    assert load(file).settings == Settings()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"workres": 3}, "unknown key 'workres'"),
        ({"store": {"url": "s3://x"}}, "unknown key 'store.url'"),
        ({"images": {"trainer": "x"}}, "unknown key 'images.trainer'"),
        ({"lease": {"names": "x"}}, "unknown key 'lease.names'"),
        ({"workers": 0}, "workers: "),
        ({"pollSeconds": "often"}, "pollSeconds: "),
        ({"pendingSeconds": "soon"}, "pendingSeconds: "),
        (["workers"], "expected a mapping"),
    ],
)
def test_a_mistake_is_named(document: object, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(document, "operator.yaml")
    assert str(caught.value).startswith("operator.yaml: ")
    assert told in str(caught.value)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml cannot be read"):
        load(tmp_path / "absent.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml cannot be read"):
        load(tmp_path / "broken.yaml")

"""The cache ends in the last state, in whatever order it was told."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from modelyard.plan.plan import Key
from modelyard.runtime.cache import Cache
from tests.unit.runtime.objects import dataset, pod, training

ONE = Key("Pod", "ns", "p")
OWNER = Key("Dataset", "ns", "d")


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_of_messages_ends_in_the_last_state(present: list[bool], order: Random) -> None:
    states = [(exists, pod("p", "d", version + 1)) for version, exists in enumerate(present)]
    shuffled = states * 2
    order.shuffle(shuffled)
    cache = Cache()
    for exists, state in shuffled:
        (cache.put if exists else cache.pop)(state)
    expected = states[-1][1] if present[-1] else None
    assert cache.get(ONE) == expected
    assert list(cache.children(OWNER)) == ([expected] if expected else [])


def test_a_child_follows_its_labels_to_another_owner() -> None:
    cache = Cache()
    cache.put(pod("p", "d", 1))
    cache.put(pod("p", "e", 2))
    assert cache.children(OWNER) == []
    assert len(cache.children(Key("Dataset", "ns", "e"))) == 1


def test_objects_are_counted_by_kind() -> None:
    cache = Cache()
    cache.put(dataset("a"))
    cache.put(dataset("b"))
    cache.put(pod("p", "a"))
    assert cache.sizes() == {"Dataset": 2, "Pod": 1}


def test_resources_are_found_by_what_they_name() -> None:
    cache = Cache()
    cache.put(training("s", 1, "d"))
    cache.put(training("t", 2, "d"))
    cache.put(training("u", 3, "e"))
    assert [o["metadata"]["name"] for o in cache.naming("TrainingJob", "ns", "dataset", "d")] == ["s", "t"]
    assert cache.naming("TrainingJob", "other", "dataset", "d") == []
    cache.put(training("s", 4, "e"))
    cache.drop(Key("TrainingJob", "ns", "u"), 3)
    assert [o["metadata"]["name"] for o in cache.naming("TrainingJob", "ns", "dataset", "d")] == ["t"]
    assert [o["metadata"]["name"] for o in cache.naming("TrainingJob", "ns", "dataset", "e")] == ["s"]


def test_managed_fields_are_not_kept() -> None:
    cache = Cache()
    state = dataset("a")
    state["metadata"]["managedFields"] = [{"manager": "x"}]
    cache.put(state)
    found = cache.get(Key("Dataset", "ns", "a"))
    assert found
    assert "managedFields" not in found["metadata"]


def test_a_list_drops_what_it_does_not_hold_but_not_what_came_after_it() -> None:
    cache = Cache()
    cache.put(dataset("kept", 1))
    cache.put(dataset("ghost", 2))
    cache.put(dataset("newer", 9))
    changes = cache.drop_ghosts("Dataset", "ns", {Key("Dataset", "ns", "kept")}, 5)
    assert [change.old["metadata"]["name"] for change in changes if change.old] == ["ghost"]
    assert {key.name for key in cache.keys("Dataset")} == {"kept", "newer"}


def test_what_was_missing_does_not_come_back_by_an_older_message_and_what_came_after_stays() -> None:
    key = Key("Dataset", "ns", "a")
    for by_list in (False, True):
        cache = Cache()
        for version in (2, 6):
            cache.put(dataset("a", version))
            if by_list:
                cache.drop_ghosts("Dataset", "ns", set(), 5)
            else:
                cache.drop(key, 5)
            assert cache.put(dataset("a", 2)) is None
            assert cache.put(dataset("a", 4)) is None
        assert cache.get(key) == dataset("a", 6)


def test_a_list_of_one_namespace_says_nothing_about_others() -> None:
    cache = Cache()
    cache.put(dataset("a", 1))
    assert cache.drop_ghosts("Dataset", "elsewhere", set(), 5) == []


def test_readings_live_as_long_as_their_pod() -> None:
    cache = Cache()
    cache.put(pod("p", "d", 1))
    assert cache.set_reading("ns", "p", {"stage": "Checking"})
    assert not cache.set_reading("ns", "p", {"stage": "Checking"})
    cache.put(pod("p", "d", 2))
    assert cache.reading("ns", "p") == {"stage": "Checking"}
    cache.pop(pod("p", "d", 3))
    assert cache.reading("ns", "p") is None


def test_that_the_pods_of_a_job_were_read_is_known_as_long_as_the_job() -> None:
    cache = Cache()
    made = pod("j", "d")
    job = {**made, "kind": "Job", "metadata": {**made["metadata"], "uid": "u"}}
    cache.put(job)
    assert cache.set_pods_read(job["metadata"]["uid"])
    assert not cache.set_pods_read(job["metadata"]["uid"])
    cache.pop(job)
    assert not cache.pods_read(job["metadata"]["uid"])

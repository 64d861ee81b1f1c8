"""What the users of the soak do."""

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.plan.labels import PAUSED, RUN
from tests.soak.wishes import KINDS, Act, Place, Wish, Wishes, document


def acting(seed: int, acts: int) -> tuple[Wishes, list[tuple[Act, Place, int]]]:
    wishes = Wishes(5, seed)
    list(wishes.first())
    done: list[tuple[Act, Place, int]] = []
    for _ in range(acts):
        act, place = wishes.next()
        done.append((act, place, wishes.present[place].turn if act == "apply" else 0))
    return wishes, done


@settings(deadline=None, max_examples=20)
@given(st.integers())
def test_the_same_seed_gives_the_same_acts(seed: int) -> None:
    assert acting(seed, 50)[1] == acting(seed, 50)[1]


def test_there_are_four_objects_in_a_group_and_all_are_made_first() -> None:
    wishes = Wishes(50, 1)
    assert len(list(wishes.first())) == 200
    assert {place.kind for place in wishes.present} == set(KINDS)


def test_objects_are_created_changed_paused_run_and_deleted() -> None:
    wishes, done = acting(1, 2000)
    acts = [act for act, _, _ in done]
    assert 100 < acts.count("delete") < 400
    wished = [document("ns", place, wish)["metadata"]["annotations"] for place, wish in wishes.present.items()]
    assert any(RUN in annotations for annotations in wished)
    assert any(PAUSED in annotations for annotations in wished)


@settings(deadline=None, max_examples=20)
@given(st.integers())
def test_no_spec_comes_twice_for_an_object_unless_only_annotations_change(seed: int) -> None:
    _, done = acting(seed, 200)
    turns: dict[Place, list[int]] = {}
    for _, place, turn in done:
        seen = turns.setdefault(place, [])
        if turn and turn not in seen[-1:]:
            assert turn not in seen
            seen.append(turn)


@settings(deadline=None, max_examples=20)
@given(st.integers(), st.integers(0, 200))
def test_the_end_is_the_same_whatever_was_before(seed: int, acts: int) -> None:
    wishes, _ = acting(seed, acts)
    other, _ = acting(seed + 1, 0)
    assert [wishes.last(kind) for kind in KINDS] == [other.last(kind) for kind in KINDS]
    assert wishes.present == other.present
    assert not any(wish.paused for wish in wishes.present.values())


def test_a_document_names_what_the_kinds_of_a_group_build_on() -> None:
    made = {kind: document("ns", Place(kind, "g00"), Wish(1))["spec"] for kind in KINDS}
    assert made["TrainingJob"]["datasetRef"] == {"name": "g00"}
    assert made["ModelDeployment"]["model"]["trainingJobRef"] == {"name": "g00"}
    assert made["DriftMonitor"]["modelDeploymentRef"] == {"name": "g00"}

"""The order of work: nothing is lost, nothing is done twice at once, nothing comes too early."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from modelyard.runtime.schedule import Schedule

KEYS = st.sampled_from("abcABC")


class Model(RuleBasedStateMachine):
    """Against the simplest model: per key, what is wanted now, what is wanted when, what is being done."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule: Schedule[str] = Schedule(str.isupper)
        self.now = 0.0
        self.wanted: set[str] = set()
        self.due: dict[str, float] = {}
        self.busy: set[str] = set()

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self.schedule.add(key)
        self.wanted.add(key)

    @rule(key=KEYS, seconds=st.integers(0, 5))
    def add_later(self, key: str, seconds: int) -> None:
        self.schedule.add_at(key, self.now + seconds)
        self.due[key] = min(self.now + seconds, self.due.get(key, float("inf")))

    @rule(seconds=st.integers(1, 3))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def take(self) -> None:
        self.wanted |= {key for key, time in self.due.items() if time <= self.now}
        self.due = {key: time for key, time in self.due.items() if time > self.now}
        key = self.schedule.take(self.now)
        if key is None:
            assert not self.wanted - self.busy
            return
        assert key in self.wanted - self.busy
        self.wanted.discard(key)
        self.due.pop(key, None)
        self.busy.add(key)

    @rule(key=KEYS)
    def finish(self, key: str) -> None:
        self.schedule.done(key)
        self.busy.discard(key)

    @invariant()
    def counts_what_is_wanted_now(self) -> None:
        assert len(self.schedule) == len(self.wanted)

    @invariant()
    def tells_when_to_come_back(self) -> None:
        assert self.schedule.next_due() == min(self.due.values(), default=None)


TestSchedule = Model.TestCase
TestSchedule.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


def test_delays_that_were_forgotten_take_no_memory() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add_at("b", 50.5)
    for now in range(100):  # looked at now and then, due far ahead
        schedule.add("a")
        while schedule.take(now) == "b":
            schedule.done("b")
        schedule.add_at("a", 1000)
        schedule.done("a")
        assert schedule.next_due() == (50.5 if now <= 50 else 1000)
    assert len(schedule._heap) < 30
    assert [schedule.take(1000), schedule.take(1000)] == ["a", None]


def test_keys_come_in_the_order_of_their_arrival() -> None:
    schedule: Schedule[str] = Schedule()
    for key in "bcab":
        schedule.add(key)
    assert [schedule.take(0) for _ in range(4)] == ["b", "c", "a", None]
    assert len(schedule) == 0


def test_a_long_lane_holds_up_another_by_one_key() -> None:
    schedule: Schedule[str] = Schedule(str.isupper)
    for key in "abcdefgXYh":
        schedule.add(key)
    assert [schedule.take(0) for _ in range(10)] == list("aXbYcdefgh")


def test_a_lane_that_was_empty_waits_for_its_turn() -> None:
    schedule: Schedule[str] = Schedule(str.isupper)
    for key in "aXb":
        schedule.add(key)
    assert (schedule.take(0), schedule.take(0)) == ("a", "X")
    schedule.add("Y")
    assert [schedule.take(0) for _ in range(3)] == ["b", "Y", None]

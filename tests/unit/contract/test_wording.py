"""Messages: one line, bounded, with the advice and the link whatever others said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.about import ABOUT
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import LIMIT, page, plain, quoted, told

FIX = "raise spec.resources.limits.memory"


def test_every_reason_is_known() -> None:
    assert set(ABOUT) == set(Reason)


@given(st.sampled_from(list(Reason)), st.text(max_size=2000), st.booleans())
def test_any_message_is_one_bounded_line_of_printable_characters(reason: Reason, text: str, link: bool) -> None:
    said = told(reason, text, link=link)
    assert len(said) <= LIMIT
    assert said.isprintable()
    if said and (link or ABOUT[reason].fault):
        assert said.endswith(".md)")


@given(st.text(max_size=2000))
def test_others_words_are_cut_and_the_advice_is_not(said: str) -> None:
    message = told(Reason.OOM_KILLED, f"it needed too much: {quoted(said)}; {FIX}")
    assert message.startswith("it needed too much: “")
    assert message.endswith(f"”; {FIX} (see docs/reasons/OOMKilled.md)")
    assert len(message) <= LIMIT


def test_of_a_long_text_beginning_and_end_stay() -> None:
    assert plain("begin " + "x " * 500 + "end").startswith("begin x")
    assert plain("begin " + "x " * 500 + "end").endswith("x end")


def test_several_quotes_are_cut_from_the_longest() -> None:
    message = plain(f"a {quoted('short')} and {quoted('long ' * 100)} and b")
    assert "“short”" in message
    assert message.endswith("” and b")


def test_a_quote_within_a_quote_does_not_end_it() -> None:
    assert quoted("he said “no”.") == '“he said "no"”'


def test_what_another_resource_said_is_linked_once() -> None:
    inner = told(Reason.USER_ERROR, "exit code 3")
    assert inner == "exit code 3 (see docs/reasons/UserError.md)"
    waiting = told(Reason.WAITING_FOR_MODEL, f"TrainingJob t gave no model: {inner}")
    assert waiting == "TrainingJob t gave no model: exit code 3 (see docs/reasons/UserError.md)"
    failed = told(Reason.RETRAIN_FAILED, f"t-r-1 failed: {inner}")
    assert failed == "t-r-1 failed: exit code 3 (see docs/reasons/RetrainFailed.md)"


@pytest.mark.parametrize("reason", [r for r in Reason if not ABOUT[r].fault])
def test_progress_and_good_ends_need_no_link(reason: Reason) -> None:
    assert told(reason, "all is well") == "all is well"
    assert told(reason, "it waits", link=True) == f"it waits (see {page(reason)})"
    assert told(reason, "tried again", Reason.NODE_LOST) == "tried again (see docs/reasons/NodeLost.md)"


def test_an_empty_message_stays_empty() -> None:
    assert told(Reason.OOM_KILLED, "") == ""


def test_what_needs_a_person_has_a_next_step_even_if_nobody_said_one() -> None:
    said = told(Reason.OOM_KILLED, "", link=True)
    assert said == "Raise spec.resources.limits.memory. (see docs/reasons/OOMKilled.md)"

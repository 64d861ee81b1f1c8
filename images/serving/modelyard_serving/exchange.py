"""What every call goes through, whatever carries it: it is counted, and gets an answer that shows no traceback."""

import time
from collections.abc import Awaitable, Callable

from modelyard_serving.answering import Answered, refusal
from modelyard_serving.http import DisconnectedError
from modelyard_serving.serving import Serving

FAILED = "the server failed on this request"


async def exchange(serving: Serving, protocol: str, infer: Callable[[float], Awaitable[Answered]]) -> Answered:
    """`infer` gets the moment when the call came. Raises DisconnectedError where nobody waits for it any more."""
    started = time.perf_counter()
    serving.in_flight += 1
    answered: Answered
    try:
        serving.check_room()
        answered = await infer(started)
    except DisconnectedError:
        raise
    except Exception as error:
        answered = refusal(error, FAILED, serving.personal), None
    finally:
        serving.in_flight -= 1
    serving.metrics.answered(protocol, answered[0].status, time.perf_counter() - started)
    return answered

"""How patient a run is: whether a failed call is repeated, after which pause, and when the run goes no further."""

from __future__ import annotations

import random
from dataclasses import dataclass

from aigc_evals.errors import EndpointError
from aigc_evals.failures import CONSTRUCTION, RETURN_TYPE
from aigc_evals.sampling.limits import Endpoint

_TIMEOUT_RETRIES = 2
_LONGEST_WAIT = 600.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_BREAKER = 20
_MIXED_BREAKER = 100
_NEVER_RIGHT = ("auth", "not_found")
_NEVER_BEGAN = (RETURN_TYPE, CONSTRUCTION)


@dataclass(frozen=True)
class Stop:
    """Why a run should go no further; ``usage`` means that it could not even begin, by a mistake of the user."""

    message: str
    usage: bool


def may_repeat(failure: EndpointError, attempt: int, retries: int) -> bool:
    """Whether a call that has been repeated ``attempt`` times, and may be ``retries`` times, is made once more."""
    if not failure.retryable or attempt >= retries:
        return False
    if failure.kind == "timeout" and attempt >= _TIMEOUT_RETRIES:
        return False
    return failure.retry_after is None or failure.retry_after <= _LONGEST_WAIT


def pause_before(attempt: int, failure: EndpointError, jitter: random.Random) -> float:
    """Seconds to wait before repeating a call for the ``attempt``-th time: the server's wish, else with jitter."""
    if failure.retry_after is not None:
        return failure.retry_after + jitter.random() * 0.1
    return jitter.random() * min(_LONGEST_PAUSE, _FIRST_PAUSE * float(2 ** min(attempt, 10)))


def stop_after(failure: EndpointError, endpoint: Endpoint) -> Stop | None:
    """Whether a run stops at a final failure, of which the endpoint has taken note; None where it goes on."""
    if failure.kind == "quota":
        return Stop(str(failure), usage=False)
    if not endpoint.succeeded and (failure.kind in _NEVER_RIGHT or failure.code in _NEVER_BEGAN):
        asked = f"\nAsked: {endpoint.name}" if "://" in endpoint.name else ""
        return Stop(f"{failure}{asked}", usage=True)
    if failure.kind == "code" or (failure.kind == "bad_request" and endpoint.succeeded):
        # These speak of one sample, not of the endpoint.
        return None
    if endpoint.repeats >= _BREAKER:
        return Stop(f"the same failure {endpoint.repeats} times in a row: {failure}", usage=False)
    if endpoint.failures >= _MIXED_BREAKER:
        return Stop(f"{endpoint.failures} failures in a row, the last one: {failure}", usage=False)
    return None

"""How patient a run is: whether a failed call is repeated, after which pause, and when the run goes no further."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from aigc_evals.errors import EndpointError
from aigc_evals.failures import CONSTRUCTION
from aigc_evals.sampling.limits import OF_ONE_SAMPLE, Endpoint

_TIMEOUT_RETRIES = 2
_LONGEST_WAIT = 600.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_BREAKER = 20
_MIXED_BREAKER = 100
_NEVER_RIGHT = ("auth", "not_found")


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
    return not _is_too_long(failure)


def _is_too_long(failure: EndpointError) -> bool:
    return failure.retry_after is not None and failure.retry_after > _LONGEST_WAIT


def say_what_was_asked(failure: EndpointError) -> None:
    """Put into the text of a final failure that the server wished for a longer pause than any that is made."""
    if failure.retryable and failure.retry_after is not None and _is_too_long(failure):
        asked = f"asked to wait {math.ceil(failure.retry_after):,} s, more than the {_LONGEST_WAIT:.0f} s that are waited at most"
        failure.args = (f"{failure} ({asked})",)


def pause_before(attempt: int, failure: EndpointError, jitter: random.Random) -> float:
    """Seconds to wait before repeating a call for the ``attempt``-th time: the server's wish, else with jitter."""
    if failure.retry_after is not None:
        return failure.retry_after + jitter.random() * 0.1
    return jitter.random() * min(_LONGEST_PAUSE, _FIRST_PAUSE * float(2 ** min(attempt, 10)))


def stop_after(failure: EndpointError, endpoint: Endpoint) -> Stop | None:
    """Whether a run stops at a final failure, of which the endpoint has taken note; None where it goes on.

    At the first answer it stops only for what no sample can be the reason of. A 400, an error in a function's code or an
    answer of a wrong type may be of one sample: after an answer it takes as many of the same as of different ones.
    """
    if failure.kind == "quota":
        return Stop(str(failure), usage=False)
    if not endpoint.succeeded and (failure.kind in _NEVER_RIGHT or failure.code == CONSTRUCTION):
        asked = f"\nAsked: {endpoint.name}" if "://" in endpoint.name else ""
        return Stop(f"{failure}{asked}", usage=True)
    of_one_sample = endpoint.succeeded and failure.kind in OF_ONE_SAMPLE
    if endpoint.repeats >= (_MIXED_BREAKER if of_one_sample else _BREAKER):
        return Stop(f"the same failure {endpoint.repeats} times in a row: {endpoint.told}", usage=False)
    if endpoint.failures >= _MIXED_BREAKER:
        return Stop(f"{endpoint.failures} failures in a row, the last one: {endpoint.told}", usage=False)
    return None

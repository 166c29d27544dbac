"""The limiter: never more than the limit, first come first served, growing while it pays; and when an endpoint is given up."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_evals.base import Settings
from aigc_evals.errors import EndpointError
from aigc_evals.failures import CONSTRUCTION, RETURN_TYPE, http_error, retry_after
from aigc_evals.sampling import Sampler
from aigc_evals.sampling.limits import Endpoint, Limiter, Place
from aigc_evals.sampling.patience import may_repeat, pause_before
from aigc_evals.testing import FailingCompletionFn


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


@given(limit=st.integers(1, 5), script=st.lists(st.sampled_from(["come", "leave", "cancel"]), max_size=60))
@settings(max_examples=150, deadline=None)
def test_a_fixed_limit_is_never_exceeded_and_no_place_is_lost(limit: int, script: list[str]) -> None:
    async def main() -> None:
        limiter = Limiter(limit, 1000)
        inside: list[Place] = []
        waiting: list[asyncio.Task[None]] = []

        async def enter() -> None:
            token = await limiter.acquire()
            inside.append(token)

        for step in script:
            if step == "come":
                waiting.append(asyncio.ensure_future(enter()))
            elif step == "leave" and inside:
                limiter.release(inside.pop())
            elif step == "cancel" and waiting:
                waiting.pop(0).cancel()  # some have their place already, some are just being given one
            if len(script) % 2:
                await settle()
            assert len(inside) <= limiter.in_flight <= limit
        await settle()
        left = [task for task in waiting if not task.done()]
        assert len(inside) == limiter.in_flight
        assert not left or len(inside) == limit
        while inside:
            limiter.release(inside.pop())
            await settle()
        assert all(task.done() for task in waiting)
        assert limiter.in_flight == 0

    asyncio.run(main())


def test_who_waits_longest_is_served_first_and_nobody_overtakes() -> None:
    async def main() -> list[str]:
        limiter = Limiter(1, 1)
        order: list[str] = []

        async def call(name: str) -> None:
            token = await limiter.acquire()
            order.append(name)
            await asyncio.sleep(0)
            limiter.release(token)

        first = await limiter.acquire()
        tasks = [asyncio.ensure_future(call(f"early {i}")) for i in range(5)]
        await settle()
        limiter.release(first)
        tasks.append(asyncio.ensure_future(call("late")))  # comes when the place is free but promised
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(main()) == [*[f"early {i}" for i in range(5)], "late"]


def test_a_place_given_to_one_who_is_cancelled_goes_to_the_next() -> None:
    async def main() -> None:
        limiter = Limiter(1, 1)
        token = await limiter.acquire()
        gone = asyncio.ensure_future(limiter.acquire())
        next_one = asyncio.ensure_future(limiter.acquire())
        await settle()
        limiter.release(token)
        gone.cancel()
        await asyncio.wait_for(next_one, 1)
        assert gone.cancelled()
        assert limiter.in_flight == 1

    asyncio.run(main())


async def window(limiter: Limiter, clock: Clock, rate: Callable[[int], float], throttled: float = 0.0) -> None:
    """As many calls as the limit asks for, at the rate an endpoint has at this concurrency."""
    for _ in range(max(1, 16 // limiter.limit) + 1):
        count = limiter.limit
        tokens = [await limiter.acquire() for _ in range(count)]
        clock.now += count / rate(count)
        for i, token in enumerate(tokens):
            limiter.release(token, throttled=i < throttled * count)


def adapted(
    rate: Callable[[int], float], rounds: int, most: int = 1000, throttled: Callable[[int], float] | None = None
) -> list[int]:
    """The limits that an adaptive limiter goes through."""

    async def main() -> list[int]:
        clock = Clock()
        limiter = Limiter(None, most, clock)
        limits = [limiter.limit]
        for _ in range(rounds):
            await window(limiter, clock, rate, throttled(limiter.limit) if throttled else 0.0)
            limits.append(limiter.limit)
        return limits

    return asyncio.run(main())


def test_the_limit_grows_while_more_calls_bring_more_answers() -> None:
    limits = adapted(lambda n: 10.0 * n, 40, most=500)
    assert max(limits) == limits[-1] == 500


def test_the_limit_stays_where_more_calls_bring_nothing() -> None:
    limits = adapted(lambda n: 10.0 * min(n, 64), 60)
    assert 64 <= limits[-1] <= 128
    assert max(limits) <= 256


def test_an_endpoint_that_throttles_is_asked_less() -> None:
    limits = adapted(lambda n: 10.0 * n, 30, throttled=lambda n: 0.5 if n > 8 else 0.0)
    assert limits[-1] <= 32
    assert min(limits) <= 8


def test_a_few_throttled_calls_only_stop_the_growth() -> None:
    assert set(adapted(lambda n: 10.0 * n, 20, throttled=lambda n: 0.05)) == {32}


def test_the_limit_never_falls_below_one() -> None:
    assert adapted(lambda n: 1.0, 60, throttled=lambda n: 1.0)[-1] == 1


def kept_busy(calls: int, latency: float, throttled: float = 0.0) -> Limiter:
    """A limiter after so many calls of workers who ask again at once; what is throttled comes back without delay."""

    async def main() -> Limiter:
        clock, rng = Clock(), random.Random(1)
        limiter = Limiter(None, 1000, clock)
        running: list[tuple[float, int, Place, bool]] = []
        for number in range(calls):
            while limiter.in_flight < limiter.limit:
                refused = rng.random() < throttled
                place = await limiter.acquire()
                took = latency * (0.01 if refused else rng.uniform(0.8, 1.2) if throttled else 1.0)
                heapq.heappush(running, (clock.now + took, number + limiter.in_flight, place, refused))
            clock.now, _, place, refused = heapq.heappop(running)
            limiter.release(place, throttled=refused)
        return limiter

    return asyncio.run(main())


def test_calls_that_end_all_at_once_do_not_look_like_a_slow_endpoint() -> None:
    assert kept_busy(1000, latency=0.2).limit >= 256


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.4])
def test_an_endpoint_that_throttles_at_any_limit_is_still_used(share: float) -> None:
    assert kept_busy(5000, latency=0.2, throttled=share).limit >= 12


def test_a_fixed_limit_does_not_adapt() -> None:
    async def main() -> None:
        clock = Clock()
        limiter = Limiter(4, 1000, clock)
        for _ in range(20):
            await window(limiter, clock, lambda n: 10.0 * n, 0.9)
        assert limiter.limit == 4

    asyncio.run(main())


# -- when to give up --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("HTTP 500: overloaded", "HTTP 500: overloaded", True),
        ("HTTP 500: request req_8f3a failed", "HTTP 500: request req_91bc failed", True),
        ("HTTP 500: at 12:00:01 nothing worked", "HTTP 500: at 12:00:02 nothing worked", True),
        ("HTTP 500: overloaded", "HTTP 500: out of memory", False),
    ],
)
def test_the_same_failure_is_known_again_whatever_its_number(first: str, second: str, same: bool) -> None:
    endpoint = Endpoint("e", Limiter(1, 1))
    for text in (first, second):
        endpoint.failed(EndpointError(text, kind="server", status=500), endpoint.begin())
    assert (endpoint.repeats == 2) is same
    assert endpoint.failures == 2
    endpoint.good(endpoint.begin())
    assert endpoint.failures == endpoint.repeats == 0


@pytest.mark.parametrize(
    ("errors", "stopped_after"),
    [
        (lambda i: EndpointError("x", kind="server", status=500), 20),
        (lambda i: EndpointError("xyz"[i % 3], kind="server", status=500), 100),
        (lambda i: EndpointError("x", kind="bad_request", status=400), 20),
        (lambda i: EndpointError("x", kind="auth", status=401), 1),
        (lambda i: EndpointError("x", kind="quota", status=429), 1),
        (lambda i: EndpointError(f"{i} tokens are too many", kind="bad_request", status=400), 20),
        (lambda i: ValueError("a bug of the function's own"), 20),
        (lambda i: ValueError("abc"[i % 3]), 100),
        (lambda i: EndpointError("no text", kind="code", code=RETURN_TYPE), 20),
        (lambda i: EndpointError("cannot be made", kind="code", code=CONSTRUCTION), 1),
    ],
)
def test_an_endpoint_is_given_up_when_it_only_fails(errors: Callable[[int], Exception], stopped_after: int) -> None:
    count = 0

    def error() -> BaseException:
        nonlocal count
        count += 1
        return errors(count)

    sampler = Sampler(Settings(max_retries=0))
    fn = sampler.wrap(FailingCompletionFn(error))
    for _ in range(120):
        with pytest.raises(EndpointError):
            fn("a")
        if sampler.stop is not None:
            break
    assert sampler.stop is not None
    assert count == stopped_after


@pytest.mark.parametrize(
    ("errors", "stopped_after"),
    [
        (lambda i: EndpointError("too long", kind="bad_request", status=400), 100),
        (lambda i: EndpointError(f"{i} tokens are too many", kind="bad_request", status=400), 100),
        (lambda i: KeyError("answer"), 100),
        (lambda i: KeyError(f"question {i}"), 100),
        (lambda i: EndpointError("no text", kind="code", code=RETURN_TYPE), 100),
        (lambda i: EndpointError("key expired", kind="auth", status=401), 20),
        (lambda i: EndpointError(f"request {i} failed", kind="server", status=500), 20),
    ],
)
def test_after_an_answer_it_takes_more_of_what_may_be_of_single_samples(
    errors: Callable[[int], Exception], stopped_after: int
) -> None:
    sampler = Sampler(Settings(max_retries=0))
    count = -1

    def fn(prompt: str) -> str:
        nonlocal count
        count += 1
        if count:
            raise errors(count)
        return "ok"

    wrapped = sampler.wrap(fn)
    wrapped("a")
    while sampler.stop is None and count < 120:
        with pytest.raises(EndpointError):
            wrapped("a")
    assert count == stopped_after
    assert sampler.stop is not None
    assert not sampler.stop.usage


def test_an_answer_between_failures_begins_the_count_anew() -> None:
    sampler = Sampler(Settings(max_retries=0))
    count = 0

    def fn(prompt: str) -> str:
        nonlocal count
        count += 1
        if count % 20:
            raise ValueError("a bad sample")
        return "ok"

    wrapped = sampler.wrap(fn)
    for number in range(1, 200):
        if number % 20:
            with pytest.raises(EndpointError):
                wrapped("a")
        else:
            wrapped("a")
    assert sampler.stop is None


@pytest.mark.parametrize(("asked", "told"), [(601.0, "601"), (3600.0, "3,600"), (600.2, "601")])
def test_a_wait_that_is_too_long_is_named_and_not_waited_for(asked: float, told: str) -> None:
    fn = FailingCompletionFn(lambda: EndpointError("slow down", kind="rate_limit", retryable=True, retry_after=asked))
    sampler = Sampler(Settings(max_retries=5))
    with pytest.raises(EndpointError) as raised:
        sampler.wrap(fn)("a")
    assert str(raised.value) == f"slow down (asked to wait {told} s, more than the 600 s that are waited at most)"


def test_a_wait_of_ten_minutes_is_waited_for() -> None:
    failure = EndpointError("slow down", kind="rate_limit", retryable=True, retry_after=600.0)
    assert may_repeat(failure, 0, 1)
    assert pause_before(0, failure, random.Random(1)) >= 600.0


class Panic(BaseException):
    """What libraries in Rust raise."""


@pytest.mark.parametrize("error", [Panic, SystemExit])
def test_an_error_that_is_no_exception_fails_its_call_alone(error: type[BaseException]) -> None:
    def fn(prompt: str) -> str:
        raise error("index out of range")

    async def acall(prompt: str) -> str:
        raise error("index out of range")

    for one in (fn, acall):
        with pytest.raises(EndpointError, match=f"{error.__name__}: index"):
            Sampler().wrap(one)("a")


def test_an_interrupt_is_no_failure_of_a_call() -> None:
    async def fn(prompt: str) -> str:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        Sampler().wrap(fn)("a")


@pytest.mark.parametrize(
    ("status", "code", "kind", "retryable"),
    [
        (400, None, "bad_request", False),
        (401, None, "auth", False),
        (403, None, "auth", False),
        (404, None, "not_found", False),
        (408, None, "timeout", True),
        (409, None, "server", True),
        (422, None, "bad_request", False),
        (429, None, "rate_limit", True),
        (429, "insufficient_quota", "quota", False),
        (500, None, "server", True),
        (503, None, "server", True),
        (529, None, "server", True),
    ],
)
def test_what_a_status_means(status: int, code: str | None, kind: str, retryable: bool) -> None:
    error = http_error(status, "x", {}, code=code)
    assert (error.kind, error.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-1"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, 60.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=40.0) == seconds

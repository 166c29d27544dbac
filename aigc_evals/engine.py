"""Runs the samples of an eval concurrently: the only place that knows about tasks, threads and signals.

A pool of workers pulls the next index from the shuffled plan; there are never more tasks than samples under way. The pool
grows with what the endpoints can take (see ``sampling``) and shrinks with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import threading
import time
import traceback
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol, cast

from aigc_evals.aio import drive
from aigc_evals.base import Outcome
from aigc_evals.errors import EndpointError, RunError, SampleError, UsageError
from aigc_evals.progress import Progress
from aigc_evals.record import Recorder
from aigc_evals.record.scope import SampleScope, enter_scope, leave_scope
from aigc_evals.sampling import JudgeFailure, NoAnswer, Sampler, Stop
from aigc_evals.statistics.groups import labels_of

SHUFFLE_SEED = 123

_SYNC_SECONDS = 5.0
_FIRST_WORKERS = 32


class Evaluates(Protocol):
    """What the engine needs of an eval."""

    name: str
    seed: int
    max_samples: int | None
    repeats: int
    group_by: Sequence[str]
    length_limited: bool
    interrupted: bool

    def check_sample(self, sample: Any) -> None: ...

    def facts(self) -> Mapping[str, Any]: ...

    async def aeval_sample(self, sample: Any, rng: random.Random) -> Any: ...

    def eval_sample(self, sample: Any, rng: random.Random) -> Any: ...


def plan(n: int, max_samples: int | None) -> array[int]:
    """The indices to evaluate, in order: all of 0..n-1 shuffled with a fixed seed, then cut to ``max_samples``."""
    indices = array("Q" if n > 0xFFFFFFFF else "I", range(n))
    random.Random(SHUFFLE_SEED).shuffle(indices)
    return indices if max_samples is None else indices[:max_samples]


class Engine:
    """One pass over the samples of one eval."""

    def __init__(self, evaluated: Evaluates, samples: Sequence[Any], recorder: Recorder, sampler: Sampler) -> None:
        self._eval = evaluated
        self._samples = samples
        self._recorder = recorder
        self._sampler = sampler
        self._plain = is_plain(evaluated)
        base, split = evaluated.name.split(".")[:2]
        self._prefix = f"{base}.{split}."
        self._repeats = evaluated.repeats
        self._failure: BaseException | None = None
        self._interrupts = 0
        self._workers: set[asyncio.Task[None]] = set()
        self._results: dict[int, Any] | None = None

    @property
    def interrupted(self) -> bool:
        return self._interrupts > 0

    def run(self, *, collect: bool) -> list[Any]:
        """Evaluate every planned sample that the log does not hold yet.

        With ``collect`` the results of ``eval_sample`` come back in the order of the samples, those of a sample's repeats
        one after another. Raises UsageError when the run could not begin. An interrupt, a full disk or an endpoint given
        up on (``Sampler.stop``) ends it early.
        """
        order = plan(len(self._samples), self._eval.max_samples)
        self._check(order)
        left = self._take_up(order)
        self._results = {} if collect else None
        if left and not self._ending:
            drive(self._main(left))
        if self._failure is not None:
            raise self._failure
        stop = self._sampler.stop
        if stop is not None and stop.usage:
            raise UsageError(stop.message)
        return [self._results[index] for index in sorted(self._results)] if self._results else []

    # -- before the first call ----------------------------------------------------------------------------------

    def _check(self, order: Sequence[int]) -> None:
        """Every planned sample is looked at before anything is asked or written (if it was not when it was read)."""
        if getattr(self._samples, "checked", False):
            return
        place = getattr(self._samples, "place", None)
        for index in order:
            try:
                self._eval.check_sample(self._samples[index])
            except SampleError as error:
                if place is None:
                    raise UsageError(f"sample {index}: {error}") from None
                path, line = place(index)
                raise UsageError(str(error), path=path, line=line) from None

    def _take_up(self, order: array[int]) -> array[int]:
        """Open the log and leave out what it holds already.

        What is left are numbers row * repeats + repeat, from 0: the repeats of a sample follow each other, so that a run
        that ends early has asked whole samples.
        """
        repeats = self._repeats
        done = bytearray(len(self._samples) * repeats)

        def finished(sample_id: str) -> None:
            row, _, repeat = sample_id.removeprefix(self._prefix).partition("~")
            if row.isdigit() and (not repeat or repeat.isdigit()):
                number = int(row) * repeats + int(repeat or 1) - 1
                if number < len(done):
                    done[number] = 1

        facts: dict[str, Any] = dict(self._eval.facts())
        files = getattr(self._samples, "files", None)
        facts["samples"] = {"rows": len(self._samples)}
        if files:
            facts["samples"] |= {"sha256": getattr(self._samples, "sha256", None), "files": list(files)}
        self._recorder.start(len(order) * repeats, facts, finished)
        if repeats > 1:
            order = array("Q", (row * repeats + repeat for row in order for repeat in range(repeats)))
        if not any(done):
            return order
        return array(order.typecode, (index for index in order if not done[index]))

    # -- the loop -----------------------------------------------------------------------------------------------

    async def _main(self, left: array[int]) -> None:
        loop = asyncio.get_running_loop()
        self._sampler.loop = loop
        self._sampler.on_room = self._grow
        self._left: Iterator[int] = iter(left)
        self._unstarted = len(left)
        self._idle = asyncio.Event()
        progress = Progress(self._recorder, self._sampler, shown=self._sampler.settings.progress)
        with self._signals(loop):
            keeper = asyncio.ensure_future(self._keep(progress))
            try:
                self._grow()
                await self._idle.wait()
            finally:
                keeper.cancel()
                progress.close()
                for worker in self._workers:
                    worker.cancel()
                if self._workers:
                    # A plain function in a thread cannot be cancelled, and must not hold up the end of the run.
                    await asyncio.wait(self._workers, timeout=0.5)
                await self._sampler.aclose()
                self._sampler.loop = None
                self._sampler.on_room = None

    @property
    def _ending(self) -> bool:
        # What ended an earlier pass ends this one too.
        ended = self._eval.interrupted or self._sampler.stop is not None
        return ended or self._failure is not None or self._interrupts > 0

    @property
    def _wanted(self) -> int:
        settings = self._sampler.settings
        return 1 if settings.sequential else max(self._sampler.wanted, settings.concurrency or _FIRST_WORKERS)

    def _grow(self) -> None:
        """Start workers until there are as many as the endpoints want."""
        while len(self._workers) < self._wanted and self._unstarted > 0 and not self._ending:
            self._unstarted -= 1
            worker = asyncio.ensure_future(self._work(next(self._left)))
            self._workers.add(worker)
            worker.add_done_callback(self._worker_done)

    def _worker_done(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None and self._failure is None:
            self._failure = worker.exception()
        if self._ending or not (self._workers or self._unstarted):
            self._idle.set()
        elif self._unstarted:
            self._grow()

    async def _work(self, index: int) -> None:
        while True:
            await self._evaluate(index)
            if self._ending:
                self._idle.set()
                return
            if self._unstarted <= 0 or len(self._workers) > self._wanted:
                return
            self._unstarted -= 1
            index = next(self._left)

    async def _evaluate(self, number: int) -> None:
        index, repeat = (number, 0) if self._repeats == 1 else divmod(number, self._repeats)
        sample_id = f"{self._prefix}{index}~{repeat + 1}" if repeat else f"{self._prefix}{index}"
        scope = self._recorder.begin(sample_id)
        if self._repeats > 1:
            scope.notes.update(row=index, repeat=repeat + 1)
        token = enter_scope(scope)
        began = time.perf_counter()
        sample: Any = None
        try:
            sample = self._samples[index]
            seed = f"{sample_id}:{self._eval.seed}".encode()
            if self._plain:
                call = partial(copy_context().run, self._eval.eval_sample, sample, random.Random(seed))
                result = await asyncio.get_running_loop().run_in_executor(self._sampler.threads(), call)
            else:
                result = await self._eval.aeval_sample(sample, cast(random.Random, _LateRandom(seed)))
            outcome = scope.outcome or self._outcome(scope)
            if self._results is not None:
                self._results[number] = result
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit):
            scope.closed = True
            raise
        except NoAnswer as none:
            outcome = none.outcome
        except JudgeFailure as error:
            if self._sampler.stop is not None and self._sampler.stop.usage:
                scope.closed = True
                return
            self._recorder.record_error("the grading model's call failed", error.__cause__ or error)
            outcome = Outcome.JUDGE_FAILED
        except BaseException as error:
            # Also what is no Exception: errors of libraries in Rust, for one.
            if self._sampler.stop is not None and self._sampler.stop.usage:
                # The run never began: its samples have not been asked.
                scope.closed = True
                return
            self._recorder.record_error("", error, **_where(error))
            outcome = Outcome.ERROR
        finally:
            leave_scope(token)
        try:
            cluster = sample.get("cluster") if isinstance(sample, dict) else None
            groups = labels_of(sample, self._eval.group_by)
            self._recorder.end(scope, outcome, time.perf_counter() - began, cluster, groups)
        except RunError as error:
            self._sampler.stop = Stop(str(error), usage=False)
        except Exception as error:
            self._failure = error

    def _outcome(self, scope: SampleScope) -> Outcome:
        flaw = scope.answer_flaw
        if flaw is None or (flaw is Outcome.TRUNCATED and self._eval.length_limited):
            return Outcome.SCORED
        if flaw is Outcome.EMPTY and any(e.type == "match" and e.data["correct"] for e in scope.events):
            # Saying nothing was the right answer.
            return Outcome.SCORED
        return flaw

    async def _keep(self, progress: Progress) -> None:
        """Show progress and bring the log to the disk now and then."""
        synced = time.monotonic()
        while True:
            await asyncio.sleep(progress.interval)
            progress.show()
            if time.monotonic() - synced > _SYNC_SECONDS:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(self._recorder.sync)
                synced = time.monotonic()

    # -- interrupts ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """One Ctrl-C (or a termination, or a closed terminal) ends the pass early, a second one quits."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before: dict[int, Any] = {}

        def arrived(number: int, frame: Any) -> None:
            self._interrupts += 1
            if self._interrupts > 1:
                os._exit(130)
            loop.call_soon_threadsafe(self._idle.set)

        for number in numbers:
            # What is ignored was meant to be: nohup, a job in the background.
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, arrived)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _LateRandom:
    """``random.Random(seed)``, made when it is first used: most evals draw nothing, and seeding costs them 3 %."""

    __slots__ = ("_made", "_seed")

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._made: random.Random | None = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = random.Random(self._seed)
        return getattr(self._made, name)


def is_plain(evaluated: Any) -> bool:
    """Whether the most derived of ``eval_sample`` and ``aeval_sample`` is the plain one, which needs a thread."""
    for cls in type(evaluated).__mro__:
        if "aeval_sample" in vars(cls):
            return False
        if "eval_sample" in vars(cls):
            return True
    return True


def _where(error: BaseException) -> dict[str, Any]:
    """The last line of the traceback, for errors of code (an endpoint's error says all by itself)."""
    told: dict[str, Any] = {}
    raised: BaseException | None = error
    if isinstance(error, EndpointError):
        told = {"kind": error.kind, "status": error.status}
        raised = error.__cause__ if error.kind == "code" else None
    frames = traceback.extract_tb(raised.__traceback__) if raised is not None else []
    return {**told, "where": f"{frames[-1].filename}:{frames[-1].lineno}"} if frames else told

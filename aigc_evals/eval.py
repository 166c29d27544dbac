"""``Eval``: the class that every eval derives from, and users subclass."""

from __future__ import annotations

import abc
import logging
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals.aio import drive
from aigc_evals.base import DEFAULT_SEED, Outcome
from aigc_evals.errors import SampleError
from aigc_evals.judges import Judge, choose
from aigc_evals.made_data import locate_data
from aigc_evals.sampling import POLICY, NoAnswer, SampledFn, Sampler
from aigc_evals.sampling.answers import flaw
from aigc_evals.statistics.groups import AXES

if TYPE_CHECKING:
    from aigc_evals.record import Recorder
    from aigc_evals.registry import Registry

logger = logging.getLogger(__name__)


class Eval(abc.ABC):
    """How samples are asked and scored.

    A subclass defines how one sample is evaluated, either as plain code in ``eval_sample(sample, rng)`` or as a coroutine
    in ``aeval_sample(sample, rng)``, and ``run(recorder)``, which usually calls ``eval_all_samples`` and aggregates what
    was recorded. ``check_sample`` may refuse a malformed sample (SampleError) before anything is asked.

    ``completion_fns`` are the systems under test, ``eval_registry_path`` the registry whose ``data`` folder relative
    paths of data refer to, ``name`` at least ``base.split``. ``max_samples`` cuts the shuffled samples.
    """

    length_limited = False
    """Whether the eval itself limits the length of answers, so that a cut answer is an answer."""

    metric_ranges: Mapping[str, tuple[float, float]] = {"accuracy": (0.0, 1.0)}
    """Lowest and highest value a sample can have in a metric, for the bounds of what is missing."""

    max_samples: int | None = None

    group_by: Sequence[str] = AXES
    """What of the rows' ``metadata`` the report groups the scores by."""

    repeats: int = 1
    """How many times each sample is asked."""

    judge: Judge | None = None
    """Who grades, where the eval has asked for a judge."""

    def __init__(
        self,
        completion_fns: Sequence[Any],
        eval_registry_path: Path | str = Path("."),
        seed: int = DEFAULT_SEED,
        name: str = "no_name_eval.default",
        registry: Registry | None = None,
        samples_jsonl: str | None = None,
    ) -> None:
        if len(name.split(".")) < 2:
            raise ValueError(f"the name of an eval needs at least base.split, got {name!r}")
        sampler = next((fn.sampler for fn in completion_fns if isinstance(fn, SampledFn)), None)
        self.sampler = sampler or Sampler()
        self.completion_fns: list[Any] = [self.sampler.wrap(fn) for fn in completion_fns]
        self.eval_registry_path = Path(eval_registry_path)
        self.seed = seed
        self.name = name
        self._registry = registry
        self.samples_jsonl = samples_jsonl
        self.interrupted = False
        self.remarks: list[str] = []

    @property
    def registry(self) -> Registry:
        """The registry of the run; the default one where none was given."""
        if self._registry is None:
            from aigc_evals.registry import Registry

            self._registry = Registry()
        return self._registry

    @property
    def completion_fn(self) -> Any:
        """The first system under test."""
        return self.completion_fns[0]

    # -- what a subclass says -----------------------------------------------------------------------------------

    def check_sample(self, sample: Any) -> None:
        """Raise SampleError when the sample lacks what this eval needs; called for all planned samples beforehand."""
        return  # most evals of users need nothing in particular

    def facts(self) -> Mapping[str, Any]:
        """What besides its arguments the eval's results depend on (checksums of further files, ...); kept in the log."""
        return {}

    def eval_sample(self, sample: Any, rng: random.Random) -> Any:
        """Evaluate one sample and record what is of interest; drives ``aeval_sample`` unless overridden."""
        if type(self).aeval_sample is Eval.aeval_sample:
            raise NotImplementedError(f"{type(self).__name__} defines neither eval_sample nor aeval_sample")
        return drive(self._alone(sample, rng))

    async def _alone(self, sample: Any, rng: random.Random) -> Any:
        try:
            return await self.aeval_sample(sample, rng)
        finally:
            if self.sampler.loop is None:
                await self.sampler.aclose()

    async def aeval_sample(self, sample: Any, rng: random.Random) -> Any:
        """The same as a coroutine: what the built-in evals define."""
        raise NotImplementedError(f"{type(self).__name__} defines neither eval_sample nor aeval_sample")

    @abc.abstractmethod
    def run(self, recorder: Recorder) -> dict[str, Any]:
        """Evaluate all samples and return the report."""

    # -- what it can use ----------------------------------------------------------------------------------------

    def choose_judge(self, eval_model: Any = None, *, under_test: bool = False) -> Any:
        """The completion function that grades: ``eval_model`` (a name), else the run's ``--judge``, else the last of several
        completion functions (which then is not asked for answers), else ``AIGC_EVALS_JUDGE``, else the model itself.

        ``under_test`` says that it is judges that are measured: then the one that was named is not replaced by
        ``AIGC_EVALS_JUDGE``. Call it in the constructor, once.
        """

        def make(wanted: Any) -> Any:
            made = (
                self.registry.make_completion_fn(wanted) if isinstance(wanted, str) else self.registry.wrapped(wanted)
            )
            return self.sampler.wrap(made)

        settings = self.sampler.settings
        self.judge, self.completion_fns = choose(
            self.completion_fns, settings, make, eval_model=eval_model, under_test=under_test
        )
        return self.judge.fn

    def remark(self, text: str) -> None:
        """Say something of this run that a reader of its figures should know; it is in the report under ``notes``."""
        logger.warning("%s", text)
        self.remarks.append(text)

    async def ask(self, prompt: Any, *, fn: Any = None, role: str = POLICY, **kwargs: Any) -> str:
        """The first answer of ``fn`` (default: the first system under test), without reasoning.

        Raises NoAnswer when there is none at all (a refusal, a reply without content): the sample ends with that outcome.
        """
        result = await (fn or self.completion_fns[0]).acall(prompt=prompt, role=role, **kwargs)
        completions = result.get_completions()
        if not completions or completions[0] is None:
            raise NoAnswer(flaw(result) or Outcome.EMPTY)
        return str(completions[0])

    def eval_all_samples(
        self,
        recorder: Recorder,
        samples: Sequence[Any],
        show_progress: bool = True,
        record_raw_sample: bool = True,
        *,
        collect: bool = True,
        **_kwargs: Any,
    ) -> list[Any]:
        """Evaluate the samples concurrently, in a fixed shuffled order, cut to ``max_samples``.

        Returns the results of ``eval_sample`` in the order of ``samples`` (none with ``collect=False``, which spares the
        memory). Samples that the log of the recorder holds already are not asked again.
        """
        from aigc_evals.engine import Engine

        engine = Engine(self, samples, recorder, self.sampler)
        results = engine.run(collect=collect)
        self.interrupted = self.interrupted or engine.interrupted
        return results

    def get_samples(self) -> Sequence[Any]:
        """The samples of ``samples_jsonl``, read from disk one by one as they are needed."""
        if self.samples_jsonl is None:
            raise ValueError("this eval has no samples_jsonl, so get_samples has nothing to read")
        from aigc_evals.data.samples import JsonlSamples

        check = self.check_sample if self.max_samples is None else None
        return JsonlSamples.open(self._prefix_registry_path(self.samples_jsonl), check=check)

    def _get_samples_path(self) -> Path | str:
        return self._prefix_registry_path(str(self.samples_jsonl))

    def _prefix_registry_path(self, data_path: str) -> Path | str:
        """What ``made_data.locate_data`` says; under openai/evals' name."""
        return locate_data(data_path, self.eval_registry_path)


def need(condition: bool, message: str) -> None:
    """Raise SampleError with ``message`` unless ``condition`` holds."""
    if not condition:
        raise SampleError(message)


def check_keys(sample: Any, *keys: str) -> None:
    """Raise SampleError unless ``sample`` is an object that has all ``keys``."""
    if not isinstance(sample, dict):
        raise SampleError(f"a sample must be a JSON object, got {type(sample).__name__}")
    for key in keys:
        if key not in sample:
            raise SampleError(f"the sample has no {key!r}; it has {sorted(map(str, sample))}")

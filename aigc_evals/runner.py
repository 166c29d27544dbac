"""One run: names -> eval, functions, recorder -> report. ``run`` is what the command line calls, and what you may call."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aigc_evals import __version__
from aigc_evals.base import BaseEvalSpec, EvalSpec, Outcome, RunResult, RunSpec, Settings
from aigc_evals.errors import AigcEvalsError, RunError, UsageError
from aigc_evals.files import is_file
from aigc_evals.judges import Judge, unused
from aigc_evals.log import read_spec
from aigc_evals.log.names import default_log_dir, find_log, log_name
from aigc_evals.made_data import require_data
from aigc_evals.models.named import function_name
from aigc_evals.objects import check_arguments, construct, raised_at
from aigc_evals.provenance import changed_code, code_of
from aigc_evals.record import DummyRecorder, Recorder
from aigc_evals.redact import Redactor, names_a_secret, redact_error, url_secrets
from aigc_evals.registry import Registry
from aigc_evals.report import build, outcomes
from aigc_evals.report.ci_output import below
from aigc_evals.run_config import RunConfig as RunConfig
from aigc_evals.run_config import check_names
from aigc_evals.sampling import Sampler
from aigc_evals.sinks import SQL_URL, Sink

logger = logging.getLogger(__name__)


def run(
    completion_fn: str | Callable[..., Any] | Sequence[str | Callable[..., Any]],
    eval: str,
    *,
    registry: Registry | None = None,
    environ: Mapping[str, str] | None = None,
    **config: Any,
) -> RunResult:
    """Run one eval and return its result.

    ``completion_fn`` is a name as on the command line (several separated by commas), a function or other callable, or a
    list of these. ``config`` are the fields of ``RunConfig``. Raises UsageError for a mistake that can be told from the
    arguments, the registry, the data or the endpoint's first word; every other trouble is in ``RunResult.problems``.
    """
    check_names(config)
    return _Run(completion_fn, eval, RunConfig(**config), registry, os.environ if environ is None else environ).go()


class _Run:
    """The parts of one run, put together step by step."""

    def __init__(
        self,
        completion_fn: str | Callable[..., Any] | Sequence[str | Callable[..., Any]],
        eval_name: str,
        config: RunConfig,
        registry: Registry | None,
        environ: Mapping[str, str],
    ) -> None:
        self.config = config
        self._notes: list[str] = []
        self._remarks: list[str] = []
        self.redactor = Redactor.from_environment(environ)
        self._learn_secrets(config.completion_args)
        self._learn_secrets(config.extra_eval_params)
        self._sql_url = config.sql_run_url or environ.get(SQL_URL) or ""
        for secret in url_secrets(self._sql_url):
            self.redactor.add(secret)
        settings = Settings.from_environment(
            environ,
            concurrency=config.concurrency,
            timeout=config.timeout,
            max_retries=config.max_retries,
            progress=config.progress,
            judge=config.judge,
        )
        self.sampler = Sampler(settings)
        self.sampler.on_secrets = self._learn_from_functions
        self._environ = environ
        self.registry = (registry or Registry()).wrapping(self.sampler.wrap)
        self.registry.add_registry_paths(config.registry_path)
        self.registry.models = self.registry.models.copy(environ)
        self.registry.models.add(config.models)
        self.spec = self._eval_spec(eval_name)
        self.base = self.registry.base_of(str(self.spec.key)) or BaseEvalSpec()
        given = [completion_fn] if isinstance(completion_fn, str) or callable(completion_fn) else list(completion_fn)
        self.fns = [part for fn in given for part in (names_of(fn) if isinstance(fn, str) else [fn])]
        self.fn_names = [fn if isinstance(fn, str) else function_name(fn) for fn in self.fns]

    def _eval_spec(self, name: str) -> EvalSpec:
        spec = self.registry.eval(name)
        key = spec.key or name
        if len(key.split(".")) < 2:
            raise UsageError(f"the eval's full name must have at least the form base.split, got {key!r}", key=key)
        args = {**(spec.args or {}), **self.config.extra_eval_params}
        ours = EvalSpec(cls=spec.cls, registry_path=spec.registry_path, args=args, key=key, group=spec.group)
        require_data(replace(ours, made_by=spec.made_by), key)
        return ours

    def _learn_secrets(self, arguments: Mapping[str, Any]) -> None:
        for key, value in arguments.items():
            if isinstance(value, str) and names_a_secret(key, anywhere=True):
                self.redactor.add(value)

    def _learn_from_functions(self) -> None:
        for secret in self.sampler.secrets:
            self.redactor.add(secret)

    def go(self) -> RunResult:
        if self.config.cache:
            from aigc_evals.sampling.cache import CompletionCache, cache_path

            self.sampler.cache = CompletionCache(cache_path(self._environ), self.redactor)
        try:
            return self._go()
        except AigcEvalsError as error:
            # A server may repeat a key in its refusal.
            self._learn_from_functions()
            redact_error(error, self.redactor)
            raise
        finally:
            if self.sampler.cache is not None:
                self.sampler.cache.close()

    def _go(self) -> RunResult:
        key = str(self.spec.key)
        run_spec = self._run_spec(key)
        fns = [
            self.registry.make_completion_fn(fn, **self.config.completion_args)
            if isinstance(fn, str)
            else self.registry.wrapped(fn, **self.config.completion_args)
            for fn in self.fns
        ]
        evaluated = self._make_eval(key, fns)
        self._learn_from_functions()
        self.sampler.preflight()
        path = None if self.config.dry_run else self._record_path(run_spec)
        self._note_who_answers(evaluated, fns, run_spec, path)
        recorder = self._recorder(run_spec, path)
        began = time.monotonic()
        try:
            result = self._evaluate(evaluated, recorder)
            return self._finish(evaluated, recorder, result, run_spec, time.monotonic() - began)
        finally:
            recorder.close()

    def _evaluate(self, evaluated: Any, recorder: Recorder) -> Mapping[str, Any]:
        """The eval's own figures; RunError where its code fails, with what to do about the samples that have ended."""
        try:
            return evaluated.run(recorder) or {}
        except UsageError:
            recorder.abandon()
            raise
        except Exception as error:
            if self._ended_early(evaluated):
                # A run that ended early may lack what its eval's own report is made from.
                self._notes.append(f"the eval's own figures could not be made: {type(error).__name__}: {error}")
                return {}
            if isinstance(error, AigcEvalsError):
                raise
            raise self._failure(error, recorder.path) from error

    def _note_who_answers(self, evaluated: Any, fns: list[Any], run_spec: RunSpec, path: Path | None) -> None:
        """The judge and the code of the functions into the spec, and what there is to say about them into the report."""
        judge: Judge | None = getattr(evaluated, "judge", None)
        functions = dict(zip(self.fn_names, fns, strict=True))
        if judge is not None:
            name = judge.name or self.fn_names[-1]
            run_spec.run_config["judge"] = {"name": name, "rule": judge.rule.value}
            functions[name] = judge.fn
        code = run_spec.run_config["code"] = code_of(functions)
        self._remarks = list(changed_code(read_spec(path), code)) if path is not None and is_file(path) else []
        for remark in self._remarks:
            logger.warning("%s", remark)
        # It says nothing about the figures, so it is no note of the report; in a set, evals without a judge are common.
        vain = unused(judge, self.config.judge, run_spec.eval_name)
        if vain is not None:
            logger.log(logging.INFO if judge is None else logging.WARNING, "%s", vain)

    def _ended_early(self, evaluated: Any) -> bool:
        return _interrupted(evaluated) or self.sampler.stop is not None

    def _failure(self, error: Exception, path: Path | None) -> RunError:
        key = self.spec.key
        logger.debug("eval %s failed", key, exc_info=error)
        told = f"eval {key} failed in its own code: {type(error).__name__}: {error}\n{raised_at(error)}"
        kept = path is not None and os.path.exists(path)
        return RunError(told + (f"\nThe samples that had ended are in the log, {path}" if kept else ""))

    def _make_eval(self, key: str, fns: list[Any]) -> Any:
        cls = self.registry.get_class(self.spec)
        given = {
            "completion_fns": fns,
            "seed": self.config.seed,
            "name": key,
            "eval_registry_path": self.spec.registry_path,
            "registry": self.registry,
        }
        try:
            check_arguments(cls.func, {**cls.keywords, **given}, f"eval {key}")
            evaluated = construct(cls, given, f"eval {key}")
        except UsageError as error:
            ours = any(repr(name) in error.message for name in self.config.extra_eval_params)
            if error.path is None and not ours:
                path, error.line = self.registry.place_of_eval(key)
                error.path = None if path is None else str(path)
            raise
        evaluated.max_samples = self.config.max_samples
        evaluated.repeats = self.config.repeats
        return evaluated

    def _run_spec(self, key: str) -> RunSpec:
        config = self.config
        command = config.command or shlex.join(sys.argv)
        visible = config.visible if config.visible is not None else config.max_samples is None
        settings = self.sampler.settings
        run_config: dict[str, Any] = {
            "completion_fns": self.fn_names,
            "eval_spec": self.spec,
            "seed": config.seed,
            "max_samples": config.max_samples,
            "repeats": config.repeats,
            "completion_args": self.redactor.value(dict(config.completion_args)),
            "command": self.redactor.text(command),
            "initial_settings": {"visible": visible},
            "settings": {
                "concurrency": settings.concurrency or "adaptive",
                "timeout": settings.timeout,
                "max_retries": settings.max_retries,
                "max_invalid": config.max_invalid,
                "cache": config.cache,
            },
            "versions": {"aigc_evals": __version__, "python": platform.python_version(), "platform": sys.platform},
            "data": {},
        }
        base, split = key.split(".")[:2]
        return RunSpec(
            completion_fns=self.fn_names,
            eval_name=key,
            base_eval=base,
            split=split,
            run_config=run_config,
            created_by=config.user,
        )

    def _record_path(self, run_spec: RunSpec) -> Path:
        if self.config.record_path is not None:
            if "://" in str(self.config.record_path):
                raise UsageError("a log is written to a local file", path=self.config.record_path, key="record_path")
            return Path(self.config.record_path)
        if self.config.resume:
            found = find_log(default_log_dir(), self.fn_names, str(self.spec.key), finished=False)
            if found is not None:
                return found
            logger.warning(
                "there is no unfinished log of %s and %s to resume; starting anew",
                ",".join(self.fn_names),
                self.spec.key,
            )
        return default_log_dir() / log_name(str(run_spec.run_id), self.fn_names, str(self.spec.key))

    def _recorder(self, run_spec: RunSpec, path: Path | None) -> Recorder:
        config = self.config
        if path is None:
            primary = (self.base.metrics or ["accuracy"])[0]
            return DummyRecorder(run_spec, log=config.dry_run_logging, primary_metric=primary, redactor=self.redactor)
        retry = (Outcome.ERROR.value, Outcome.JUDGE_FAILED.value) if config.retry_errors else ()
        return Recorder(run_spec, path=path, redactor=self.redactor, sinks=self._sinks(), retry_outcomes=retry)

    def _sinks(self) -> list[Sink]:
        config = self.config
        sinks: list[Sink] = []
        if config.recorder:
            from aigc_evals import plugins

            sinks += [plugins.recorder(name) for name in config.recorder]
        percent = config.http_fail_percent_threshold
        if config.http_run and config.http_run_url:
            from aigc_evals.sinks.http import HttpSink

            sinks.append(
                HttpSink(config.http_run_url, batch_size=config.http_batch_size, fail_percent_threshold=percent)
            )
        if config.sql_run:
            if not self._sql_url:
                raise UsageError(
                    "--sql-run needs to know the database", key="sql-run-url", hint=f"{SQL_URL} names it too."
                )
            from aigc_evals.sinks.sql import SqlSink

            sinks.append(SqlSink(self._sql_url, fail_percent_threshold=percent))
        return sinks

    # -- the end ------------------------------------------------------------------------------------------------

    def _finish(
        self, evaluated: Any, recorder: Recorder, result: Mapping[str, Any], run_spec: RunSpec, seconds: float
    ) -> RunResult:
        """Report, deliver, and say what is wrong with the run."""
        report = self._report(evaluated, recorder, result, seconds)
        problems = self._problems(recorder, report)
        deliveries = recorder.deliver(report)
        problems += [f"{delivery.name}: {delivery.message}" for delivery in deliveries if delivery.over_threshold]
        if deliveries:
            report["delivery"] = [vars(delivery) for delivery in deliveries]
        if problems:
            report["problems"] = problems
        try:
            recorder.record_final_report(report)
        except RunError as error:
            if not any(str(error) in problem for problem in problems):
                problems.append(str(error))
        return RunResult(report, str(run_spec.run_id), recorder.path, problems, _interrupted(evaluated))

    def _report(self, evaluated: Any, recorder: Recorder, result: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """The report, without its problems: of a run that was whole before, the one that it has."""
        before = recorder.previous_report
        if recorder.complete:
            return {key: value for key, value in before.items() if key != "problems"}
        report = build(
            result,
            recorder,
            metric_ranges=getattr(evaluated, "metric_ranges", {}),
            primary=self.base.metrics[0] if self.base.metrics else None,
            seconds=seconds + float(before.get("seconds") or 0.0),
            partial=self._ended_early(evaluated),
            adjusted=self.redactor.value(self.sampler.adjusted),
            repeats=self.config.repeats,
        )
        remarks = [*before.get("notes", ()), *self._remarks, *getattr(evaluated, "remarks", ())]
        if remarks:
            report["notes"] = self.redactor.value(list(dict.fromkeys(remarks)))
        report.pop("problems", None)
        return report

    def _problems(self, recorder: Recorder, report: Mapping[str, Any]) -> list[str]:
        """What is wrong with the run; that depends on the limits of this call, also where nothing was asked again."""
        problems = [
            *self._unscored(recorder),
            *below(report, self.config.fail_under),
            *map(self.redactor.text, self._notes),
        ]
        if problems and recorder.complete and not self.config.retry_errors:
            problems.append(
                "this is what an earlier run left; nothing was asked again (--retry_errors repeats what failed)"
            )
        stop = self.sampler.stop
        if stop is not None:
            problems.insert(0, self.redactor.text(f"the run was stopped: {stop.message}"))
        return problems

    def _unscored(self, recorder: Recorder) -> list[str]:
        planned = recorder.planned
        ledger = outcomes(recorder.scores, planned)
        invalid = planned - ledger[Outcome.SCORED.value]
        if planned == 0:
            return ["no samples: there was nothing to evaluate"]
        if invalid == planned:
            told = ", ".join(f"{count} {name}" for name, count in ledger.items() if count)
            most = max(ledger, key=lambda name: ledger[name])
            why = self._why(recorder) or f"; `aigc_evals samples LOG --outcome {most}` shows what was said"
            return [f"no sample was scored: {told}{why}"]
        if invalid > self.config.max_invalid * planned:
            most_allowed = f"--max_invalid {self.config.max_invalid:g}"
            return [f"{invalid} of {planned} samples were not scored, more than {most_allowed} allows"]
        return []

    def _why(self, recorder: Recorder) -> str:
        errors = recorder.scores.errors.most_common(1)
        return f"; most often: {self.redactor.text(errors[0][0])}" if errors else ""


def _interrupted(evaluated: Any) -> bool:
    """Whether the user ended the run; an eval that never ran samples by ``eval_all_samples`` does not say."""
    return bool(getattr(evaluated, "interrupted", False))


def names_of(completion_fn: str) -> list[str]:
    """The names in a list of completion functions separated by commas; UsageError where one is empty."""
    names = [name.strip() for name in completion_fn.split(",")]
    if not all(names):
        raise UsageError(f"expected names separated by commas, got {completion_fn!r}", key="completion_fn")
    return names

"""Findings as text and as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aigc_evals.check.findings import ERROR, SHOWN_LINES, WARNING, Finding


def counts(findings: Sequence[Finding]) -> Mapping[str, int]:
    """How many errors and warnings."""
    found = Counter(finding.severity for finding in findings)
    return {ERROR: found[ERROR], WARNING: found[WARNING]}


def by_rule(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings of each rule, the most frequent first."""
    return dict(Counter(finding.rule for finding in findings).most_common())


def render(findings: Sequence[Finding], *, everything: bool = False) -> Iterator[str]:
    """The findings, one line or two each; of a rule that finds many in one file only the first few, unless told."""
    shown: Counter[tuple[Path, str]] = Counter()
    total = Counter((finding.path, finding.rule) for finding in findings)
    for finding in findings:
        where = finding.path, finding.rule
        shown[where] += 1
        if everything or shown[where] <= SHOWN_LINES:
            yield str(finding)
        elif shown[where] == total[where]:
            hidden = total[where] - SHOWN_LINES
            yield f"{finding.path}: {finding.severity} [{finding.rule}] {hidden} more of this rule (--all prints them)"


def summary(findings: Sequence[Finding]) -> str:
    """One line for the end."""
    if not findings:
        return "no problems found"
    told = [f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in counts(findings).items() if count]
    files = len({finding.path for finding in findings})
    rules = ", ".join(f"{count} {rule}" for rule, count in by_rule(findings).items())
    return f"{' and '.join(told)} in {files} file{'' if files == 1 else 's'}: {rules}"


def as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """Counts and findings as plain values, for JSON."""
    return {
        "counts": dict(counts(findings)),
        "rules": by_rule(findings),
        "findings": [dict(finding.as_dict()) for finding in findings],
    }

"""Tasks: kinds of questions that are generated, in any number, each proved right by a solver of its own.

A task's module is loaded when the task is asked for; the table below is all that must know its name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aigc_evals.tasks.task import Task

TASKS: dict[str, str] = {
    "arithmetic_en": "en_numbers",
    "calendar_units_en": "en_calendar",
    "code_output_en": "en_code",
    "constraints_en": "en_constraints",
    "json_extract_en": "en_extract",
    "knights_en": "en_logic",
    "letter_count_en": "en_text",
    "list_ops_en": "en_lists",
    "needle_16k_en": "en_needle",
    "needle_4k_en": "en_needle",
    "ordering_en": "en_logic",
    "sorting_en": "en_lists",
    "table_lookup_en": "en_table",
    "arithmetic_zh": "zh_arithmetic",
    "calendar_units_zh": "zh_calendar",
    "char_count_zh": "zh_characters",
    "classifier_zh": "zh_words",
    "idiom_zh": "zh_words",
    "logic_zh": "zh_logic",
    "needle_zh": "zh_needle",
    "numerals_zh": "zh_numerals",
    "reading_zh": "zh_reading",
    "sorting_zh": "zh_sorting",
    "table_zh": "zh_table",
}
"""The name of every task, and the module below this package whose ``TASKS`` has it."""


def get(name: str) -> Task:
    """The task of this name. UsageError with the nearest names where there is none."""
    import importlib

    from aigc_evals.errors import UsageError, nearest

    if name not in TASKS:
        hint = nearest(name, TASKS) or "`aigc_evals generate --list` names all."
        raise UsageError(f"there is no task {name!r}", key="name", hint=hint)
    module = importlib.import_module(f"{__name__}.{TASKS[name]}")
    found: Task = next(task for task in module.TASKS if task.name == name)
    return found

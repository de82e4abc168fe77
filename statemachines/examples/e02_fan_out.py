"""Fan out, fan in: tasks that do not need each other run side by side.

The loop runs while the DAG is traced, so it writes three tasks; they get the ids that ``override`` gives them (without
it, ``word_count``, ``word_count__1`` and ``word_count__2``). The list that ``longest`` gets holds the three values.

Run it: ``stepweave run statemachines/examples/e02_fan_out.py``.
"""

from __future__ import annotations

from stepweave import dag, task

TEXTS = {
    "proverb": "Many hands make light work",
    "pangram": "The quick brown fox jumps over the lazy dog",
    "motto": "Festina lente",
}


@task
def word_count(name: str, text: str) -> dict[str, str | int]:
    """Returns the name of the text and its number of words."""
    return {"name": name, "words": len(text.split())}


@task
def longest(counts: list[dict[str, str | int]]) -> str:
    """Returns the name of the text with the most words."""
    return str(max(counts, key=lambda count: int(count["words"]))["name"])


@dag
def fan_out() -> None:
    """Finds the longest of three texts."""
    longest([word_count.override(task_id=f"count_{name}")(name, text) for name, text in TEXTS.items()])

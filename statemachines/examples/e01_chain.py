"""A chain: values flow from task to task, and order follows from them.

Calling a task inside the DAG function runs nothing. It returns a *reference* to the value that the task will return; to
hand it to another task is to say "this one first".

Run it: ``stepweave run statemachines/examples/e01_chain.py --param name=Grace``.
"""

from __future__ import annotations

from stepweave import dag, task


@task
def greet(name: str) -> str:
    """Returns a greeting."""
    return f"Hello, {name}"


@task
def shout(text: str) -> str:
    """Returns the text, louder."""
    return text.upper() + "!"


@task
def count(text: str) -> dict[str, int]:
    """Returns how many letters and words the text has."""
    return {"letters": sum(letter.isalpha() for letter in text), "words": len(text.split())}


@dag
def chain(name: str = "Ada") -> None:
    """Greets somebody and measures the greeting."""
    count(shout(greet(name)))

"""The DAG of the drill of compensation: what it changes in the world is undone when a check fails."""

from __future__ import annotations

ITEMS = 4
DONE = ("a", "b", *(f"each-{number}" for number in range(ITEMS)), "c")
"""What the compensated tasks do, in an order in which it may be done: a, then b beside the items, then c."""
UNDONE = ("c", *(f"each-{number}" for number in reversed(range(ITEMS))), "b", "a")

DAG = f"""
    from stepweave.errors import PermanentError

    WORLD = Path("world")

    def note_call(name):
        Path("calls").mkdir(exist_ok=True)
        for file, text in ((f"calls/{{name}}", b"x"), ("log", f"{{name}}\\n".encode())):
            with open(file, "ab", buffering=0) as opened:
                opened.write(text)

    def noted():
        context = get_current_context()
        note_call(f"{{context.run_id}}~{{context.task_id}}" + "".join(f"@{{n}}" for n in context.map_indexes))

    def do(name):
        noted()
        WORLD.mkdir(exist_ok=True)
        time.sleep(0.03)
        (WORLD / name).touch()
        time.sleep(0.03)
        return f"{{name}} {{Path('version').read_text()}}"

    def undo(result: str) -> None:
        name = result.partition(" ")[0]
        note_call(f"undo {{name}}")
        time.sleep(0.03)
        (WORLD / name).unlink(missing_ok=True)
        time.sleep(0.03)

    @task(setup=True)
    def base() -> str:
        return do("base")

    @task(teardown=True)
    def drop() -> None:
        noted()
        (WORLD / "base").unlink(missing_ok=True)

    @task
    def prepare() -> str:
        noted()
        return Path("version").read_text()

    @task(compensate=undo)
    def a(prepared: str) -> str:
        return do("a")

    @task(compensate=undo)
    def b(before: str) -> str:
        return do("b")

    @task(compensate=undo)
    def each(number: int, before: str) -> str:
        return do(f"each-{{number}}")

    @task(compensate=undo)
    def c(first: str, rest: list[str]) -> str:
        return do("c")

    @task
    def seen(values: list) -> list:
        noted()
        return values

    @task
    def check(values: list) -> str:
        noted()
        if not (WORLD / "base").exists():
            raise PermanentError("nothing was set up")
        if Path("broken").exists():
            raise DataError("the check fails")
        return "good"

    @dag
    def saga():
        place = base()
        first = a(prepare())
        second = b(first)
        items = each.partial(before=first).expand(number=list(range({ITEMS})))
        second >> items
        last = c(second, items)
        checked = check(seen([first, second, items, last]))
        place >> first
        checked >> drop().as_teardown(setups=place)
"""

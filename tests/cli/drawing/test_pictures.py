"""SVG, Mermaid and HTML of a graph."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from stepweave.cli.drawing.mermaid import to_mermaid
from stepweave.cli.drawing.page import to_page
from stepweave.cli.drawing.svg import to_svg
from stepweave.graph.model import DagInfo, FromTask, Graph, Resources, RetryPolicy, Source, Task

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</script><script>alert("x")</script> & <b>bold</b> \x00 {% $x %} ${Y} \ud800'


def sample_graph(doc: str = "Loads the rows.") -> Graph:
    load = Task(
        id="load", call="m:load", doc=doc, owner="data", tags=("daily",), source=Source(file="m.py", line=3)
    )
    train = Task(
        id="fit.train",
        call="m:train",
        arguments=(("rows", FromTask(task="load")),),
        upstream=("load",),
        groups=("fit",),
        retry=RetryPolicy(attempts=2),
        timeout_seconds=60,
        resources=Resources(cpu=2, gpu=1, memory_mib=2048, spot=True),
    )
    clean = Task(id="clean", call="m:clean", upstream=("fit.train",), teardown=True, trigger_rule="all_done")
    return Graph(dag=DagInfo(id="sales", doc=doc, schedule="rate(300 s)"), tasks=(load, train, clean))


def texts_of(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_an_svg_names_every_task_and_where_it_runs() -> None:
    texts = texts_of(to_svg(sample_graph(), {"load": "lambda", "fit.train": "batch"}))
    assert texts == ["load", "lambda", "fit.train", "batch", "clean"]


def test_an_svg_tells_edges_that_only_order_from_those_that_carry_data() -> None:
    root = ElementTree.fromstring(to_svg(sample_graph(), {}))
    classes = [path.get("class") for path in root.iter(f"{SVG}path") if "edge" in (path.get("class") or "")]
    assert classes == ["edge", "edge order"]


def test_an_edge_that_a_longer_path_implies_is_faint_and_knows_its_ends() -> None:
    tasks = (
        Task(id="a", call="m:a"),
        Task(id="b", call="m:b", upstream=("a",)),
        Task(id="c", call="m:c", upstream=("a", "b")),
    )
    root = ElementTree.fromstring(to_svg(Graph(dag=DagInfo(id="d"), tasks=tasks), {}))
    faint = {
        path.get("data-ends"): "implied" in str(path.get("class"))
        for path in root.iter(f"{SVG}path")
        if path.get("data-ends")
    }
    assert faint == {"0 1": False, "1 2": False, "0 2": True}


def test_hovering_shows_what_a_task_needs() -> None:
    root = ElementTree.fromstring(to_svg(sample_graph(), {}))
    hover = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert "needs: 2 vCPU, 2048 MiB, 1 GPU, spot" in hover[2]
    assert "retries: 2 (first after 5 s, then × 2)" in hover[2]
    assert "source: m.py:3" in hover[1]


def test_a_long_task_id_is_shortened_inside_its_box() -> None:
    graph = Graph(dag=DagInfo(id="d"), tasks=(Task(id="x" * 60, call="m:f"),))
    (label,) = texts_of(to_svg(graph, {}))
    assert label.endswith("…")
    assert len(label) < 60


@pytest.mark.parametrize("draw", [to_svg, to_page])
def test_text_from_users_never_becomes_markup(draw) -> None:  # type: ignore[no-untyped-def]
    picture = draw(sample_graph(HOSTILE), {})
    assert "<b>" not in picture
    assert "alert(" not in re.sub(r"&lt;script&gt;alert\(|\\u003cscript\\u003ealert\(", "", picture)
    picture.encode("utf-8")


def test_a_hostile_svg_is_well_formed() -> None:
    ElementTree.fromstring(to_svg(sample_graph(HOSTILE), {"load": 'x" onload="y'}))


class PageParts(HTMLParser):
    """What a browser would load, and the data that the script reads."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.data = ""
        self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.loaded += [name for name in ("src", "href") if name in named]
        self._in_data = named.get("id") == "data"

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.data += data


def test_a_page_loads_nothing_and_holds_the_drawing_the_docs_and_the_details() -> None:
    page = to_page(sample_graph(HOSTILE), {"load": "lambda"})
    parts = PageParts()
    parts.feed(page)
    assert parts.loaded == []
    assert "url(http" not in page
    assert "default-src 'none'" in page
    assert parts.tags.count("svg") == 1
    rows = json.loads(parts.data)
    assert [row["id"] for row in rows] == ["load", "fit.train", "clean"]
    assert rows[0]["doc"] == HOSTILE
    assert ["runs on", "lambda"] in rows[0]["details"]


def test_mermaid_shows_groups_edges_and_clean_up() -> None:
    assert to_mermaid(sample_graph()) == (
        "flowchart LR\n"
        '  t0["load"]\n'
        '  t2(["clean"])\n'
        '  subgraph g1["fit"]\n'
        '    t1["fit.train"]\n'
        "  end\n"
        "  t0 --> t1\n"
        "  t1 -.-> t2\n"
    )


def test_mermaid_nests_groups() -> None:
    graph = Graph(
        dag=DagInfo(id="d"),
        tasks=(Task(id="a", call="m:f", groups=("g", "g.h")), Task(id="b", call="m:f", groups=("g",))),
    )
    lines = to_mermaid(graph).splitlines()
    assert [line.strip() for line in lines] == [
        "flowchart LR", 'subgraph g1["g"]', 't1["b"]', 'subgraph g2["g.h"]', 't0["a"]', "end", "end",
    ]  # fmt: skip


def test_mermaid_reads_no_syntax_in_a_task_id() -> None:
    graph = Graph(dag=DagInfo(id="d"), tasks=(Task(id='a"]; click x "evil', call="m:f"),))
    assert to_mermaid(graph).splitlines()[1] == '  t0["a#34;#93;#59; click x #34;evil"]'

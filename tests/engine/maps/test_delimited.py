"""Text delimited files, by the rules of AWS.

https://docs.aws.amazon.com/step-functions/latest/dg/example-csv-parse-dist-map.html; what is marked as recorded is in
the snapshots of localstack (tests/aws/services/stepfunctions, test_base_scenarios).
"""

from __future__ import annotations

import contextlib
import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepweave.engine.maps.delimited import DELIMITERS, delimited_rows
from stepweave.engine.maps.items import FormatError
from tests.engine.maps.reading_objects import refusal, values_in

GIVEN = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}
FIRST_ROW = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}


def rows(text: str, headers: str = "abc", **config: Any) -> list[list[str]]:
    """The fields of each row."""
    return [list(row.values()) for row in values_in(text, **GIVEN, CSVHeaders=[*headers], **config)]


def test_the_first_row_names_the_columns() -> None:
    assert values_in("name,size\nann,3\nbob,4\n", **FIRST_ROW) == [
        {"name": "ann", "size": "3"},
        {"name": "bob", "size": "4"},
    ]


def test_given_names_make_the_first_row_data() -> None:
    assert values_in("ann,3", **GIVEN, CSVHeaders=["name", "size"]) == [{"name": "ann", "size": "3"}]


def test_missing_fields_are_empty_and_more_are_dropped() -> None:
    assert rows("1\n1,2,3,4\n,,,\n   ") == [["1", "", ""], ["1", "2", "3"], ["", "", ""], ["   ", "", ""]]


def test_a_header_that_ends_with_a_delimiter_names_an_empty_column() -> None:
    assert values_in("H1,\n1,2,3", **FIRST_ROW) == [{"H1": "1", "": "2"}]


def test_headers_are_texts() -> None:
    assert values_in("0,True,{}\n1,2,3", **FIRST_ROW) == [{"0": "1", "True": "2", "{}": "3"}]


@pytest.mark.parametrize("name,mark", DELIMITERS.items())
def test_the_delimiter_is_chosen(name: str, mark: str) -> None:
    text = f'1{mark}"x{mark}y"{mark}3'
    assert rows(text, CSVDelimiter=name) == [["1", f"x{mark}y", "3"]]
    assert rows(f"a\\{mark}b{mark}c", CSVDelimiter=name) == [[f"a{mark}b", "c", ""]]


def test_other_delimiters_are_plain_text() -> None:
    assert rows("1;2|3\t4 5") == [["1;2|3\t4 5", "", ""]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(end: str) -> None:
    assert rows(f"1,2,3{end}4,5,6{end}") == [["1", "2", "3"], ["4", "5", "6"]]


@pytest.mark.parametrize(
    "text,field",
    [
        ('"a,b"', "a,b"),
        ('"a\nb"', "a\nb"),
        ('"a ""quoted"" word"', 'a "quoted" word'),
        ('""', ""),
        ("'a'", "'a'"),
        ('{""MyKey"":""MyValue""}', '{"MyKey":"MyValue"}'),
        ('"[1,2,3]"', "[1,2,3]"),
        (r"C:\\Program Files\\MyApp.exe", r"C:\Program Files\MyApp.exe"),
        (r"a\,b", "a,b"),
        (r"\"a\"", '"a"'),
        (r"a\tb\n", "atbn"),
        (" a ", " a "),
        ("grün 😀", "grün 😀"),
    ],
)
def test_quotes_and_backslashes(text: str, field: str) -> None:
    assert rows(f"{text},next,last\n1,2,3") == [[field, "next", "last"], ["1", "2", "3"]]


def test_the_example_of_the_page() -> None:
    text = (
        'abc,123,"This string contains commas, a double quotation marks (""), and a newline (\n)",'
        '{""MyKey"":""MyValue""},"[1,2,3]"\n'
    )
    assert rows(text, "vwxyz") == [
        [
            "abc",
            "123",
            'This string contains commas, a double quotation marks ("), and a newline (\n)',
            '{"MyKey":"MyValue"}',
            "[1,2,3]",
        ]
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert values_in(b"\xef\xbb\xbfa,b\n1,2", **FIRST_ROW) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_without_rows_there_are_no_items(text: str) -> None:
    assert values_in(text, **FIRST_ROW) == []


def test_two_columns_of_one_name_are_refused() -> None:
    assert refusal("a,a\n1,2", **FIRST_ROW) == "CSV headers cannot contain duplicates."
    assert refusal("1,2", **GIVEN, CSVHeaders=["a", "a"]) == "CSV headers cannot contain duplicates."


def test_what_cannot_be_read_names_the_object_and_the_reason() -> None:
    assert refusal(b"a\n\xff", **FIRST_ROW).startswith("S3://bucket/file cannot be read: it is not UTF-8")
    assert refusal('a\n"b', **FIRST_ROW) == "S3://bucket/file cannot be read: a quoted field does not end"


def test_a_header_has_at_most_10_kib() -> None:
    assert len(values_in(f"{'h' * 10240}\n1", **FIRST_ROW)) == 1
    assert "the header has more than 10240 bytes" in refusal(f"{'é' * 5120}h\n1", **FIRST_ROW)


def test_a_row_has_at_most_8_mib() -> None:
    size = 8 * 1024 * 1024
    assert len(values_in(f"a\n{'x' * size}", **FIRST_ROW)) == 1
    assert "a row has more than" in refusal(f"a\n{'x' * (size + 1)}", **FIRST_ROW)
    lines = "x\n" * (size // 2 + 1)
    assert "a row has more than" in refusal(f'a\n"{lines}"', **FIRST_ROW)


FIELDS = st.text(st.sampled_from('ab,;"\n é😀'), max_size=6)


@given(st.lists(st.lists(FIELDS, min_size=1, max_size=4), max_size=5))
@settings(max_examples=200)
def test_what_a_writer_of_csv_files_writes_is_read_again(table: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    read = [list(row.values()) for row in delimited_rows(file.getvalue().encode(), ",", ["1", "2", "3", "4"])]
    assert read == [[*row, *[""] * (4 - len(row))] for row in table]


@given(st.text(st.sampled_from('ab,"\\\n '), max_size=30))
@settings(max_examples=400)
def test_any_text_is_read_or_refused_and_never_hangs(text: str) -> None:
    read: list[Any] = []
    with contextlib.suppress(FormatError):
        read.extend(delimited_rows(text.encode(), ",", ["a", "b"]))
    assert len(read) <= text.count("\n") + 1
    assert all(list(row) == ["a", "b"] for row in read)

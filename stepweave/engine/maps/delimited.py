"""Text delimited files (CSV) as Step Functions reads them.

The rules are AWS's: https://docs.aws.amazon.com/step-functions/latest/dg/example-csv-parse-dist-map.html. Fields are
strings; a row may be shorter than the header (empty strings) or longer (the rest is skipped); quotes are optional and
doubled inside; a backslash escapes itself, a quote or the delimiter, and is dropped before anything else.

Records without quotes and backslashes are split, those of RFC 4180 are matched as a whole; both are fast. What is left
(backslashes, quotes inside unquoted fields, as in the page's own example ``{""MyKey"":""MyValue""}``) goes character by
character through the state machine that these rules describe; where the page is silent it does as OpenCSV, the parser
whose behaviour the rules and the example are.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from stepweave.engine.maps.items import ITEM_BYTES, FormatError, item_reader_failed

DELIMITERS: Mapping[str, str] = {
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "SPACE": " ",
    "TAB": "\t",
}
"""By ``CSVDelimiter``: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html."""

HEADER_BYTES = 10 * 1024
"""Longest header, same page."""


def delimited_rows(
    data: bytes, delimiter: str = ",", headers: Sequence[str] | None = None
) -> Iterator[dict[str, str]]:
    """The rows as objects; the first record is the header when ``headers`` is None.

    A byte order mark is not part of the first field. Raises ``FormatError``.

    >>> list(delimited_rows(b"a,b\\n1"))
    [{'a': '1', 'b': ''}]
    """
    records = _records(_lines(data), delimiter)
    if headers is None:
        headers = next(records, None)
        if headers is None:
            return
        if len(delimiter.join(headers).encode()) > HEADER_BYTES:
            raise FormatError(f"the header has more than {HEADER_BYTES} bytes")
    if len(set(headers)) < len(headers):
        raise item_reader_failed("CSV headers cannot contain duplicates.")
    width = len(headers)
    for fields in records:
        if len(fields) < width:
            fields += [""] * (width - len(fields))
        yield dict(zip(headers, fields, strict=False))


def _lines(data: bytes) -> Iterator[str]:
    """Lines without their ends, which may be those of Unix, Windows or old Macs."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=None)
    try:
        for line in text:
            yield line.removesuffix("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"it is not UTF-8: {error}") from error


def _records(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    mark = re.escape(delimiter)
    cell = rf'(?:"((?:[^"\\]++|"")*+)"|([^"\\{mark}]*+)){mark}'
    well_formed = re.compile(rf"(?:{cell})*+").fullmatch
    cells = re.compile(cell).findall
    for line in lines:
        if len(line) * 4 > ITEM_BYTES:
            _check_size(line)
        if '"' not in line and "\\" not in line:
            yield line.split(delimiter)
            continue
        parts = [line]
        quotes = line.count('"')
        while quotes % 2 and "\\" not in parts[-1] and (following := next(lines, None)) is not None:
            parts.append(following)
            quotes += following.count('"')
        record = "\n".join(parts)
        _check_size(record)
        if well_formed(record + delimiter):
            found = cells(record + delimiter)
            yield [quoted.replace('""', '"') if quoted else plain for quoted, plain in found]
        else:
            yield from _odd_records(parts, lines, delimiter)


def _odd_records(parts: list[str], lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """The records that begin in ``parts``, each of which may go on in ``lines``."""
    held = iter(parts)
    for first in held:
        yield _odd_record(itertools.chain([first], held, lines), delimiter)


def _odd_record(lines: Iterator[str], delimiter: str) -> list[str]:
    """One record, by the state machine of the parser; takes as many lines as its quotes span."""
    fields: list[str] = []
    field: list[str] = []
    quoted = inside = False
    for line in lines:
        position = 0
        while position < len(line):
            character = line[position]
            position += 1
            following = line[position : position + 1]
            if character == "\\":
                inside = True
                if following in ("\\", '"', delimiter):
                    field.append(following)
                    position += 1
            elif character == '"':
                if (quoted or inside) and following == '"':
                    field.append('"')
                    position += 1
                else:
                    quoted = not quoted
                    if position > 3 and line[position - 2] != delimiter and following not in ("", delimiter):
                        _keep_quote(field)
                inside = not inside
            elif character == delimiter and not quoted:
                fields.append("".join(field))
                field.clear()
                inside = False
            else:
                field.append(character)
                inside = True
        if not quoted:
            fields.append("".join(field))
            _check_size("".join(fields))
            return fields
        field.append("\n")
    raise FormatError("a quoted field does not end")


def _keep_quote(field: list[str]) -> None:
    """A quote inside a field stays; one after nothing but space begins the field, and the space goes."""
    if field and "".join(field).isspace():
        field.clear()
    else:
        field.append('"')


def _check_size(record: str) -> None:
    if len(record.encode()) > ITEM_BYTES:
        raise FormatError(f"a row has more than {ITEM_BYTES} bytes")

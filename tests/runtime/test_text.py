"""Values that JSON text gives back exactly."""

import collections
import datetime as dt
import decimal
import enum
import json
import math
import uuid
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepweave.errors import CodecError
from stepweave.runtime.codecs.text import decode, encode, is_plain
from tests.runtime.sample_tasks import Access, Colour, Interval, Metrics, Open, Point


def no_part(value, where):
    raise CodecError(f"{where} is a {type(value).__name__}")


def round_trip(value):
    return decode(encode(value, no_part), no_part)


def same(one, other):
    """Equal, and of equal types all the way down; nan is nan."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (
            one != one and other != other
        )
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
hashables = st.one_of(
    st.integers(),
    st.text(),
    st.tuples(st.integers(), st.text()),
    st.binary(),
    st.dates(),
    st.frozensets(st.integers()),
)
any_values = st.recursive(
    st.one_of(
        json_values,
        st.floats(),
        st.binary(max_size=1024),
        st.complex_numbers(allow_nan=False),
        st.datetimes(timezones=st.none() | st.just(dt.UTC) | st.just(ZoneInfo("Europe/Berlin"))),
        st.times(),
        st.dates(),
        st.timedeltas(),
        st.decimals(allow_nan=False),
        st.uuids(),
        st.sampled_from(Colour),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(hashables, inner), st.sets(hashables)
    ),
)


@settings(max_examples=60)
@given(json_values)
def test_json_values_come_back_as_they_were(value):
    assert same(round_trip(value), value)


@settings(max_examples=60)
@given(any_values)
def test_other_values_come_back_as_they_were(value):
    assert same(round_trip(value), value)


@settings(max_examples=60)
@given(any_values)
def test_the_text_is_standard_json_and_can_be_sent(value):
    text = encode(value, no_part)
    json.loads(text, parse_constant=pytest.fail)
    text.encode()


@given(st.dictionaries(st.text(alphabet="$abc"), st.integers()))
def test_a_dict_of_the_user_is_never_taken_for_a_tag(value):
    assert same(round_trip(value), value)


@settings(max_examples=60)
@given(json_values)
def test_plain_values_are_written_as_plain_json(value):
    if is_plain(value):
        assert json.loads(encode(value, no_part)) == value


@pytest.mark.parametrize(
    "value, text",
    [
        (1.0, "1.0"),
        (2**53 + 1, "9007199254740993"),
        (None, "null"),
        ({"b": 1, "a": [True]}, '{"b":1,"a":[true]}'),
        ("é", '"é"'),
        (float("nan"), '{"$float":"nan"}'),
        ((1, 2), '{"$tuple":[1,2]}'),
        ({3, 1, 2}, '{"$set":[1,2,3]}'),
        ({1: 2}, '{"$dict":[[1,2]]}'),
        ({"$part": 1}, '{"$dict":[["$part",1]]}'),
        (b"\x00", '{"$bytes":"AA=="}'),
        (dt.date(2026, 11, 21), '{"$date":"2026-11-21"}'),
    ],
)
def test_the_text_of_a_value_is_fixed(value, text):
    assert encode(value, no_part) == text


@pytest.mark.parametrize(
    "value",
    [
        Interval(0.0),
        Point(1, 2.0),
        Access.READ | Access.WRITE,
        Access.READ,
        {"nested": [Interval(1), {"p": Point(1, 2.0)}]},
        Metrics(auc=1.0, day=dt.date(2026, 1, 1), interval=Interval(0.0), tags={"a", "b"}),
        Open(name="x", extra=(1, 2)),
        range(3, 9, 2),
        bytearray(b"x"),
        frozenset({(1, "a")}),
        dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        dt.time(1, 2, 3, 4, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    ],
)
def test_objects_come_back_equal_and_of_their_class(value):
    found = round_trip(value)
    assert type(found) is type(value)
    assert found == value


def test_a_model_keeps_private_attributes_and_which_fields_were_set():
    value = Metrics(auc=1.0, day=dt.date(2026, 1, 1), interval=Interval(0.0))
    value._note = "kept"
    found = round_trip(value)
    assert found._note == "kept"
    assert found.model_fields_set == {"auc", "day", "interval"}


def test_a_frozen_dataclass_is_frozen_again():
    with pytest.raises(AttributeError):
        round_trip(Interval(0.0)).low = 2.0


@pytest.mark.parametrize(
    "value, base",
    [
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (type("Text", (str,), {})("x"), "x"),
    ],
)
def test_subclasses_of_basic_types_come_back_as_the_basic_type(value, base):
    assert same(round_trip(value), base)


def test_a_set_has_one_text_whatever_its_order():
    texts = {encode(set(order), no_part) for order in (["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"])}
    assert len(texts) == 1


def test_where_a_member_is_that_cannot_be_stored():
    value = {"rows": [Interval(0.0), {"k": (1, object())}]}
    with pytest.raises(CodecError, match=r"value\['rows'\]\[1\]\['k'\]\[1\] is a object"):
        encode(value, no_part)


def test_a_value_that_contains_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(CodecError, match="nested too deeply, or contains itself"):
        encode(value, no_part)


def test_an_int_of_more_digits_than_python_writes_is_refused():
    with pytest.raises(CodecError, match="the value has no JSON text"):
        encode(10**5000, no_part)


def test_a_class_that_cannot_be_imported_is_refused():
    local = enum.Enum("Local", "A")
    with pytest.raises(CodecError, match="define the class at the top level of a module"):
        encode([local.A], no_part)


def test_a_time_zone_that_cannot_be_kept_is_refused():
    class Odd(dt.tzinfo):
        def utcoffset(self, when):
            return dt.timedelta(hours=1)

    with pytest.raises(CodecError, match=r"value has the time zone .* use zoneinfo\.ZoneInfo"):
        encode(dt.datetime(2026, 1, 1, tzinfo=Odd()), no_part)


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "is not JSON"),
        ('{"$nonsense":1}', "unknown tag '\\$nonsense'"),
        ('{"$enum":"tests.runtime.sample_tasks:Colour","name":"GREEN"}', "no such member any more"),
        ('{"$enum":"tests.runtime.sample_tasks:Gone","name":"A"}', "class that is gone"),
        ('{"$enum":"tests.runtime.sample_tasks:echo","name":"A"}', "as its class, which is a function"),
        ('{"$dataclass":"tests.runtime.sample_tasks:Interval","state":{"low":1,"old":2}}', "has the fields"),
    ],
)
def test_a_text_that_cannot_be_read_says_why(text, message):
    with pytest.raises(CodecError, match=message):
        decode(text, no_part)


def test_decimals_and_uuids_keep_every_digit():
    for value in (decimal.Decimal("1.10"), decimal.Decimal("NaN"), uuid.UUID(int=1)):
        assert repr(round_trip(value)) == repr(value)

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from stepweave.runtime.codecs.shown import for_people
from stepweave.runtime.codecs.text import encode
from tests.runtime.sample_tasks import Access, Colour, Interval, Metrics, Point


def part(value, where):
    return {"codec": "npy", "key": "runs/d/r/t/parts/x.npy", "digest": "0", "size": 1}


@pytest.mark.parametrize(
    "value, shown",
    [
        ({"auc": 0.9}, {"auc": 0.9}),
        (Interval(0.0), {"low": 0.0, "high": 1.0, "seen": []}),
        (
            Metrics(auc=1.0, day=dt.date(2026, 1, 1), interval=Interval(0.0), tags={"b", "a"}),
            {
                "auc": 1.0,
                "day": "2026-01-01",
                "interval": {"low": 0.0, "high": 1.0, "seen": []},
                "tags": ["a", "b"],
            },
        ),
        ([Point(1, 2.0), (1,), {2: 3}], [[1, 2.0], [1], {"2": 3}]),
        ([Colour.RED, Access.READ | Access.WRITE], ["RED", 3]),
        (dt.datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), "2026-01-01T00:00:00"),
        ([float("nan")], ["nan"]),
        ({"array": object()}, {"array": "runs/d/r/t/parts/x.npy"}),
        (range(3), {"$range": [0, 3, 1]}),
    ],
)
def test_people_see_plain_json(value, shown):
    found = for_people(encode(value, part))
    assert found == shown
    json.dumps(found, allow_nan=False)

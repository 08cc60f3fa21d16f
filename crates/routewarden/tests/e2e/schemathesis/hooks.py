"""What the description of the API cannot say, for schemathesis.

Formats that only Routewarden has, as strategies; and which combinations of parameters, each good by
itself, are refused (docs/reference/api.md says so).
"""

import datetime
import ipaddress

import schemathesis
from hypothesis import strategies as st

NOW = datetime.datetime.now(datetime.timezone.utc)
# Within the least that statistics answer for: 744 hours.
SECONDS_AGO = st.integers(min_value=0, max_value=30 * 86_400)
TIMES = ("from", "before", "gaps_from")
UNITS = {"day": 86_400, "hour": 3_600}
UNITS_MAX = {"day": 3_700, "hour": 744}


def as_text(seconds_ago, form):
    time = NOW - datetime.timedelta(seconds=seconds_ago)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "fraction": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "seconds": str(int(time.timestamp())),
    }[form]


def seconds(text):
    if text.isdigit():
        return int(text)
    text = text.replace("Z", "+00:00") if "T" in text else text + "T00:00:00+00:00"
    return datetime.datetime.fromisoformat(text).timestamp()


def network(address, length):
    return f"{address}/{min(length, address.max_prefixlen)}"


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.sampled_from(
    [ipaddress.ip_address(text) for text in ("203.0.113.128", "203.0.113.0", "::", "2001:db8::")]
))
ASNS = st.one_of(st.integers(min_value=0, max_value=2**32 - 1), st.sampled_from([64502, 64503, 17557]))

schemathesis.openapi.format(
    "time", st.builds(as_text, SECONDS_AGO, st.sampled_from(["date", "time", "fraction", "seconds"]))
)
schemathesis.openapi.format("asn", st.builds("{}{}".format, st.sampled_from(["", "AS", "as"]), ASNS))
schemathesis.openapi.format("ip", ADDRESSES.map(str))
schemathesis.openapi.format("prefix", st.builds(network, ADDRESSES, st.integers(0, 128)))
schemathesis.openapi.format("member", st.from_regex(r"\A[A-Za-z0-9._-]{1,64}\Z"))
schemathesis.openapi.format(
    "cursor", st.builds("{}.{}".format, st.integers(0, 2**53), st.integers(1, 2**31))
)


def is_whole_number(text):
    return str(text).isascii() and str(text).isdigit()


def spans_well(query):
    """Whether statistics are asked for over a time that is not empty and not too long."""
    by = query.get("by", "day")
    if not isinstance(by, str) or by not in UNITS:
        return True
    unit = UNITS[by]
    usual = 30 if by == "day" else 48
    try:
        before = seconds(query["before"]) if "before" in query else NOW.timestamp() + unit
        before = before // unit
        start = seconds(query["from"]) // unit if "from" in query else before - usual
    except (AttributeError, ValueError):
        return True
    # One unit of doubt: now moves on.
    return 2 <= before - start < UNITS_MAX[by]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Who asks has a token: a session beside it, made up, is not looked at."""
    del raw_schema["components"]["securitySchemes"]["cookie"]
    for item in raw_schema["paths"].values():
        for operation in item.values():
            needs = operation.get("security", [])
            operation["security"] = [need for need in needs if "cookie" not in need]


@schemathesis.hook
def filter_case(context, case):
    query = case.query or {}
    # A number is no wrong type for a time: seconds since 1970.
    if any(str(query.get(name)) == "0" for name in TIMES):
        return False
    if case.path.endswith("/incidents"):
        if "role" in query and "asn" not in query or "match" in query and "prefix" not in query:
            return False
    if str(query.get("sort")) in ("-severity", "-confidence"):
        # A cursor of another order is refused.
        if str(query.get("open")).lower() != "true" or "cursor" in query:
            return False
    limit = query.get("limit")
    if case.path.endswith("/incidents") and is_whole_number(limit):
        if 500 < int(limit) <= 10_000 and query.get("format") not in ("csv", "jsonl"):
            return False
    if case.path.endswith("/statistics") and not spans_well(query):
        return False
    path = case.path_parameters or {}
    if ":" not in str(path.get("address", ":")) and is_whole_number(path.get("length")):
        if 32 < int(path["length"]) <= 128:
            return False
    return True

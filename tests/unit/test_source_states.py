"""What a device says of a state, in a plan's words: the same in every protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.plan.states import as_said, codes, doubted
from ingest.binding import ConnectionBinding, SlotBinding, channel_binding
from ingest.message import Decoded, Message
from ingest.preview import named
from ingest.protocols import PROTOCOLS
from ingest.protocols.json.values import state_reader
from ingest.reasons import Refused
from telemetry.batch import Batch

STATES = ["stopped", "running", "fault"]
TABLE = {"0": "stopped", "1": "running", "ERR": "fault", "true": "running", "2.50": "fault"}


def binding(protocol: str) -> ConnectionBinding:
    options = {"states": STATES, "source_states": TABLE}
    channel = channel_binding(channel_id=1, name="m", kind="state", unit="state", options=options)
    return ConnectionBinding(
        connection_id=1, name="gw", pilot_id=1, pilot="p", protocol=protocol, start_us=0, end_us=2**60, topics=("x",),
        slots=(SlotBinding(slot_id=1, name="s", channels=(channel,)),),
    )  # fmt: skip


def decoded(protocol: str, payload: Any) -> Decoded:
    decoder = PROTOCOLS[protocol](binding(protocol)).decoder("x")
    assert decoder is not None
    out = Decoded()
    decoder.decode(Message(topic="x", payload=json.dumps(payload).encode(), received_us=10**15, flags=0), out)
    return out


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (0, 0),
        (1, 1),
        (1.0, 1),
        ("1", 1),
        ("ERR", 2),
        (True, 1),
        ("true", 1),
        (2.5, 2),
        ("2.50", 2),
        ("2.5", 2),
        (-0.0, 0),
    ],
)
@pytest.mark.parametrize("protocol", ["json", "senml"])
def test_a_word_number_or_truth_value_means_its_state(protocol: str, raw: Any, code: int) -> None:
    if protocol == "json":
        payload: Any = {"ts": 10**12, "values": {"m": raw}}
    else:
        label = "vs" if isinstance(raw, str) else "vb" if isinstance(raw, bool) else "v"
        payload = [{"n": "m", "t": 10**9, label: raw}]
    assert decoded(protocol, payload).value == [code]


@pytest.mark.parametrize("raw", ["running", "01", 2, False, "err", "", 0.5, "True", [1], {"a": 1}])
def test_what_is_not_in_the_table_is_refused_with_the_known_ones(raw: Any) -> None:
    out = decoded("json", {"ts": 10**12, "values": {"m": raw}, "other": 1})
    detail = out.quarantined[0].detail if out.quarantined else out.rejected[0].detail
    assert not out.value
    assert all(key in detail for key in TABLE)


def test_a_preview_names_the_plans_state() -> None:
    batch = Batch()
    batch.readings.append(1, 10**15, 2.0)
    [seen] = named(batch, [binding("json")], {}).readings
    assert (seen.state, seen.unit) == ("fault", "")


@given(
    st.dictionaries(
        st.one_of(st.text(min_size=1, max_size=4), st.integers().map(str), st.floats(allow_nan=False).map(str)),
        st.sampled_from(STATES),
        min_size=1,
        max_size=8,
    ),
    st.one_of(st.text(max_size=4), st.integers(), st.floats(), st.booleans()),
)
def test_a_reader_gives_the_tables_state_or_refuses(table: dict[str, str], raw: Any) -> None:
    read = state_reader(codes(STATES, table))
    try:
        code = read(raw)
    except Refused:
        assert not isinstance(raw, str) or raw not in table
        return
    assert STATES[int(code)] in table.values()
    if isinstance(raw, str) and raw in table:
        assert STATES[int(code)] == table[raw]
    if isinstance(raw, bool | int | float) and not doubted(table):
        meant = {
            table[key]
            for key in table
            if as_said(key) == as_said(str(raw).lower() if isinstance(raw, bool) else str(raw))
        }
        assert STATES[int(code)] in meant

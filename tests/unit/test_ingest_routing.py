"""Topics find their reader, whatever their bytes, and made-up ones do not fill the memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.plan.model import Connection, Slot
from ingest import routing
from ingest.planned import planned
from ingest.routing import Routes

SLOT = {"device": {"serial": "x"}, "channels": {"a": {"unit": "W", "period": "1 s"}}}


def routes() -> Routes:
    return Routes(
        planned(
            pilot="p", start_us=0, end_us=2**60,
            connections={"gw": Connection.model_validate({"topics": ["own/#"]})},
            slots={
                "s": Slot.model_validate(SLOT),
                "t": Slot.model_validate({**SLOT, "connection": "gw"}),
                "u": Slot.model_validate({**SLOT, "connection": "gw", "topics": ["own/u/+"]}),
            },
        )
    )  # fmt: skip


BY = routes()
levels = st.sampled_from(
    [
        "pilots",
        "p",
        "s",
        "t",
        "readings",
        "events",
        "status",
        "receipt",
        "own",
        "u",
        "",
        "$SYS",
        "+",
        "#",
        "한글",
        "\ufffd",
    ]
) | st.text(max_size=5)


@given(st.lists(levels, min_size=1, max_size=6).map("/".join).map(lambda topic: topic.encode("utf-8", "surrogatepass")))
def test_any_topic(topic: bytes) -> None:
    check(topic)


@given(st.binary(max_size=40) | st.builds(bytes.__add__, st.just(b"pilots/p/s/"), st.binary(max_size=9)))
def test_any_bytes(topic: bytes) -> None:
    check(topic)


def check(topic: bytes) -> None:
    route = BY.find(topic)
    assert BY.find(topic).decoder is route.decoder, "the same reader each time"
    assert (route.decoder is None) == bool(route.detail)
    assert route.decoder is None or route.connection_id is not None
    parts = topic.split(b"/")
    if route.decoder is not None:
        native = len(parts) == 4 and parts[:2] == [b"pilots", b"p"] and parts[2] in (b"s", b"t", b"u")
        assert (native and parts[3] in (b"readings", b"events", b"status")) or parts[0] == b"own"


def test_topics_made_up_below_a_filter_share_their_reader() -> None:
    by = routes()
    assert len({id(by.find(b"own/%d" % place).decoder) for place in range(1_000)}) == 1
    assert by.find(b"own/u/1").decoder is by.find(b"own/u/2").decoder is not by.find(b"own/1").decoder


def test_what_is_remembered_of_topics_is_bounded() -> None:
    by = routes()
    for place in range(routing._MOST_TOPICS + 10):
        by.find(b"own/%d" % place)
    assert len(by._known) <= routing._MOST_TOPICS
    by.find(b"own/" + b"x" * 60_000)
    assert max(map(len, by._known)) <= routing._LONGEST_KEPT

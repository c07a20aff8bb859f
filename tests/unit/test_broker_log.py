"""What Mosquitto's lines say, and how a log is read on from where one stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.journal import Came, Entry, Place, Refused, Stopped, Went
from pilotbed.stack.broker_words import entries
from pilotbed.stack.log_file import LogFile
from pilotbed.stack.log_pieces import Files

AT = datetime(2026, 11, 22, 17, 34, 57, 123000, UTC)
TIME = "2026-11-22T17:34:57.123Z "


def said(*lines: str, time: str = TIME) -> list[Entry]:
    return list(entries("".join(f"{time}{line}\n" for line in lines).encode()))


# --- each line's wording is Mosquitto's own: 2.0.11 and 2.0.22, then 2.1


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (
            "Denied PUBLISH from p.gw-1 (d0, q1, r0, m1, 'pilots/p/other/x', ... (3 bytes))",
            Refused(at=AT, username="p.gw-1", topic="pilots/p/other/x", reason="denied"),
        ),
        (
            # A topic is whatever its sender wants.
            "Denied PUBLISH from p.gw (d0, q1, r0, m1, 'a', ... (3 bytes)) (d0, q0, r0, m2, 'b', ... (7 bytes))",
            Refused(
                at=AT, username="p.gw", topic="a', ... (3 bytes)) (d0, q0, r0, m2, 'b", reason="denied"
            ),
        ),
        (
            "Denied PUBLISH from p.gw (d0, q0, r1, m0, '시청/온도', ... (0 bytes))",
            Refused(at=AT, username="p.gw", topic="시청/온도", reason="denied"),
        ),
        (
            "Dropped too large PUBLISH from p.gw (d0, q1, r0, m1, 't', ... (9000000 bytes))",
            Refused(at=AT, username="p.gw", topic="t", reason="too_large"),
        ),
        ("New client connected from 127.0.0.1:37499 as p.gw (p2, c1, k60, u'p.gw').", Came(at=AT, username="p.gw")),
        ("New client connected from ::1:37499 as p.gw (p5, c0, k0).", Came(at=AT, username="p.gw")),
        ("Client p.gw disconnected.", Went(at=AT, username="p.gw", why="left")),
        ("Client p.gw closed its connection.", Went(at=AT, username="p.gw", why="closed")),
        ("Client p.gw has exceeded timeout, disconnecting.", Went(at=AT, username="p.gw", why="timed_out")),
        ("Client p.gw been disconnected by administrative action.", Went(at=AT, username="p.gw", why="cut_off")),
        ("Client p.gw already connected, closing old connection.", Went(at=AT, username="p.gw", why="taken_over")),
        ("Client p.gw disconnected due to malformed packet.", Went(at=AT, username="p.gw", why="faulty")),
        ("Client p.gw disconnected due to protocol error.", Went(at=AT, username="p.gw", why="faulty")),
        ("Client p.gw disconnected due to out of memory.", Went(at=AT, username="p.gw", why="other")),
        ("Client p.gw disconnected: Connection reset by peer.", Went(at=AT, username="p.gw", why="other")),
        ("Bad socket read/write on client p.gw: Invalid input.", Went(at=AT, username="p.gw", why="other")),
        ("Client <unknown> disconnected, not authorised.", Refused(at=AT, username="", topic="", reason="not_let_in")),
        ("Client auto-9BBB-75E5 disconnected, not authorised.",
         Refused(at=AT, username="auto-9BBB-75E5", topic="", reason="not_let_in")),
        ("Client p.gw [10.0.0.7:4711] disconnected.", Went(at=AT, username="p.gw", why="left")),
        ("Client p.gw [::1:4711] disconnected: connection closed by client.",
         Went(at=AT, username="p.gw", why="closed")),
        ("Client p.gw [10.0.0.7:4711] disconnected: session taken over.",
         Went(at=AT, username="p.gw", why="taken_over")),
        ("Client p.gw [10.0.0.7:4711] disconnected: not authorised.",
         Refused(at=AT, username="p.gw", topic="", reason="not_let_in")),
        ("mosquitto version 2.0.11 starting", Stopped(at=AT)),
        ("mosquitto version 2.0.11 terminating", Stopped(at=AT)),
    ],
)  # fmt: skip
def test_a_line_says(line: str, entry: Entry) -> None:
    assert said(line) == [entry]


def test_too_much_at_once_is_a_refusal_and_ends_the_connection() -> None:
    assert said("Client p.gw disconnected due to oversize packet.") == [
        Refused(at=AT, username="p.gw", topic="", reason="too_large"),
        Went(at=AT, username="p.gw", why="too_large"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mosquitto version 2.0.11 running",
        "New connection from 127.0.0.1:36472 on port 48299.",
        "dynsec: pilotbed-admin/pilotbed-admin | disableClient | username=dev1",
        "Denied PUBLISH from p.gw",
        "Client",
    ],
)
def test_other_lines_say_nothing_of_devices(line: str) -> None:
    assert said(line) == []


def test_a_broker_that_writes_its_log_itself_is_understood() -> None:
    assert said("Client p.gw disconnected.", time="1795368897: ") == [
        Went(at=AT.replace(microsecond=0), username="p.gw", why="left")
    ]


@pytest.mark.parametrize("time", ["", "2026-13-45T99:99:99Z ", "99999999999: ", "yesterday "])
def test_a_line_without_an_instant_is_none(time: str) -> None:
    assert said("mosquitto version 2.0.11 starting", time=time) in (
        [],
        [Stopped(at=datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC))],
    )


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert list(entries(b"\xff\xfe\0\n" + TIME.encode() + b"Client \xff disconnected.\n\n")) == [
        Went(at=AT, username="�", why="left")
    ]


# --- reading on


class Reading:
    """Somebody who reads a log on, and keeps the lines."""

    def __init__(self, log: Path, *, piece: int = 1000) -> None:
        self.log = log
        self.place = Place()
        self.lines: list[str] = []
        self._piece = piece

    def on(self) -> list[str]:
        """Read all that is there now, and return what is new, without its times."""
        before = len(self.lines)
        while True:
            with Files(self.log, largest_piece=self._piece) as files:
                piece = files.after(self.place)
            if piece is None:
                return self.lines[before:]
            self.lines += [line.split(" ", 1)[1] for line in piece.lines.decode().splitlines()]
            self.place = piece.end


def test_a_log_is_read_on_from_where_one_stopped(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "log")
    assert reading.on() == [], "there is none yet"
    log = LogFile(tmp_path / "log")
    assert reading.on() == [], "it is empty"
    log.write([b"one", b"two"])
    assert reading.on() == ["one", "two"]
    assert reading.on() == []
    with (tmp_path / "log").open("ab") as file:
        file.write(b"T thr")
        file.flush()
        assert reading.on() == [], "half a line is not read yet"
        file.write(b"ee\n")
    assert reading.on() == ["three"]


def test_no_line_is_lost_or_read_twice_when_a_log_is_begun_anew(tmp_path: Path) -> None:
    reading, log = Reading(tmp_path / "log"), LogFile(tmp_path / "log", largest_bytes=2000)
    said = [f"line {number}" for number in range(1000)]
    for number, line in enumerate(said):
        log.write([line.encode()])
        if number % 37 == 0:  # a file holds some sixty of these lines: now within a file, now beyond its end
            reading.on()
    reading.on()
    log.close()
    assert reading.lines == said


def test_what_was_never_read_is_read_as_far_as_it_is_there(tmp_path: Path) -> None:
    """Two files went by while nobody read: the older is gone, and what is left is read from its start."""
    reading, log = Reading(tmp_path / "log"), LogFile(tmp_path / "log", largest_bytes=2000)
    log.write([b"first"])
    assert reading.on() == ["first"]
    for number in range(400):
        log.write([b"line %d" % number])
    there = (tmp_path / "log.1").read_bytes() + (tmp_path / "log").read_bytes()
    assert len(reading.on()) == there.count(b"\n")
    assert reading.lines[-1] == "line 399"
    log.close()


def test_a_file_under_the_same_number_of_the_file_system_is_another_file(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "log")
    (tmp_path / "log").write_bytes(b"T one, with much behind it\nT two\n")
    assert len(reading.on()) == 2
    number = (tmp_path / "log").stat().st_ino
    (tmp_path / "log").write_bytes(b"T three, which is as long as the first was\nT four\n")
    assert (tmp_path / "log").stat().st_ino == number
    assert reading.on() == ["three, which is as long as the first was", "four"]


def test_a_log_that_lost_its_end_is_read_on_from_its_new_one(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "log")
    (tmp_path / "log").write_bytes(b"T one\nT two\nT three\n")
    assert len(reading.on()) == 3
    (tmp_path / "log").write_bytes(b"T one\n")  # as after a power cut
    assert reading.on() == []
    with (tmp_path / "log").open("ab") as file:
        file.write(b"T four\nT five\nT six\n")
    assert reading.on() == ["four", "five", "six"]


def test_a_line_without_an_end_does_not_stop_the_reading(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"T one\nT " + b"x" * 5000 + b"\nT two\n")
    with Files(tmp_path / "log", largest_piece=1000) as files:
        place, pieces = Place(), []
        while (piece := files.after(place)) is not None:
            pieces.append(piece.lines)
            place = piece.end
    assert b"".join(pieces) == (tmp_path / "log").read_bytes()
    assert pieces[-1].endswith(b"\nT two\n")

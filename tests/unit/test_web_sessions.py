"""Cookies, form tokens, return addresses, passwords, and the wait after failures: all without a server."""

from __future__ import annotations

import base64
import hashlib
import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from dashboards import passwords, sessions
from dashboards.sessions import SESSION_S, Sessions, safe_next
from dashboards.throttle import Throttle

KEY = "a-key-that-is-long-enough"


def test_a_cookie_says_who_and_which_epoch() -> None:
    ticket = Sessions(KEY).read(Sessions(KEY).issue(person_id=7, epoch=3))
    assert ticket is not None and (ticket.person_id, ticket.epoch) == (7, 3)


def test_two_cookies_of_one_person_differ() -> None:
    both = [Sessions(KEY).read(Sessions(KEY).issue(person_id=7, epoch=3)) for _ in range(2)]
    assert both[0] is not None and both[1] is not None
    assert both[0].nonce != both[1].nonce


def test_a_cookie_of_another_key_a_changed_one_or_none_says_nothing() -> None:
    cookie = Sessions(KEY).issue(person_id=7, epoch=3)
    ours = Sessions(KEY)
    assert Sessions("another-key-that-is-long").read(cookie) is None
    assert ours.read(cookie[:-2] + "xx") is None
    assert ours.read("") is None and ours.read(None) is None and ours.read("a.b.c") is None


def test_a_signed_cookie_of_another_shape_says_nothing() -> None:
    signer = URLSafeTimedSerializer(
        KEY, salt="pilotbed.session", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )
    assert Sessions(KEY).read(str(signer.dumps([7, 3, "n"]))) is not None  # the shape itself is the right one
    for said in ({"person": 7}, [7, 3], ["7", 3, "n"], None):
        assert Sessions(KEY).read(str(signer.dumps(said))) is None


def test_a_cookie_ends_with_the_working_day(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = Sessions(KEY).issue(person_id=7, epoch=3)
    monkeypatch.setattr(sessions, "SESSION_S", -1)
    assert Sessions(KEY).read(cookie) is None
    assert SESSION_S == 12 * 3600


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16"):
        Sessions("short")


def test_a_form_token_belongs_to_its_visit() -> None:
    ours = Sessions(KEY)
    token = ours.form_token("visit-1")
    assert ours.is_form_token("visit-1", token)
    assert not ours.is_form_token("visit-2", token)
    assert not ours.is_form_token("", ours.form_token(""))
    assert not ours.is_form_token(None, token)
    assert not ours.is_form_token("visit-1", "토큰")


@pytest.mark.parametrize(
    "target",
    [
        None, "", "pilots/a", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "https://evil.example/", "javascript:alert(1)", "/\t/evil.example", "/a\r\nset-cookie: x=y", "/ /evil.example",
        "/login?next=/", "/logout", "/" + "a" * 3000,
    ],
)  # fmt: skip
def test_only_a_path_of_ours_is_followed(target: str | None) -> None:
    assert safe_next(target) == "/"


@pytest.mark.parametrize("target", ["/", "/pilots/cityhall-air", "/pilots/a?span=7d&lang=en", "/pilots/가"])
def test_a_path_of_ours_is_kept(target: str) -> None:
    assert safe_next(target) == target


@given(st.text(max_size=40))
def test_nothing_leads_elsewhere(text: str) -> None:
    kept = safe_next(text)
    assert kept.startswith("/") and not kept.startswith(("//", "/\\"))


def test_a_password_matches_itself_alone() -> None:
    stored = passwords.made("correct horse battery")
    assert stored.startswith("scrypt$ln=15,r=8,p=1$")
    assert passwords.matches("correct horse battery", stored)
    assert not passwords.matches("correct horse batterz", stored)
    assert not passwords.matches("correct horse battery", None)


def test_a_scrypt_string_is_what_the_standard_says() -> None:
    """RFC 7914, section 12: scrypt("pleaseletmein", "SodiumChloride", N=16384, r=8, p=1), its first 32 bytes."""
    known = bytes.fromhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2")
    salt, digest = (base64.b64encode(data).decode() for data in (b"SodiumChloride", known))
    assert passwords.matches("pleaseletmein", f"scrypt$ln=14,r=8,p=1${salt}${digest}")


def test_hangul_is_one_password_however_it_is_typed() -> None:
    stored = passwords.made(unicodedata.normalize("NFC", "비밀번호는길어야함!!"))
    assert passwords.matches(unicodedata.normalize("NFD", "비밀번호는길어야함!!"), stored)


@pytest.mark.parametrize("password", ["short", "x" * 300])
def test_an_unusable_password_is_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(passwords.PasswordError) as caught:
        passwords.made(password)
    assert password not in str(caught.value)


def test_generated_passwords_are_long_and_differ() -> None:
    made = {passwords.generated() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 23 for one in made)


def test_the_sixth_try_of_a_minute_waits_and_says_how_long() -> None:
    throttle = Throttle(most=5)
    assert [throttle.ask("kim", now) for now in (0, 1, 2, 3, 4)] == [0, 0, 0, 0, 0]
    assert throttle.ask("kim", 10) == pytest.approx(50)
    assert throttle.ask("lee", 10) == 0
    assert throttle.ask("kim", 60.5) == 0, "a minute after the first, one more"
    assert throttle.ask("kim", 60.6) > 0


def test_a_success_wipes_the_slate_and_a_pardon_only_its_own_try() -> None:
    throttle = Throttle(most=2)
    throttle.ask("kim", 0)
    throttle.succeeded("kim")
    assert throttle.ask("kim", 1) == 0
    throttle.forgive("kim")
    assert (throttle.ask("kim", 2), throttle.ask("kim", 2)) == (0, 0)
    assert throttle.ask("kim", 2) > 0


def test_invented_names_do_not_fill_the_memory() -> None:
    throttle = Throttle(most=1, keys=3)
    for key in "abcd":
        throttle.ask(key, 0)
    assert len(throttle._failures) == 3
    assert throttle.ask("a", 1) == 0, "the oldest is forgotten"
    assert throttle.ask("d", 1) > 0


def test_a_hundred_tries_at_once_are_not_free() -> None:
    throttle, let_in = Throttle(most=5), []
    threads = [threading.Thread(target=lambda: let_in.append(throttle.ask("kim", 0.0))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_in.count(0.0) == 5

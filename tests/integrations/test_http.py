"""The line to vendors: which machines it reaches, how long it waits, what it makes of trouble, what it never says."""

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.utils import timezone

from integrations.provider_kit import addresses
from integrations.provider_kit.addresses import AddressRefused, checked_addresses
from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Retry
from integrations.provider_kit.http import LONGEST_RETRY_AFTER, Http, scrub, seconds_to_wait
from tests.fakes.faults import Faults

CANARY = "canary-6d1f0c"

# Every spelling of a machine that must not be reached: private, shared, local, mapped, translated, tunnelled, reserved.
FORBIDDEN = """
127.0.0.1 127.1 127.255.255.254 2130706433 0x7f000001 0x7f.1 017700000001 0177.0.0.1 localhost 0.0.0.0 0
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 169.254.169.254 169.254.0.1
100.64.0.1 100.127.255.255 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 192.88.99.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1 ::127.0.0.1 ::10.0.0.1
64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::1 2002:7f00:1:: 2002:a00:1:: 2001::1 2001:db8::1 2001:10::1
127.0.0.1. 10.1 192.168.1 3232235521 0xc0a80001 0300.0250.0.1 0xa9fea9fe 2852039166 ①②⑦.⓪.⓪.① １２７.0.0.1
fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1 3fff::1 5f00::1 100::1
""".split()
PUBLIC = ["93.184.215.14", "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:1.1.1.1", "172.32.0.1", "100.128.0.1"]


@pytest.fixture(autouse=True)
def nothing_private(settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = []


@pytest.fixture
def local(settings: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def http(sandbox: Any) -> Iterator[Http]:
    line = Http("Mailchimp", sandbox.api_url(), {"Authorization": f"Bearer {sandbox.grant()}"})
    yield line
    line.close()


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A name server that gives these answers, one after the other; returns what it was asked."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        family = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in found]
        return [(kind, socket.SOCK_STREAM, 6, "", (each, port)) for kind, each in zip(family, found, strict=True)]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    return asked


# --- which machines ---


@pytest.mark.parametrize("host", FORBIDDEN)
def test_a_private_or_reserved_address_is_never_called(host: str) -> None:
    with pytest.raises((AddressRefused, socket.gaierror)):
        checked_addresses(host, 443)


def test_the_list_of_forbidden_spellings_is_long_enough() -> None:
    assert len(FORBIDDEN) >= 60


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_address_is_called(host: str) -> None:
    assert checked_addresses(host, 443) == [host]


@pytest.mark.parametrize("port", [21, 22, 25, 3306, 5432, 6379, 8000, 8080, 8443])
def test_only_the_ports_of_the_web_are_called(port: int) -> None:
    with pytest.raises(AddressRefused):
        checked_addresses("1.1.1.1", port)


def test_unencrypted_calls_stay_inside_the_allowed_networks(local: None) -> None:
    assert checked_addresses("127.0.0.1", 8123, encrypted=False) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        checked_addresses("1.1.1.1", 80, encrypted=False)


def test_the_operator_can_allow_a_private_network_and_no_other(local: None) -> None:
    assert checked_addresses("127.0.0.1", 8123) == ["127.0.0.1"]
    assert checked_addresses("::ffff:127.0.0.1", 8123)
    with pytest.raises(AddressRefused):
        checked_addresses("10.0.0.1", 443)


def test_every_answer_of_the_name_server_must_be_public(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(AddressRefused):
        checked_addresses("vendor.test", 443)


def test_the_line_goes_to_the_checked_address_whatever_the_name_server_says_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = names(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    dialled: list[Any] = []

    def dial(address: Any, *args: Any, **options: Any) -> Any:
        dialled.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(addresses.socket, "create_connection", dial)
    with pytest.raises(CallFailed) as failure:
        Http("Vendor", "https://vendor.test").call("POST", "/", json={})
    assert isinstance(failure.value.outcome, Retry)
    assert (asked, dialled) == (["vendor.test"], [("93.184.215.14", 443)])


def test_a_refused_address_reads_like_a_machine_that_is_down(settings: Any, sandbox: Any) -> None:
    settings.OUTGOING_PRIVATE_NETWORKS = []
    with pytest.raises(CallFailed) as refused:
        Http("Vendor", sandbox.url).call("GET", "/3.0/ping")
    settings.OUTGOING_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    with pytest.raises(CallFailed) as down:
        Http("Vendor", "http://127.0.0.1:9").call("GET", "/3.0/ping")
    assert refused.value.outcome == down.value.outcome == Retry("Vendor could not be reached.")
    assert not sandbox.calls.since()


@pytest.mark.parametrize(
    "base", ["ftp://vendor.test", "file:///etc/passwd", "https://", "https://me:pw@vendor.test", "x"]
)
def test_only_plain_web_addresses_are_taken_as_a_base(base: str) -> None:
    with pytest.raises(ValueError, match="base address"):
        Http("Vendor", base)


# --- what comes back ---


def test_an_answer_of_any_status_comes_back(http: Http) -> None:
    good, bad = http.call("GET", "/ping"), http.call("GET", "/lists/nowhere")
    assert (good.status, good.json["health_status"]) == (200, "Everything's Chimpy!")
    assert good.request_id
    assert (bad.status, bad.json["title"]) == (404, "Resource Not Found")


def test_a_redirect_is_not_followed(http: Http, sandbox: Any) -> None:
    sandbox.faults = Faults.from_json({"kinds": ["redirect"]})
    assert http.call("GET", "/ping").status == 302
    assert len(sandbox.calls.since()) == 1


def test_we_say_who_we_are_and_nothing_of_the_machine_leaks_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, local: None
) -> None:
    """No proxy and no .netrc of the environment changes where a secret goes."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {CANARY}\n")
    with listening(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}") as (port, heard):
        line = Http("Vendor", f"http://127.0.0.1:{port}")
        line.call("GET", "/one")
        line.call("GET", "/two")
    sent = b"".join(heard).decode()
    assert "User-Agent: Almoner" in sent
    assert "Authorization" not in sent and "Cookie" not in sent and CANARY not in sent


# --- trouble: each kind lands in its class, in time ---

CUT_SHORT = ["cut", "cut_body", "invalid_json", "wrong_charset", "done_unanswered", "gzip_bomb"]


@pytest.mark.parametrize("kind", CUT_SHORT)
def test_P1_after_the_request_left_a_write_is_ambiguous_and_a_read_is_repeated(
    http: Http, sandbox: Any, kind: str
) -> None:
    sandbox.faults = Faults.from_json({"kinds": [kind]})
    with pytest.raises(CallFailed) as write:
        http.call("POST", f"/lists/{next(iter(sandbox.account().audiences))}", json={"members": []})
    with pytest.raises(CallFailed) as read:
        http.call("GET", "/lists")
    assert isinstance(write.value.outcome, Ambiguous)
    assert isinstance(read.value.outcome, Retry)


@pytest.mark.parametrize("kind", ["timeout", "slow_body", "stall"])
def test_P1_a_call_ends_at_its_deadline_whatever_the_vendor_does(
    http: Http, sandbox: Any, settings: Any, kind: str
) -> None:
    settings.CALL_DEADLINE_SECONDS = 0.6
    sandbox.faults = Faults.from_json({"kinds": [kind], "timeout_s": 5, "drip_s": 0.1})
    started = time.monotonic()
    with pytest.raises(CallFailed) as failure:
        http.call("POST", f"/lists/{next(iter(sandbox.account().audiences))}", json={"members": []})
    assert time.monotonic() - started < 1.6
    assert failure.value.outcome == Ambiguous("Mailchimp took too long to answer.")


def test_P1_headers_that_drip_end_at_the_deadline_too(local: None, settings: Any) -> None:
    settings.CALL_DEADLINE_SECONDS = 0.6

    def drip(line: socket.socket) -> None:
        for _ in range(50):
            line.sendall(b"H")
            time.sleep(0.1)

    started = time.monotonic()
    with listening(drip) as (port, _), pytest.raises(CallFailed) as failure:
        Http("Vendor", f"http://127.0.0.1:{port}").call("POST", "/", json={})
    assert time.monotonic() - started < 1.6
    assert isinstance(failure.value.outcome, Ambiguous)


def test_P1_nobody_there_means_not_done(local: None) -> None:
    with pytest.raises(CallFailed) as failure:
        Http("Vendor", "http://127.0.0.1:9").call("POST", "/", json={"a": 1})
    assert failure.value.outcome == Retry("Vendor could not be reached.")


def test_P1_a_failed_handshake_means_not_done(local: None) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _), pytest.raises(CallFailed) as failure:
        Http("Vendor", f"https://127.0.0.1:{port}").call("POST", "/", json={"a": 1})
    assert isinstance(failure.value.outcome, Retry)


def test_P1_an_answer_of_a_gigabyte_is_not_read(local: None) -> None:
    def flood(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            line.sendall(b"x" * 1_000_000)

    with listening(flood) as (port, _), pytest.raises(CallFailed) as failure:
        Http("Vendor", f"http://127.0.0.1:{port}").call("POST", "/", json={})
    assert failure.value.outcome == Ambiguous("Vendor sent an answer that is too large to be one.")


def test_deeply_nested_json_is_unreadable_and_not_a_crash(local: None) -> None:
    body = b"[" * 200_000
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with listening(head + body) as (port, _), pytest.raises(CallFailed) as failure:
        Http("Vendor", f"http://127.0.0.1:{port}").call("POST", "/", json={})
    assert isinstance(failure.value.outcome, Ambiguous)


def test_six_threads_may_call_at_once(http: Http, sandbox: Any) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: http.call("GET", "/ping").status, range(60)))
    assert answers == [200] * 60


def test_one_slow_call_is_cut_and_its_neighbours_are_not(http: Http, sandbox: Any, settings: Any) -> None:
    settings.CALL_DEADLINE_SECONDS = 0.8
    sandbox.faults = Faults.from_json({"kinds": ["timeout"], "timeout_s": 5, "path": "ping"})

    def call(path: str) -> Any:
        try:
            return http.call("GET", path).status
        except CallFailed as failure:
            return failure.outcome

    with ThreadPoolExecutor(6) as pool:
        slow = pool.submit(call, "/ping")
        others = [pool.submit(call, "/lists") for _ in range(20)]
    assert isinstance(slow.result(), Retry)
    assert [other.result() for other in others] == [200] * 20


# --- secrets ---


@pytest.mark.parametrize("kind", [*CUT_SHORT, "401", "500", "502_html", "redirect"])
def test_D2_no_secret_stands_in_an_error_or_a_log_line(
    sandbox: Any, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.faults = Faults.from_json({"kinds": [kind]})
    line = Http("Mailchimp", sandbox.api_url(), {"Authorization": f"Bearer {CANARY}"})
    said = ""
    try:
        line.call("POST", "/lists", query={"apikey": CANARY}, json={"token": CANARY})
    except CallFailed as failure:
        said = everything_in(failure)
    assert CANARY not in said
    assert CANARY not in caplog.text


def test_D2_the_refusal_of_an_unreachable_host_holds_no_query(local: None) -> None:
    with pytest.raises(CallFailed) as failure:
        Http("Vendor", "http://127.0.0.1:9").call("GET", "/", query={"apikey": CANARY})
    assert CANARY not in everything_in(failure.value)


@pytest.mark.parametrize("value", [f"{CANARY}\r\nX-Other: 1", f"{CANARY}\n", f"{CANARY}\0", f"{CANARY}é", f" {CANARY}"])
def test_D2_a_key_with_a_line_break_is_refused_before_it_can_be_quoted(value: str, local: None) -> None:
    line = Http("Vendor", "http://127.0.0.1:9", {"Authorization": value})
    with pytest.raises(CallFailed) as failure:
        line.call("GET", "/")
    assert isinstance(failure.value.outcome, Reconnect)
    assert CANARY not in everything_in(failure.value)


def test_D2_the_library_itself_would_have_quoted_the_key() -> None:
    """The control of the tests above."""
    import requests

    with pytest.raises(requests.RequestException, match=CANARY):
        requests.get("http://127.0.0.1:9/", params={"apikey": CANARY}, timeout=1)


@pytest.mark.parametrize(
    "text",
    [f"apikey={CANARY}&x=1", f'{{"access_token": "{CANARY}"}}', f"Token: {CANARY}", f"the password is={CANARY};"],
)
def test_scrub_blots_out_what_looks_like_a_credential(text: str) -> None:
    assert CANARY not in scrub(text)


# --- Retry-After ---


def test_L28_both_forms_of_retry_after_are_read() -> None:
    assert seconds_to_wait("7") == 7
    ahead = seconds_to_wait(format_datetime(timezone.now() + timedelta(seconds=90), usegmt=False))
    assert ahead is not None and 85 < ahead <= 90
    assert seconds_to_wait("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²", "99999-12-31", "Wed, 99 Foo 2015", "1" * 5000])
def test_L28_a_strange_retry_after_is_no_crash(text: str) -> None:
    assert seconds_to_wait(text) in (None, LONGEST_RETRY_AFTER)


def test_L28_a_retry_after_of_a_day_is_cut_to_an_hour() -> None:
    assert seconds_to_wait("86400") == LONGEST_RETRY_AFTER


# --- helpers ---


def everything_in(failure: BaseException) -> str:
    """All text that hangs on an exception, its causes and context included."""
    parts: list[str] = []
    each: BaseException | None = failure
    while each is not None:
        parts += [str(each), repr(each), repr(vars(each))]
        each = each.__cause__ or each.__context__
    return "\n".join(parts)


class listening:  # noqa: N801 - reads as a statement in a `with`
    """A server on this machine that gives this answer to every request; keeps what it heard."""

    def __init__(self, answer: bytes | Callable[[socket.socket], None]) -> None:
        self.answer = answer
        self.heard: list[bytes] = []
        self.server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> tuple[int, list[bytes]]:
        threading.Thread(target=self.serve, daemon=True).start()
        return self.server.getsockname()[1], self.heard

    def __exit__(self, *problem: object) -> None:
        self.server.close()

    def serve(self) -> None:
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(line,), daemon=True).start()

    def talk(self, line: socket.socket) -> None:
        try:
            while said := line.recv(65536):
                self.heard.append(said)
                if callable(self.answer):
                    self.answer(line)
                    line.close()
                    return
                line.sendall(self.answer)
        except OSError:
            line.close()

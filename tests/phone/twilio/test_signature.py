"""X-Twilio-Signature: Twilio's published vectors, its own library as the oracle, and what must be refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bot.phone.twilio.signature import signature, signed_body, signed_form, signed_upgrade

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


def form(number: str) -> list[tuple[str, str]]:
    return [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", number),
        ("From", number),
        ("Digits", "1234"),
    ]


# Where each is published: Twilio's guide to validating requests (docs/usage/security), and the tests of
# Twilio's helper libraries (twilio-python tests/unit/test_request_validator.py, twilio-php
# RequestValidatorTest.php).
@pytest.mark.parametrize(
    ("number", "expected"),
    [("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="), ("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")],
    ids=["guide", "libraries"],
)
def test_the_published_vectors_of_a_form(number: str, expected: str) -> None:
    assert signature(TOKEN, URL, form(number)) == expected
    assert signed_form(TOKEN, URL, form(number), expected)


BODY = b'{"property": "value", "boolean": true}'
HASHED = URL + "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


def test_the_published_vector_of_a_json_body() -> None:
    given = "a9nBmqA0ju/hNViExpshrM61xv4="
    assert signed_body(TOKEN, HASHED, BODY, given)
    assert not signed_body(TOKEN, HASHED, BODY + b" ", given)
    assert not signed_body(TOKEN, URL, BODY, signature(TOKEN, URL)), "a body whose hash is not in the URL"


def test_the_published_vectors_with_the_usual_port() -> None:
    assert signed_form(TOKEN, URL, form("+14158675309"), "kvajT1Ptam85bY51eRf/AJRuM3w=")
    plain = URL.replace("https", "http")
    assert signed_form(TOKEN, plain, form("+14158675309"), "0ZXoZLH/DfblKGATFgpif+LLRf4=")


@pytest.mark.parametrize("url", ["wss://bot.example.com/twilio", "wss://bot.example.com:8443/twilio"])
def test_an_upgrade_may_be_signed_with_or_without_port_and_slash(url: str) -> None:
    for signed in (url, url + "/", url.replace(":8443", "")):
        assert signed_upgrade(TOKEN, url, signature(TOKEN, signed))
    assert not signed_upgrade(TOKEN, url, signature(TOKEN, url + "/more"))


pairs = st.lists(st.tuples(st.text(min_size=1, max_size=6), st.text(max_size=6)), max_size=6)
urls = st.builds(
    "{}://{}{}/{}".format,
    st.sampled_from(["https", "http"]),
    st.sampled_from(["a.example", "bot.example.com"]),
    st.sampled_from(["", ":8443", ":80"]),
    st.text("abc/?=&%1", max_size=12),
)


class Multi(dict[str, str]):
    """A form as Twilio's library reads one with repeated names."""

    def __init__(self, items: list[tuple[str, str]]) -> None:
        super().__init__(items)
        self._items = items

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self._items if key == name]


@given(st.text(min_size=1, max_size=20), urls, pairs)
def test_what_twilios_own_library_signs_is_accepted(
    token: str, url: str, fields: list[tuple[str, str]]
) -> None:
    theirs = RequestValidator(token).compute_signature(url, Multi(fields))
    assert theirs == signature(token, url, fields)
    assert signed_form(token, url, fields, theirs)


@given(urls, pairs, pairs, st.text(max_size=30) | st.none())
def test_another_form_another_token_or_no_signature_is_refused(
    url: str, fields: list[tuple[str, str]], others: list[tuple[str, str]], nonsense: str | None
) -> None:
    good = signature(TOKEN, url, fields)
    if "".join(a + b for a, b in sorted(set(fields))) != "".join(a + b for a, b in sorted(set(others))):
        assert not signed_form(TOKEN, url, others, good)
    assert not signed_form(TOKEN + "x", url, fields, good)
    assert not signed_form(TOKEN, url, fields, nonsense)


def test_a_url_that_is_none_is_refused_without_a_fault() -> None:
    assert not signed_form(TOKEN, "https://[half", [], "x")
    assert not signed_body(TOKEN, "https://[half?bodySHA256=1", b"", "x")
    assert not signed_form(TOKEN, URL, [], "\udcff")

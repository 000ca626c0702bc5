"""Is a request really from Twilio?  PURE.

`X-Twilio-Signature` is the base64 HMAC-SHA1, keyed with the account's auth token, of the full URL
followed by the form's names and values, sorted by name; each different value of a name once,
sorted.  A body that is no form is covered by its SHA-256 in the URL (`bodySHA256`, hex).  Whether
Twilio signs a URL with its port or without is not fixed, so either is good; for a WebSocket the same
goes for a slash at the end.  `url` is what Twilio called, so behind a proxy the public one.
Source: https://www.twilio.com/docs/usage/security and Twilio's own helper libraries.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

HEADER = "X-Twilio-Signature"

Form = Iterable[tuple[str, str]]

_PORT = re.compile(r":\d+$")


def signature(token: str, url: str, form: Form = ()) -> str:
    """What Twilio sends with a request to `url`."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(_bytes(token), _bytes(text), hashlib.sha1).digest()
    return b64encode(digest).decode()


def signed_form(token: str, url: str, form: Form, given: str | None) -> bool:
    """Whether `given` is the signature of a form POST (or of a GET, whose form is empty)."""
    pairs = list(form)
    return any(_same(signature(token, one, pairs), given) for one in _with_and_without_port(url))


def signed_body(token: str, url: str, body: bytes, given: str | None) -> bool:
    """Whether `given` is the signature of a URL that holds the SHA-256 of this body."""
    try:
        claimed = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    except ValueError:
        return False
    return _same(hashlib.sha256(body).hexdigest(), claimed.lower()) and signed_form(token, url, (), given)


def signed_upgrade(token: str, url: str, given: str | None) -> bool:
    """Whether `given` is the signature of a WebSocket upgrade to `url` (wss://…)."""
    plain = url.rstrip("/")
    return signed_form(token, plain, (), given) or signed_form(token, plain + "/", (), given)


def _with_and_without_port(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    bare = _PORT.sub("", parts.netloc)
    usual = 443 if parts.scheme in ("https", "wss") else 80
    named = parts.netloc if bare != parts.netloc else f"{bare}:{usual}"
    return [url.replace(f"//{parts.netloc}", f"//{netloc}", 1) for netloc in (bare, named)]


def _same(expected: str, given: str | None) -> bool:
    return given is not None and hmac.compare_digest(_bytes(expected), _bytes(given))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

"""What an installation writes about Twilio, or a clone of it, in `phones.yml`.

Secrets are never written there: `auth_token_env` is the NAME of the environment variable that
holds the account's auth token.  `problems` and `auth_token` say what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from bot.phone.twilio.twiml import is_target

DialectName = Literal["twilio", "telnyx", "plivo"]

VOICE_PATH = "/twilio/voice"
STATUS_PATH = "/twilio/status"


class TwilioSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Twilio account, or the media socket of a clone.

    `dialect`: whose messages the media socket speaks.  `path`: where our media server serves it.
    `stream_url`: that socket as the provider reaches it, `wss://host/path`, no query.
    `public_url`: our callbacks as Twilio reaches them, `https://host[/prefix]` without the paths
    /twilio/voice and /twilio/status; empty: no callbacks, an outcome is only known by asking.
    `account_sid`, `auth_token_env`: the account; without a token nothing is verified, nothing dials.
    `api_url`: Twilio's REST API, another one for its other regions.
    `timeout_s`: seconds to wait for a connection, and for each answer, of the REST API.
    `assist`: calls to this number (E.164) go to this agent (+number, sip:… or client:…), and both
    sides are listened to; all other calls are answered by the bot.
    """

    dialect: DialectName = "twilio"
    path: str = "/twilio"
    stream_url: str = ""
    public_url: str = ""
    account_sid: str = ""
    auth_token_env: str | None = None
    api_url: str = "https://api.twilio.com"
    timeout_s: float = 5.0
    assist: dict[str, str] = {}

    def auth_token(self, environ: Mapping[str, str]) -> str | None:
        """The token from the environment, None where none is configured.  Raises ValueError."""
        if self.auth_token_env is None:
            return None
        token = environ.get(self.auth_token_env, "")
        if not token:
            raise ValueError(
                f"twilio.auth_token_env names {self.auth_token_env}, which is not set in the environment"
                " → set it, or remove the line"
            )
        return token


def problems(settings: TwilioSettings) -> list[str]:
    """What cannot work, each with the remedy; none where all is well."""
    found = []
    if not settings.path.startswith("/"):
        found.append(f"twilio.path is {settings.path!r} → begin it with /")
    if settings.timeout_s <= 0:
        found.append("twilio.timeout_s is not above 0 → give seconds, such as 5")
    for name, url, schemes in (
        ("stream_url", settings.stream_url, ("wss", "ws")),
        ("public_url", settings.public_url, ("https", "http")),
        ("api_url", settings.api_url, ("https", "http")),
    ):
        if url and not _is_plain(url, schemes):
            found.append(f"twilio.{name} is {url!r} → write {schemes[0]}://host/path without ? and #")
    for number, agent in settings.assist.items():
        if not is_target(agent):
            found.append(f"twilio.assist.{number} is {agent!r} → write +number, sip:user@host or client:name")
    if settings.auth_token_env is not None and settings.dialect != "twilio":
        found.append(
            f"twilio.auth_token_env is set, but {settings.dialect} does not sign as Twilio does → remove it"
        )
    if settings.auth_token_env is not None and not settings.stream_url:
        found.append("twilio.auth_token_env is set without stream_url, which is signed → add stream_url")
    return found


def _is_plain(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc) and not parts.query and not parts.fragment

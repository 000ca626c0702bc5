"""Twilio's callbacks over HTTP: `POST /twilio/voice` (a call comes in), `POST /twilio/status`.

Each must carry the right signature over the public URL, or it is answered with 403; one that cannot be
read with 400.  Status callbacks are repeated and come in any order: LineHistory tells each state once,
forward only.  A call that comes in is answered with TwiML: the bot's stream; for a number that
`assist` names, the agent and a stream of both sides; above the load limit, busy.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from bot.phone.arrivals import Refusal
from bot.phone.dialling import LineHistory
from bot.phone.twilio.outcomes import line_news
from bot.phone.twilio.settings import STATUS_PATH, VOICE_PATH, TwilioSettings
from bot.phone.twilio.signature import HEADER, signed_body, signed_form
from bot.phone.twilio.twiml import connect_stream, listen_and_dial, reject

MOST_FIELDS = 200
LONGEST_ADDRESS = 200
"""Characters of a number or SIP address that are passed on."""

Dialled = Callable[[str, str], None]
"""Our call_id and Twilio's callSid, known from a callback even where the answer to the dial was lost."""

Form = dict[str, str]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


def routes(
    settings: TwilioSettings,
    token: str,
    history: LineHistory,
    refuse: Refusal,
    *,
    dialled: Dialled | None = None,
) -> list[web.RouteDef]:
    """The two callbacks for an aiohttp application, which limits the size of bodies."""

    async def voice(request: web.Request) -> web.StreamResponse:
        form = await _verified(request, settings, token)
        return web.Response(text=_answer(settings, form, refuse), content_type="text/xml")

    async def status(request: web.Request) -> web.StreamResponse:
        form = await _verified(request, settings, token)
        line_id, told = form.get("CallSid", ""), form.get("CallStatus", "")
        if not line_id or not told:
            raise web.HTTPBadRequest(text="CallSid or CallStatus is missing")
        call_id = request.query.get("call_id")
        if call_id and dialled is not None:
            dialled(call_id, line_id)
        news = line_news(line_id, told, form.get("SipResponseCode", ""))
        if news is None:
            _log.warning("a status callback with a status that is not known was ignored")
        else:
            history.take(news)
        return web.Response(status=204)

    return [web.post(VOICE_PATH, voice), web.post(STATUS_PATH, status)]


def _answer(settings: TwilioSettings, form: Form, refuse: Refusal) -> str:
    if (why := refuse()) is not None:
        _log.warning("a call that came in was refused: %s", why)
        return reject()
    caller, called = form.get("From", "")[:LONGEST_ADDRESS], form.get("To", "")[:LONGEST_ADDRESS]
    given = {"direction": "inbound", "from": caller, "to": called}
    agent = settings.assist.get(called)
    if agent is not None:
        return listen_and_dial(settings.stream_url, given, agent)
    return connect_stream(settings.stream_url, given)


async def _verified(request: web.Request, settings: TwilioSettings, token: str) -> Form:
    """The form of a request from Twilio.  Raises 403 and 400."""
    body = await request.read()
    url = settings.public_url.rstrip("/") + request.raw_path
    given = request.headers.get(HEADER)
    try:
        if request.content_type == "application/json":
            signed = signed_body(token, url, body, given)
            form = msgspec.json.decode(body, type=Form) if signed else {}
        else:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS
            )
            signed, form = signed_form(token, url, pairs, given), dict(pairs)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise web.HTTPBadRequest(text="the body is neither a form nor an object of texts") from error
    if not signed:
        _log.warning("a callback with a wrong signature was refused")
        raise web.HTTPForbidden(text="the signature is wrong")
    return form

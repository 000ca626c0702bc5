"""All routes in one table."""

from __future__ import annotations

from aiohttp import web

from assist.web_api import (
    after_call,
    bridges,
    calls,
    feeds,
    knowledge,
    login,
    openapi,
    pages,
    suggestions,
    tickets,
    tokens,
    utterances,
    whisper,
)
from assist.web_api.problems import Handler

API: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/api/calls/{call_id}/utterances", utterances.post),  # the busiest, so it is looked at first
    ("POST", "/api/login", login.log_in),
    ("POST", "/api/logout", login.log_out),
    ("GET", "/api/me", login.who_am_i),
    ("POST", "/api/tokens", tokens.make),
    ("POST", "/api/feed-tickets", tickets.make),
    ("GET", "/api/calls", calls.list_all),
    ("POST", "/api/calls", calls.begin),
    ("GET", "/api/calls/{call_id}", calls.see),
    ("GET", "/api/calls/{call_id}/customer", calls.customer),
    ("POST", "/api/calls/{call_id}/end", calls.end),
    ("POST", "/api/calls/{call_id}/whisper", whisper.whisper),
    ("GET", "/api/calls/{call_id}/after-call", after_call.see),
    ("POST", "/api/calls/{call_id}/after-call", after_call.save),
    ("GET", "/api/calls/{call_id}/feed", feeds.call_feed),
    ("GET", "/api/agents/{agent_id}/feed", feeds.agent_feed),
    ("GET", "/api/live", feeds.live_feed),
    ("POST", "/api/suggestions/{suggestion_id}/feedback", suggestions.feedback),
    ("GET", "/api/knowledge", knowledge.search),
    ("GET", "/api/calls/{call_id}/human-agent-assistant", bridges.human_agent_assistant_event),
    ("POST", "/api/bridges/contact-lens", bridges.from_contact_lens),
    ("POST", "/api/bridges/lca", bridges.from_lca),
    ("POST", "/api/bridges/answer-records", bridges.answer_record),
    ("GET", "/api/openapi.json", openapi.describe),
)
"""Method, path, handler."""

PAGES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/", pages.home),
    ("GET", "/login", pages.login_page),
    ("GET", "/agent", pages.agent_page),
    ("GET", "/supervisor", pages.supervisor_page),
)


def add_routes(app: web.Application) -> None:
    """Put them all into the application."""
    for method, path, handler in (*API, *PAGES):
        app.router.add_route(method, path, handler)

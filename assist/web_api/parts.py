"""What the handlers share: each part under its own typed key of the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from assist.auth.directory import Directory
from assist.feed_hub import Hub
from assist.web_api.limits import Buckets, LoginLimits
from bot.bus.assisted import AssistedCalls
from bot.store.database import Database


@dataclass(frozen=True)
class Settings:
    """`origins`: the exact origins that browsers may come from; `secret`: signs tokens and CSRF tokens;
    `behind_proxy`: the last X-Forwarded-For address is the client's; `pages`: the folder of the pages;
    `secure`: browsers come over TLS."""

    origins: frozenset[str]
    secret: bytes
    pages: Path
    behind_proxy: bool = False
    secure: bool = False


@dataclass(frozen=True)
class Scripts:
    """What web processes need of scripts: their names, and searching one's knowledge."""

    names: Callable[[], list[str]]
    search: Callable[[str, str], list[dict[str, Any]]]


SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
REDIS: web.AppKey[Redis] = web.AppKey("redis", Redis)
DATABASE: web.AppKey[Database] = web.AppKey("database", Database)
CALLS: web.AppKey[AssistedCalls] = web.AppKey("calls", AssistedCalls)
DIRECTORY: web.AppKey[Directory] = web.AppKey("directory", Directory)
HUB: web.AppKey[Hub] = web.AppKey("hub", Hub)
BUCKETS: web.AppKey[Buckets] = web.AppKey("buckets", Buckets)
LOGIN_LIMITS: web.AppKey[LoginLimits] = web.AppKey("login_limits", LoginLimits)
SCRIPTS: web.AppKey[Scripts] = web.AppKey("scripts", Scripts)

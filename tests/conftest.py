"""Fixtures that many tests share: a loaded script, a sample contact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.redis_fixtures import own_server, redis, shared_server  # noqa: F401  (fixtures for every test)

if TYPE_CHECKING:
    from bot.dialogue.version import ScriptVersion


# What must hold does not depend on a busy machine.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def ringback() -> Iterator[ScriptVersion]:
    """The ringback script as its files stand, trained where that was not done."""
    from bot.dialogue.version import ScriptVersion

    yield ScriptVersion.load("ringback")


@pytest.fixture
def contact() -> dict[str, Any]:
    """A customer with everything that ringback needs."""
    return {
        "id": "c-1",
        "name": "张伟",
        "sex": "male",
        "age": 41,
        "phone": "13800138000",
        "timezone": "Asia/Shanghai",
        "monthly_fee_ringback": 5,
        "id_last4": "1234",
        "value_tier": "standard",
    }

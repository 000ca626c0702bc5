"""POST /api/tokens: a bearer token for a machine, by name and password or by an operator's session.

What the token may do is what its user's role may do.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web

from assist.auth.roles import PERMISSIONS
from assist.auth.tokens import DEFAULT_TTL_S, MAX_TTL_S, make_token
from assist.web_api.bodies import answer, decode
from assist.web_api.guard import permitted
from assist.web_api.login import Credentials, check_credentials
from assist.web_api.parts import DIRECTORY, SETTINGS
from assist.web_api.problems import Problem


class TokenRequest(msgspec.Struct, frozen=True):
    """Name and password, or neither where an operator's session asks."""

    name: str | None = None
    password: str | None = None
    tenant_id: str = "default"
    ttl_s: Annotated[int, msgspec.Meta(ge=60, le=MAX_TTL_S)] = DEFAULT_TTL_S


_decoder = msgspec.json.Decoder(TokenRequest)


async def make(request: web.Request) -> web.Response:
    """A token; 201."""
    said = decode(await request.read() or b"{}", _decoder)
    if said.name is not None and said.password is not None:
        user = await check_credentials(request, Credentials(said.name, said.password, said.tenant_id))
        whose = (user.tenant_id, user.name, user.generation, user.role)
    elif said.name is None and said.password is None:
        principal = await permitted(request, "tokens")
        whose = (principal.tenant_id, principal.name, principal.generation, principal.role)
    else:
        missing = "password" if said.password is None else "name"
        raise Problem(422, "invalid", f"`{missing}` is missing: give both name and password", field=missing)
    tenant_id, name, generation, role = whose
    now = request.app[DIRECTORY].now()
    token = make_token(request.app[SETTINGS].secret, tenant_id, name, generation, now, said.ttl_s)
    made = {"token": token, "token_type": "Bearer", "expires_in_s": said.ttl_s, "role": role}
    return answer(made | {"scopes": sorted(PERMISSIONS[role])}, 201)

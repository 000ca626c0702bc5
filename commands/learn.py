"""`huashu learn [--since ISO] [--dry-run]`: the ranker learns from ended calls; says what it is worth.

Reads the archived calls from SQL, learns a new policy from all of them, estimates off-policy what it would
have earned beside what was earned, and puts it in force for calls that begin from then on (workers read
it when they start).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from commands.json_lines import complain, line_out

if TYPE_CHECKING:
    from assist.learn import Study
    from assist.learning.decision import Decision
    from assist.learning.off_policy import Estimate
    from assist.learning.policy import Policy
    from bot.store.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu learn`."""
    parser.add_argument("--since", metavar="ISO", help="只学这之后开始的通话 / only calls begun since then")
    parser.add_argument(
        "--dry-run", action="store_true", help="只看结果,不启用 / show it, put nothing in force"
    )
    parser.add_argument("--json", action="store_true", help="输出一个 JSON / print one JSON object")
    parser.add_argument("--tenant", default="default", help="租户 / tenant")
    parser.add_argument("--database", help="数据库地址 / URL of the database (default: DATABASE_URL)")


def run(arguments: argparse.Namespace) -> int:
    """Learn; 1 where it cannot be done, with the reason."""
    from assist.learn import study
    from assist.learning.decision import LearningError
    from assist.policy_file import current_policy, keep_policy
    from bot.data_folder import DataFolderError
    from bot.store.database import Database, StoreError

    try:
        since = _since(arguments.since)
        database = Database.open(arguments.database or os.environ.get("DATABASE_URL"))
    except (ValueError, StoreError, DataFolderError) as error:
        complain(str(error))
        return 1
    try:
        before = current_policy()
        policies = kept_policies(before)
        calls = stored_decisions(database, arguments.tenant, since, policies)
        found = study(calls, policies, before.parameters)
        new = bool(found.policy.observations) and found.policy.version != before.version
        if new and not arguments.dry_run:
            keep_policy(found.policy)
    except (LearningError, DataFolderError, OSError) as error:
        complain(str(error))
        return 1
    finally:
        database.close()
    if arguments.json:
        line_out(_as_json(found, before))
    else:
        print("\n".join(_shown(found, before, new, arguments.dry_run)))
    return 0


def stored_decisions(
    database: Database, tenant_id: str, since: datetime | None, policies: Mapping[str, Policy]
) -> list[list[Decision]]:
    """The decisions of each archived assisted call, oldest call first."""
    import sqlalchemy as sa

    from assist.learn import decisions_of
    from bot.store.calls import archived_events
    from bot.store.schema import calls

    wanted = sa.select(calls.c.call_id).where(calls.c.tenant_id == tenant_id, calls.c.mode == "assist")
    if since is not None:
        wanted = wanted.where(calls.c.started_at >= since)
    found = []
    with database.read() as connection:
        for call_id in (
            connection.execute(wanted.order_by(calls.c.started_at, calls.c.call_id)).scalars().all()
        ):
            found.append(decisions_of(archived_events(connection, tenant_id, call_id), policies))
    return found


def kept_policies(current: Policy) -> dict[str, Policy]:
    """All versions that were ever in force, by version; a file that cannot be read is passed over."""
    from assist.learning.decision import LearningError
    from assist.learning.policy import Policy
    from assist.learning.update import from_json
    from assist.policy_file import policy_path

    known = [Policy.initial(), Policy.initial(current.parameters), current]
    for path in sorted(policy_path().parent.glob("ranker-*.json")):
        try:
            known.append(from_json(path.read_bytes()))
        except (LearningError, OSError) as error:
            complain(f"{path}: {error}")
    return {policy.version: policy for policy in known}


def _since(text: str | None) -> datetime | None:
    """The moment; raises ValueError for one that is none, or has no offset."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--since {text}: no time → write it as 2026-11-01T00:00:00+08:00") from error
    if moment.tzinfo is None:
        raise ValueError(f"--since {text}: no offset → write it as 2026-11-01T00:00:00+08:00")
    return moment


def _as_json(found: Study, before: Policy) -> dict[str, Any]:
    import msgspec

    shown: dict[str, Any] = msgspec.to_builtins(found)
    return {**shown, "policy": found.policy.version, "before": before.version}


def _shown(found: Study, before: Policy, new: bool, dry_run: bool) -> list[str]:
    lines = [
        f"通话 / calls {found.calls} · 决策 / decisions {found.decisions}",
        f"有回报 / rewarded {found.rewarded} · 重放 / replayed {found.replayed}",
        f"不一致 / differing {found.differing}",
    ]
    if found.logged is not None:
        lines.append(f"实际平均回报 / earned, later half: {_interval(found.logged)}")
    if found.estimate is not None:
        worth = found.estimate
        lines.append(f"新策略估计 / learned from the earlier half, DR: {_interval(worth.doubly_robust)}")
        lines.append(f"SNIPS: {_interval(worth.snips)} · IPS: {_interval(worth.ips)}")
        lines.append(f"有效 / effective {worth.effective:.0f} · 无据 / unsupported {worth.unsupported:.1%}")
    if not found.policy.observations:
        return [*lines, f"没有可学的 / nothing to learn yet; in force: {before.version}"]
    if not new:
        return [*lines, f"与现用相同 / the same as in force: {before.version}"]
    done = "未启用 / not put in force" if dry_run else "已启用,进程重启后生效 / in force when workers start"
    return [*lines, f"{before.version} → {found.policy.version} · {done}"]


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"

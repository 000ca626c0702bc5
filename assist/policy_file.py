"""The ranker's policy on disk: which version is in force, and its history."""

from __future__ import annotations

import logging
from pathlib import Path

from assist.learning.decision import LearningError
from assist.learning.policy import Policy
from assist.learning.update import from_json, to_json
from bot.data_folder import data_folder

_log = logging.getLogger(__name__)


def policy_path() -> Path:
    """The file of the policy in force."""
    return data_folder("ranker") / "policy.json"


def current_policy() -> Policy:
    """The policy in force; the one that follows the priors alone where none was learned.

    A file that cannot be read is an error in the log, never a reason to give no advice.
    """
    path = policy_path()
    if not path.exists():
        return Policy.initial()
    try:
        return from_json(path.read_bytes())
    except (LearningError, OSError) as error:
        _log.error("%s: %s; the ranker follows its priors → run huashu learn", path, error)
        return Policy.initial()


def keep_policy(policy: Policy) -> Path:
    """Put a policy in force; each version is kept beside it."""
    data = to_json(policy)
    path = policy_path()
    path.with_name(f"{policy.version}.json").write_bytes(data)
    draft = path.with_suffix(".new")
    draft.write_bytes(data)
    draft.replace(path)
    return path

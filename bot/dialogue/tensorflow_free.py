"""Lets Rasa 3.6.21 be imported where TensorFlow is not installed.

Rasa's modules import TensorFlow although only its neural components use it, and we use none of
them.  `install` puts a finder on `sys.meta_path` that answers `import tensorflow` and its
satellites with hollow modules: their capitalised names are empty classes that can be subclassed,
their other names objects that can be called, indexed, iterated and used as decorators.  The same
finder leaves out modules of Rasa itself that a telephone never uses and that cost seconds at the
start (chat channels with their vendors' kits, plots, TensorFlow's data model): a call of one of
their functions raises LeftOut.  `install` must run before the first `import rasa`.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

_TENSORFLOW = frozenset(
    [
        *("tensorflow", "keras", "tensorflow_hub", "tensorflow_text", "tensorflow_addons"),
        *("tensorflow_probability", "tensorflow_io"),
    ]
)
_CHANNELS = (
    *("botframework", "console", "facebook", "hangouts", "mattermost", "rasa_chat", "rocketchat"),
    *("slack", "socketio", "telegram", "twilio", "twilio_voice", "webexteams"),
)
_LEFT_OUT = frozenset(
    [
        *(f"rasa.core.channels.{name}" for name in _CHANNELS),
        *("rasa.utils.plotting", "rasa.utils.tensorflow.model_data"),
    ]
)

NEEDS_TENSORFLOW = frozenset(
    [
        *("DIETClassifier", "ResponseSelector", "ConveRTFeaturizer", "LanguageModelFeaturizer"),
        *("TEDPolicy", "UnexpecTEDIntentPolicy"),
    ]
)
"""Rasa components that cannot work without TensorFlow."""


class TensorFlowNeeded(ValueError):
    """A configuration names a component that needs TensorFlow, which this project leaves out."""


class LeftOut(RuntimeError):
    """A part of Rasa was called that `install` left out."""


class _Hollow:
    """Stands for any function, constant or decorator of a module that is not there."""

    def __init__(self, name: str) -> None:
        self.__name__ = self.__qualname__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # as a decorator it hands back what it decorates
        return args[0] if len(args) == 1 and callable(args[0]) and not kwargs else self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _hollow(f"{self.__name__}.{name}")

    def __getitem__(self, key: object) -> _Hollow:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __or__(self, other: object) -> _Hollow:
        return self

    __ror__ = __or__


class _Absent(_Hollow):
    """Stands for a function of a module of Rasa's that is left out."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        where = "bot.dialogue.tensorflow_free"
        raise LeftOut(f"{self.__name__}() is a part of Rasa that huashu leaves out ({where})")


def _hollow(name: str) -> Any:
    last = name.rpartition(".")[2]
    if last[:1].isupper():
        body: dict[str, Any] = {
            "__class_getitem__": classmethod(lambda cls, key: cls),  # subscripts in annotations
            "name": classmethod(lambda cls: cls.__name__),  # rasa.core.channels asks it of a channel
        }
        return type(last, (), body)
    return _Absent(name) if name.startswith("rasa.") else _Hollow(name)


class _HollowModule(ModuleType):
    """Any name asked of it exists."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = _hollow(f"{self.__name__}.{name}")
        setattr(self, name, value)  # the same class each time it is asked for
        return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in _TENSORFLOW or fullname in _LEFT_OUT:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _HollowModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """A hollow module has nothing to run."""


def install() -> None:
    """Make `import rasa` possible and quiet; a second call does nothing.

    Sets RASA_TELEMETRY_ENABLED=false (Rasa would call out) and LOG_LEVEL=WARNING (its
    progress bars fill a log), gives numpy 2 back the name
    VisibleDeprecationWarning, raises structlog's level to WARNING (an embedded Agent prints every
    utterance at debug level until structlog is configured), and silences what Rasa's own
    imports warn of under today's setuptools and SQLAlchemy.

    Raises RuntimeError where rasa is imported already: too late then.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if "rasa.core.channels" in sys.modules or "tensorflow" in sys.modules:
        raise RuntimeError(
            "rasa was imported before bot.dialogue.tensorflow_free.install(): call install() first"
        )
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("LOG_LEVEL", "WARNING")  # Rasa shows progress bars below that
    import numpy
    import sanic.app  # noqa: F401  (puts its own filter of warnings first; ours must come after)
    import structlog

    if not hasattr(numpy, "VisibleDeprecationWarning"):
        numpy.VisibleDeprecationWarning = numpy.exceptions.VisibleDeprecationWarning  # type: ignore[attr-defined]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    warnings.filterwarnings("ignore", message="'parseString' deprecated")
    warnings.filterwarnings("ignore", message=r"the load_module\(\) method is deprecated")
    warnings.filterwarnings("ignore", message="(?s).*Slot auto-fill has been removed")
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="rasa")
    sys.meta_path.insert(0, _Finder())


def refuse_tensorflow(config: Mapping[str, Any], where: str = "config.yml") -> None:
    """Raise TensorFlowNeeded where the pipeline or the policies of `config` name one of NEEDS_TENSORFLOW."""
    for section in ("pipeline", "policies"):
        for item in config.get(section) or ():
            name = str(item.get("name", ""))
            if name.rpartition(".")[2] in NEEDS_TENSORFLOW:
                raise TensorFlowNeeded(
                    f"{where}: {section}: {name} needs TensorFlow, which huashu leaves out → "
                    "use the components of bot.dialogue.components and RulePolicy or MemoizationPolicy"
                )

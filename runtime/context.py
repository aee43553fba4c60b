"""Where a node runs: the run, its configuration, and services that open when they are used."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .errors import NodeError
from .layout import run_key

if TYPE_CHECKING:
    from .blobs import Blobs
    from .executors.base import Executor
    from .service import Catalog, RunLogStore, Secrets
    from .tasks.container import Place
    from .workdir.base import Workdirs

KINDS = ("run_log_store", "catalog", "secrets")
MARK = "argosy-json:"
"""What JSON follows in an argument that is text for the engine: of a value that is no text, or of a
text that the engine would change."""
DEFAULTS = {"run_log_store": "file-system", "catalog": "file-system", "secrets": "env"}
OURS = (
    "ARGOSY_ARGUMENTS",
    "ARGOSY_HANDS",
    "ARGOSY_NODES",
    "ARGOSY_OUTPUTS",
    "ARGOSY_STATUS",
    "ARGOSY_FAILURES",
    "ARGOSY_FINAL",
)
"""Variables that are between the engine and the runtime, and no concern of the user's process."""
OF_A_STEP = ("ARGOSY_PRM_", "MAGNUS_PRM_", "ARGOSY_MAP_", "MAGNUS_MAP_")
"""How the variables begin that a step of another run, which started this one, has of its own."""


CODE = "ignore-code"
"""The value of ARGOSY_RESUME_BY_NAME with which a step's code does not count."""


class Context:
    """One run, seen from one place.

    `config` is ARGOSY_CONFIG's content; `arguments` the run's arguments by name, typed, or else
    `encoded`, as ARGOSY_ARGUMENTS has them; `origin` what started the run, empty where no engine
    did; `hands` the folder for what is handed over; `outputs` what a template of the engine's left;
    `resume` the run that this one goes on from, where `by_name` asks for name and success alone,
    and `ignore_code` for all but the step's code; `commit` the Git commit that the run starts from.
    `begun` is set where run.json is known to be there; `continued`, where a pod that is gone had
    begun the run; `started` is when the run began, where one process knows.
    """

    def __init__(
        self,
        run: str,
        config: Mapping[str, Any],
        arguments: Mapping[str, Any] | None = None,
        *,
        encoded: str = "",
        origin: Mapping[str, Any] | None = None,
        pod: str = "",
        pod_uid: str = "",
        hands: str = "",
        outputs: Mapping[str, Any] | None = None,
        resume: str | None = None,
        by_name: bool = False,
        ignore_code: bool = False,
        commit: Mapping[str, Any] | None = None,
    ) -> None:
        self.run = run
        self.config: dict[str, Any] = dict(config)
        self._arguments = arguments
        self._encoded = encoded
        self.origin = dict(origin or {})
        self.pod = pod
        self.pod_uid = pod_uid
        self.hands = hands
        self.outputs = outputs or {}
        self.resume = resume
        self.by_name = by_name
        self.ignore_code = ignore_code
        self.commit = commit or {}
        self.begun = False
        self.continued = False
        self.started = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Context:
        """The context that an engine, or a launcher, put in the environment."""
        run = environment.get("ARGOSY_RUN_ID")
        if not run:
            raise NodeError("ARGOSY_RUN_ID is not set: it names the run that this node is of")
        by_name, ignore_code = comparing(environment)
        return cls(
            run,
            parsed(environment, "ARGOSY_CONFIG"),
            encoded=environment.get("ARGOSY_ARGUMENTS", ""),
            origin=parsed(environment, "ARGOSY_ORIGIN"),
            pod=environment.get("ARGOSY_POD", ""),
            pod_uid=environment.get("ARGOSY_POD_UID", ""),
            hands=environment.get("ARGOSY_HANDS", ""),
            outputs=outputs(environment.get("ARGOSY_OUTPUTS", "")),
            resume=environment.get("ARGOSY_RESUME") or None,
            by_name=by_name,
            ignore_code=ignore_code,
        )

    def environment(self) -> dict[str, str]:
        """What another process needs to be in the same run; its arguments only as `exec` reads
        them, so that a process that has them can hand them on."""
        config = dict(self.config)
        for kind in KINDS:
            if kind in self.__dict__:
                # An integration, or opening it, may have changed it.
                service = self.__dict__[kind]
                config[kind] = {"type": service.service_provider, "config": service.config}
        found = {
            "ARGOSY_RUN_ID": self.run,
            "ARGOSY_CONFIG": compact(config),
            "ARGOSY_ORIGIN": compact(self.origin) if self.origin else "",
            "ARGOSY_POD": self.pod,
            "ARGOSY_POD_UID": self.pod_uid,
            "ARGOSY_RESUME": self.resume or "",
            "ARGOSY_RESUME_BY_NAME": "true" if self.by_name else CODE * self.ignore_code,
        }
        return {name: value for name, value in found.items() if value}

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """The run's arguments by name, typed. Raises NodeError for one that is not of its type: not
        before a node reads them, so that its record can say so."""
        if self._arguments is not None:
            return dict(self._arguments)
        found = arguments(self._encoded, self.config.get("arguments") or {})
        for name, values in (self.config.get("enums") or {}).items():
            if name in found and found[name] not in values:
                known = ", ".join(map(compact, values))
                raise NodeError(
                    f"argument {name} is {compact(found[name])}, which is none of {known}"
                )
        return found

    @property
    def earlier(self) -> tuple[str, ...]:
        """The runs in which a step may have been done already."""
        own = (self.run,) if self.continued else ()
        return (*own, self.resume) if self.resume else own

    @cached_property
    def executor(self) -> Executor:
        from .registry import make

        name = self.config.get("executor") or "local"
        found: Executor = make("executor", {"type": name}, self.plugins)
        found.environment.update(self.config.get("environment") or {})
        return found

    @cached_property
    def workdirs(self) -> Workdirs:
        """What steps have as working directory: where nothing is said, this process's own, as in a
        pod of one step. A launcher sets another."""
        from .workdir.base import Workdirs

        return Workdirs()

    @cached_property
    def containers(self) -> Place | None:
        """Where container tasks run; None where they cannot. A launcher of containers sets its
        own."""
        if self.config.get("executor") != "argo":
            return None
        from .tasks.pod import InPod

        return InPod()

    @property
    def magnus(self) -> bool:
        """Whether the definition was written for Magnus."""
        return bool(self.config.get("magnus"))

    @cached_property
    def plugins(self) -> tuple[str, ...]:
        return tuple(self.config.get("plugins") or ())

    @cached_property
    def run_log_store(self) -> RunLogStore:
        found: RunLogStore = self._open("run_log_store")
        return found

    @cached_property
    def blobs(self) -> Blobs:
        """The blobs of the run log: all that read it here share them, and forks do."""
        from .blobs import Blobs

        return Blobs(self.run_log_store)

    @cached_property
    def catalog(self) -> Catalog:
        found: Catalog = self._open("catalog")
        return found

    @cached_property
    def secrets(self) -> Secrets:
        found: Secrets = self._open("secrets")
        return found

    def _open(self, kind: str) -> Any:
        """The service, after its integration has been at it."""
        from .integrations.base import call
        from .registry import integration, integrations, make

        declared = self.config.get(kind) or {"type": DEFAULTS[kind]}
        service = make(kind, declared, self.plugins)
        if kind != "secrets":
            service.secret = self._secret
        found = integration(self.executor, service, integrations(self.plugins, search=False))
        call(found, "validate")
        call(found, "configure_for_execution")
        return service

    def _secret(self, name: str) -> str:
        return self.secrets.get(name)


def comparing(environment: Mapping[str, str]) -> tuple[bool, bool]:
    """How ARGOSY_RESUME_BY_NAME has steps compared with those of the earlier run: by name alone,
    and without their code."""
    said = environment.get("ARGOSY_RESUME_BY_NAME", "")
    return said in ("1", "true"), said == CODE


def write_run(context: Context) -> None:
    """Writes run.json. Besides `started` and `git`, which only a launcher knows, it depends on
    nothing but the definition, the arguments, the executor and the origin, so that whoever writes
    it writes the same bytes."""
    found = {
        "run": context.run,
        "pipeline": context.config.get("pipeline") or {},
        "executor": context.config.get("executor") or "local",
        "arguments": context.arguments,
        "origin": context.origin,
        "resumes": context.resume,
    }
    if context.started:
        found["started"] = context.started
    if context.commit:
        found["git"] = context.commit
    text = json.dumps(found, sort_keys=True, indent=1)
    context.run_log_store.put(run_key(context.run), text.encode())
    context.begun = True


def arguments(encoded: str, types: Mapping[str, str]) -> dict[str, Any]:
    """The run's arguments from base64 of a JSON object of strings, each read as its type says.

    `types` has `json` for an argument whose default is neither a string nor null. Any other is
    text, or after `MARK` JSON.
    """
    if not encoded:
        return {}
    import base64
    import binascii

    try:
        given = json.loads(base64.b64decode(encoded, validate=True))
        given.pop("json", None)  # the engine's own: the list of them all, once more
        texts = {name: str(text) for name, text in given.items()}
    except (ValueError, AttributeError, binascii.Error) as error:
        raise NodeError(f"ARGOSY_ARGUMENTS is not base64 of a JSON object ({error})") from error
    return {name: decoded(name, text, types.get(name, "text")) for name, text in texts.items()}


def decoded(name: str, text: str, kind: str) -> Any:
    """An argument as `encoded` wrote it, or as somebody gave it to the engine.

    >>> decoded("x", "a", "text"), decoded("x", "argosy-json:[1]", "text")
    ('a', [1])
    """
    if kind == "text" and text.startswith(MARK):
        try:
            return json.loads(text.removeprefix(MARK), parse_constant=refuse_constant)
        except ValueError:
            return text
    return typed(name, text, kind)


def outputs(encoded: str) -> dict[str, Any]:
    """What a template of the engine's left, by parameter: base64 of a JSON object of strings."""
    if not encoded:
        return {}
    import base64
    import binascii

    try:
        found: dict[str, Any] = json.loads(base64.b64decode(encoded, validate=True))
    except (ValueError, binascii.Error) as error:
        raise NodeError(f"ARGOSY_OUTPUTS is not base64 of a JSON object ({error})") from error
    return found


def typed(name: str, text: str, kind: str) -> Any:
    if kind != "json":
        return text
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except ValueError as error:
        raise NodeError(
            f"argument {name} is {text!r}, which is not JSON ({error}); its default is not a "
            'string, so write a string with quotes around it: "..."'
        ) from error


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parsed(environment: Mapping[str, str], name: str) -> dict[str, Any]:
    """A variable that holds a JSON object; an unset one is an empty object."""
    text = environment.get(name)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NodeError(f"{name} is not JSON ({error}); `argosy render` writes it") from error
    if not isinstance(found, dict):
        raise NodeError(f"{name} is not a JSON object; `argosy render` writes it")
    return found


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def user_environment() -> dict[str, str]:
    """The environment of this process as a user's may see it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in OURS and not name.startswith(OF_A_STEP)
    }

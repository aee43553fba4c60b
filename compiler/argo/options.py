"""The options of the executor `argo`: one table, and what reads a configuration by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import nearest
from ..graph import Retry
from ..parse.fields import duration, name_of

Path = tuple[str, ...]
ONCE = Retry()


class Fault(NamedTuple):
    """What is wrong with the value at `path`, and the way out."""

    path: Path
    message: str
    hint: str = ""


class Claim(NamedTuple):
    """A volume claim, where it is mounted, and what it is where Argosy renders it."""

    mount_path: str
    create: bool = False
    size: str = ""
    storage_class: str | None = None
    access_mode: str = "ReadWriteMany"


class Account(NamedTuple):
    """A service account; '' is called as the pipeline is. `create`: rendered, with its role."""

    name: str = ""
    create: bool = False


class Options(NamedTuple):
    """A configuration, read. Durations are in seconds."""

    image: str = ""
    image_pull_policy: str | None = None
    image_pull_secrets: tuple[str, ...] = ()
    command: tuple[str, ...] = ("python", "-m", "argosy.runtime")
    env: Mapping[str, str] = {}
    resources: Mapping[str, Any] = {}
    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Mapping[str, Any], ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    claims: Mapping[str, Claim] = {}
    service_account: Account = Account(create=True)
    retry: Retry = ONCE
    timeout: float | None = None
    workflow_timeout: float | None = None
    parallelism: int | None = None
    kind: str = "WorkflowTemplate"
    namespace: str = ""
    schedules: tuple[str, ...] = ()
    timezone: str = ""


class WrongValue(Exception):
    """A value that an option does not take; `path` leads to it from the option."""

    def __init__(self, message: str, hint: str = "", path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path


Reader = Callable[[Any], Any]


class Option(NamedTuple):
    """An option: what reads its value, what it takes and does, and whether a step may change it."""

    read: Reader
    takes: str
    doc: str
    per_step: bool = False


def text(value: Any) -> str:
    """Text that is not empty."""
    if not isinstance(value, str):
        hint = "put it in quotes" if isinstance(value, (int, float)) else ""
        raise WrongValue(f"takes text, not {name_of(value)}", hint)
    if not value.strip():
        raise WrongValue("is empty")
    return value


def integer(value: Any) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongValue(f"takes a whole number, not {name_of(value)}")
    if value < 1:
        raise WrongValue("must be at least 1")
    return value


def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise WrongValue(f"takes true or false, not {name_of(value)}")
    return value


def seconds(value: Any) -> float:
    """A duration above 0."""
    found = None
    if isinstance(value, str):
        found = duration(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found = float(value)
    if found is None or not 0 < found < 1e9:
        raise WrongValue("takes a duration above 0", "seconds, or such as 90s, 10m, 1h30m, 2d")
    return found


def choice(*known: str) -> Reader:
    """One of some words."""

    def read(value: Any) -> str:
        if value not in known:
            raise WrongValue(f"cannot be {value!r}", nearest(str(value), known))
        return str(value)

    return read


def matching(pattern: str, hint: str) -> Reader:
    """Text of a form. It is compiled when it is needed: most configurations need few of them."""

    def read(value: Any) -> str:
        found = text(value)
        if not re.fullmatch(pattern, found):
            raise WrongValue(f"cannot be {found!r}", hint)
        return found

    return read


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; one text is a list of one."""
    return tuple(listed(text)(value if isinstance(value, list) else [text(value)]))


def listed(item: Reader) -> Reader:
    """A list."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise WrongValue(f"takes a list, not {name_of(value)}")
        return tuple(_at(str(index), item, entry) for index, entry in enumerate(value))

    return read


def mapping(item: Reader, key: Reader = text) -> Reader:
    """Names of the user's own to values of one kind; `null` leaves a name out."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise WrongValue(f"takes a mapping, not {name_of(value)}")
        return {
            _at(str(name), key, name): _at(str(name), item, entry)
            for name, entry in value.items()
            if entry is not None
        }

    return read


def record(known: Mapping[str, Reader]) -> Reader:
    """A mapping with known fields."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise WrongValue(f"takes a mapping, not {name_of(value)}")
        for name in value:
            if name not in known:
                raise WrongValue(f"has no field '{name}'", nearest(str(name), known), (str(name),))
        return {
            name: _at(name, known[name], entry)
            for name, entry in value.items()
            if entry is not None
        }

    return read


def _at(name: str, read: Reader, value: Any) -> Any:
    """Reads a value inside another; what is wrong with it is said with its place."""
    try:
        return read(value)
    except WrongValue as wrong:
        raise WrongValue(wrong.message, wrong.hint, (name, *wrong.path)) from None


dns_name = matching(
    r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", "lower-case letters, digits, '-' and '.'"
)
dns_label = matching(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", "lower-case letters, digits and '-'")
quantity = matching(r"[0-9.]+([eE][0-9]+|[munkKMGTPE]i?)?", "such as 500m, 2, 4Gi")
label_key = matching(
    r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?",
    "a name, or prefix/name",
)
path = matching(r"/[^:]*", "an absolute path in the container, without ':'")
variable = matching(r"(?!ARGOSY_)[-._A-Za-z][-._A-Za-z0-9]*", "names that Argosy sets are its own")


def amount(value: Any) -> str:
    """A quantity of a resource; a number counts as it is written."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return str(quantity(value))


def plain(value: Any) -> str:
    """A variable's text; whole numbers and booleans have one way to be written."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if value == "":
        return ""
    return text(value)


def retry(value: Any) -> Retry:
    """Attempts, or a mapping of them and the waits between."""
    if not isinstance(value, Mapping):
        return Retry(max_attempts=integer(value))
    return Retry(
        **record(
            {
                "max_attempts": integer,
                "backoff": seconds,
                "factor": factor,
                "max_backoff": seconds,
            }
        )(value)
    )


def factor(value: Any) -> float:
    """What a wait grows by."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 1:
        raise WrongValue("takes a number of at least 1")
    return value


def claim(value: Any) -> Claim:
    """A mount path, or a claim to render."""
    if not isinstance(value, Mapping):
        return Claim(path(value))
    found = record(
        {
            "mount_path": path,
            "create": boolean,
            "size": amount,
            "storage_class": dns_name,
            "access_mode": choice("ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"),
        }
    )(value)
    if "mount_path" not in found:
        raise WrongValue("needs 'mount_path'", "where pods see it, such as /data")
    if found.get("create") and "size" not in found:
        raise WrongValue("needs 'size', as it is created", "such as size: 10Gi")
    return Claim(**found)


def account(value: Any) -> Account:
    """A name, or {name, create}."""
    if not isinstance(value, Mapping):
        return Account(dns_name(value))
    return Account(**record({"name": dns_name, "create": boolean})(value))


toleration = record(
    {
        "key": text,
        "operator": choice("Exists", "Equal"),
        "value": plain,
        "effect": choice("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "tolerationSeconds": integer,
    }
)
resources = record({"limits": mapping(amount), "requests": mapping(amount)})
schedule = matching(
    r"@\w+( \w+)?|\S+(\s+\S+){4,5}", "five fields, such as '0 6 * * 1-5', or @daily"
)

OPTIONS: Mapping[str, Option] = {
    "image": Option(text, "text", "The image that steps run in; Argosy is in it.", True),
    "image_pull_policy": Option(
        choice("Always", "IfNotPresent", "Never"), "a word", "When the image is pulled.", True
    ),
    "image_pull_secrets": Option(texts, "a list", "Secrets that the image is pulled with."),
    "command": Option(listed(text), "a list", "What runs Argosy's runtime in the image.", True),
    "env": Option(mapping(plain, variable), "a mapping", "Variables of every pod.", True),
    "resources": Option(resources, "a mapping", "limits and requests, as Kubernetes has.", True),
    "node_selector": Option(mapping(plain, label_key), "a mapping", "Labels of a node.", True),
    "tolerations": Option(listed(toleration), "a list", "Taints that pods tolerate.", True),
    "labels": Option(mapping(plain, label_key), "a mapping", "Labels of the pods.", True),
    "annotations": Option(mapping(plain, label_key), "a mapping", "Annotations of pods.", True),
    "claims": Option(
        mapping(claim, dns_name),
        "a mapping",
        "Volume claims: {name: mount path}, or {mount_path, create, size, storage_class, "
        "access_mode} to render one.",
        True,
    ),
    "service_account": Option(
        account, "text or a mapping", "A name; by default one is rendered: {name, create}.", True
    ),
    "retry": Option(
        retry,
        "a number or a mapping",
        "{max_attempts, backoff, factor, max_backoff} of steps without a retry of their own.",
        True,
    ),
    "timeout": Option(seconds, "a duration", "Of each step without one of its own.", True),
    "workflow_timeout": Option(seconds, "a duration", "Of the whole run."),
    "parallelism": Option(integer, "a number", "How many pods run at a time."),
    "kind": Option(
        choice("WorkflowTemplate", "Workflow", "CronWorkflow"), "a word", "What is rendered."
    ),
    "namespace": Option(dns_label, "text", "Where everything is; else kubectl or kustomize says."),
    "schedules": Option(listed(schedule), "a list", "When a CronWorkflow starts a run."),
    "timezone": Option(text, "text", "Of the schedules, such as Europe/Madrid."),
}
"""Each becomes the field of `Options` that has its name."""


def read_options(config: Mapping[str, Any]) -> Options:
    """A configuration that `check_options` had nothing against."""
    return Options(**{name: OPTIONS[name].read(value) for name, value in _given(config)})


def _given(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The options that are there and not null."""
    for name, value in config.items():
        if value is not None and name != "overrides":
            yield name, value


def check_options(config: Mapping[str, Any], path: Path = (), *, step: bool = False) -> list[Fault]:
    """Everything wrong with the executor's configuration, or with the overrides of one step.

    `path` leads to `config`; the faults have theirs below it.
    """
    found = []
    for name, value in _given(config):
        if name not in OPTIONS:
            message = f"executor argo has no option '{name}'"
            found.append(Fault((*path, name), message, nearest(name, OPTIONS)))
            continue
        option = OPTIONS[name]
        if step and not option.per_step:
            message = f"'{name}' is of the whole workflow; a step cannot override it"
            found.append(Fault((*path, name), message, "set it in the executor's configuration"))
            continue
        try:
            option.read(value)
        except WrongValue as wrong:
            message = f"{'.'.join((name, *wrong.path))} {wrong.message}"
            found.append(Fault((*path, name, *wrong.path), message, wrong.hint))
    if not step and not found:
        found.extend(Fault((*path, *at), message, hint) for at, message, hint in _together(config))
    return found


def _together(config: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong between options that are right by themselves."""
    options = read_options(config)
    if not options.image:
        hint = "config: {image: registry.example.com/team/pipeline:1.0}"
        yield Fault((), "executor argo needs an image", hint)
    if options.kind == "CronWorkflow" and not options.schedules:
        yield Fault(("kind",), "a CronWorkflow needs schedules", 'schedules: ["0 6 * * *"]')
    if options.kind == "Workflow" and options.schedules:
        hint = "leave kind out: schedules render a CronWorkflow and its WorkflowTemplate"
        yield Fault(("schedules",), "a Workflow runs once and has no schedules", hint)
    if options.timezone and not options.schedules:
        yield Fault(("timezone",), "timezone is that of schedules, and there are none")


def warn_options(config: Mapping[str, Any], path: Path = ()) -> list[Fault]:
    """What is taken, and may surprise."""
    claims = read_options(config).claims
    return [
        Fault(
            (*path, "claims", name),
            f"claim '{name}' is {claim.access_mode}: its pods must all run on one node",
            "access_mode: ReadWriteMany, where the storage class has it",
        )
        for name, claim in claims.items()
        if claim.create and claim.access_mode != "ReadWriteMany"
    ]

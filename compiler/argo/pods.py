"""Container templates: one for all nodes whose pods differ in their arguments only."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from argosy.runtime.secrets.kubernetes import PREFIX

from ..graph import Retry
from ..manifests.container import RESTRICTED, container_of, from_secret, others_of, pod_of
from ..manifests.extra import merged
from ..manifests.inject import alone, inject
from ..manifests.names import Names
from ..options.integrated import integrated
from ..options.pod import PodOptions
from ..settings import OWN
from . import expressions
from .beside import Beside, add
from .options import Options, read_options
from .text import safe_json

HANDS = "/tmp/argosy/hands"  # noqa: S108 (a container's own)
FAILURES = "/tmp/argosy/failures.json"  # noqa: S108
LATER = 60
"""Seconds that the engine's deadline comes after the step's timeout, which the runtime enforces."""
AGAIN = "lastRetry.exitCode != '2'"
"""A wrong node or configuration stays wrong; anything else, a lost pod too, is tried again."""

ONCE = Retry()
UNKNOWN = "topologySpreadConstraints", "runtimeClassName", "terminationGracePeriodSeconds"
"""Fields of a pod that a template has no name for: they go into its podSpecPatch."""
RESUME = "argosy.dev/resume"
BY_NAME = "argosy.dev/resume-by-name"
"""The annotations of pods whose run goes on from another one."""
EXECUTOR_USER = 8737
"""Whom Argo's own containers run as where they must not be root (MinimalCtrSC of its source)."""


def configured(executor: Any) -> Options:
    """The executor's options with what integrations have changed."""
    options = read_options(executor.config)
    return options._replace(pod=integrated(options.pod, executor))


def common(options: Options) -> Options:
    """What steps have of the configuration: all but what is the workflow's alone."""
    own = {name: Options._field_defaults[name] for name in OWN["argo"]}
    return options._replace(**own)


class Profile(NamedTuple):
    """What a pod has beside its options: all that makes two nodes need two templates.

    `backoff`: seconds, factor and the most seconds between attempts; None where a node is tried
    once. `hands`: how many values it hands over. `beside`: the user's container, which has an
    image of its own. `outputs`: it is given those of a template of the engine's own.
    """

    arguments: bool = False
    hands: int = 0
    backoff: tuple[float, float, float] | None = None
    deadline: bool = False
    secrets: tuple[str, ...] = ()
    beside: Beside | None = None
    outputs: bool = False

    def words(self) -> Iterable[str]:
        """What tells it from the plain one, for its name."""
        if self.beside:
            yield "container"
        if self.arguments:
            yield "arguments"
        if self.outputs:
            yield "outputs"
        if self.hands:
            yield "hand" if self.hands == 1 else f"hands-{self.hands}"
        if self.secrets:
            yield "secrets"
        if self.backoff:
            yield "retry"
        if self.deadline:
            yield "deadline"


class Run(NamedTuple):
    """What is the same in every pod of a pipeline: `config` is ARGOSY_CONFIG's content, `run` the
    run's id as engine text, `secrets` maps variables to where their values are: (object, key)."""

    config: Mapping[str, Any]
    run: str
    secrets: Mapping[str, tuple[str, str]]


class Pods:
    """The container templates of a workflow, made as nodes ask for them."""

    def __init__(self, run: Run, base: Options, names: Names) -> None:
        self.templates: list[dict[str, Any]] = []
        self._run = run
        self._base = base
        self._names = names
        self._found: dict[tuple[Any, ...], tuple[str, dict[str, str]]] = {}
        self._keys: dict[int, tuple[Options, Any]] = {}

    def template(
        self, options: Options, profile: Profile, values: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        """The name of the template for such a pod, and those of the `values` of its inputs that are
        not its defaults: the first that it is asked for with."""
        key = (self._key(options), profile)
        if key not in self._found:
            own = [] if key[0] == self._key(self._base) else ["own"]
            name = self._names.count("-".join(["run", *profile.words(), *own]))
            self._found[key] = (name, dict(values))
            self.templates.append(self._template(name, options, profile, values))
        name, defaults = self._found[key]
        return name, {name: value for name, value in values.items() if defaults[name] != value}

    @property
    def beside(self) -> bool:
        """Whether any pod has a container of the user's beside its own."""
        return any(profile.beside for _, profile in self._found)

    def end(self, final: Iterable[Any], engine: bool) -> str:
        """The template of the exit handler; what runs the pipeline's last pod. `engine`: there are
        steps that no pod of ours runs, of which only the engine can tell."""
        name = self._names.count("end")
        ending: dict[str, Any] = {"from": list(final)}
        if engine:
            ending["engine"] = True
        template = self._pod(self._base, ["end"], self._environment(True))
        template["container"]["env"] += [
            {"name": "ARGOSY_STATUS", "value": "{{workflow.status}}"},
            {"name": "ARGOSY_FAILURES", "value": FAILURES},
            {"name": "ARGOSY_FINAL", "value": safe_json(ending)},
        ]
        failures = {
            "name": "failures",
            "path": FAILURES,
            "raw": {"data": "{{workflow.failures}}"},
        }
        found: dict[str, Any] = {"name": name, "inputs": {"artifacts": [failures]}}
        # It exits 0 whatever it finds: if it fails, its pod was lost.
        found["retryStrategy"] = {"limit": 2, "retryPolicy": "Always"}
        labels, annotations = self._base.pod.labels, self._base.pod.annotations
        metadata = {"labels": dict(labels), "annotations": dict(annotations)}
        if labels or annotations:
            found["metadata"] = {name: given for name, given in metadata.items() if given}
        self.templates.append({**found, **template})
        return name

    def _key(self, options: Options) -> Any:
        """What pods show of the options: equal where the pods are. Held by id, with the options
        themselves, so that an id is not given to others."""
        found = self._keys.get(id(options))
        if found is None:
            shown: list[Any] = [self._pod(options, [], []), step_of(options), options.extra]
            shown += [options.pod.labels, options.pod.annotations]
            shown.append(options.retry._replace(attempts=ONCE))
            found = (options, json.dumps(shown, sort_keys=True))
            self._keys[id(options)] = found
        return found[1]

    def _template(
        self, name: str, options: Options, profile: Profile, values: Mapping[str, str]
    ) -> dict[str, Any]:
        defaults = {"key": "", "ended": "", **values}
        inputs = [{"name": "node"}, *([{"name": "outputs"}] if profile.outputs else [])]
        inputs += ({"name": given, "value": value} for given, value in defaults.items())
        found: dict[str, Any] = {"name": name, "inputs": {"parameters": inputs}}
        metadata = {
            "labels": {"argosy.dev/step": expressions.STEP_LABEL, **options.pod.labels},
            "annotations": {"argosy.dev/step": expressions.STEP, **options.pod.annotations},
        }
        if profile.backoff is not None:
            found["retryStrategy"] = _retry(*profile.backoff, options)
        if profile.deadline:
            found["activeDeadlineSeconds"] = "{{inputs.parameters.deadline}}"
        if profile.hands:
            outputs = [
                {"name": f"hand{n}", "valueFrom": {"path": f"{HANDS}/{n}", "default": ""}}
                for n in range(profile.hands)
            ]
            found["outputs"] = {"parameters": outputs}
        env = self._environment(profile.arguments)
        if profile.hands:
            env.append({"name": "ARGOSY_HANDS", "value": HANDS})
        if profile.outputs:
            env.append({"name": "ARGOSY_OUTPUTS", "value": "{{inputs.parameters.outputs}}"})
        if profile.backoff is not None:
            env.append({"name": "ARGOSY_RETRIES", "value": "{{retries}}"})
        env += [from_secret(name, *self._run.secrets[name]) for name in profile.secrets]
        arguments = ["exec", "{{inputs.parameters.node}}", expressions.KEY, expressions.ENDED]
        if profile.beside:
            options = options._replace(pod=alone(options.pod))
        found |= {"metadata": metadata, **step_of(options), **self._pod(options, arguments, env)}
        if profile.beside is not None:
            secrets = [
                from_secret(name, *self._run.secrets[own]) for name, own in profile.beside.shown
            ]
            add(found, profile.beside, secrets)
        return found if not options.extra else merged(found, {**options.extra, "name": name})

    def _environment(self, arguments: bool) -> list[dict[str, Any]]:
        origin = {
            "workflow": "{{workflow.name}}",
            "namespace": "{{workflow.namespace}}",
            "uid": "{{workflow.uid}}",
        }
        env: list[dict[str, Any]] = [
            {"name": "ARGOSY_CONFIG", "value": safe_json(self._run.config)},
            {"name": "ARGOSY_RUN_ID", "value": self._run.run},
            {"name": "ARGOSY_ORIGIN", "value": json.dumps(origin, separators=(",", ":"))},
            {"name": "ARGOSY_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "ARGOSY_POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            # Empty, unless whoever submits the workflow says so in its podMetadata.
            _annotation("ARGOSY_RESUME", RESUME),
            _annotation("ARGOSY_RESUME_BY_NAME", BY_NAME),
        ]
        if arguments:
            env.append({"name": "ARGOSY_ARGUMENTS", "value": expressions.ARGUMENTS})
        for name, reference in self._run.secrets.items():  # what services need, every pod has
            if not name.startswith(PREFIX):
                env.append(from_secret(name, *reference))
        return env

    def asked(self, secrets: Iterable[str]) -> tuple[str, ...]:
        """The variables that hold those of a step's secrets that the cluster puts in its pod."""
        return tuple(PREFIX + name for name in secrets if PREFIX + name in self._run.secrets)

    def _pod(
        self, options: Options, arguments: list[str], env: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """The members of a template that a pod's options decide, and its container."""
        found: dict[str, Any] = {}
        own = options.pod
        if own.service_account != self._base.pod.service_account:
            found["serviceAccountName"] = own.service_account.name
        pod = pod_of(own._replace(dns_policy=None, dns_config={}))
        patch = {name: pod.pop(name) for name in UNKNOWN if name in pod}
        patch = merged({**patch, **_restricted(own)}, options.pod_spec_patch)
        found |= pod
        if patch:
            found["podSpecPatch"] = json.dumps(patch)
        if own.init_containers:
            found["initContainers"] = others_of(own, own.init_containers)
        if own.sidecars:
            found["sidecars"] = others_of(own, own.sidecars)
        container = container_of(own, arguments, env)
        inject(found, container, own.runtime)
        return {**found, "container": container}


def step_of(options: Options) -> dict[str, Any]:
    """The members of a template that a step's options decide."""
    found: dict[str, Any] = {}
    if options.queue_timeout:
        found["timeout"] = _duration(options.queue_timeout)
    if options.synchronization:
        found["synchronization"] = options.synchronization
    if options.memoize:
        found["memoize"] = options.memoize
    if options.metrics:
        found["metrics"] = {"prometheus": list(options.metrics)}
    if options.archive_logs is not None:
        found["archiveLocation"] = {"archiveLogs": options.archive_logs}
    return found


def _restricted(options: PodOptions) -> dict[str, Any]:
    """What the pod's security asks of the containers that Argo adds, whose images may be root's."""
    if not options.security:
        return {}
    user = {} if "runAsUser" in options.pod_security_context else {"runAsUser": EXECUTOR_USER}
    context = {**RESTRICTED, "runAsNonRoot": True, **user}
    return {
        "initContainers": [{"name": "init", "securityContext": context}],
        "containers": [{"name": "wait", "securityContext": context}],
    }


def _annotation(name: str, key: str) -> dict[str, Any]:
    """A variable that Kubernetes fills from an annotation of the pod; without one it is empty."""
    path = f"metadata.annotations['{key}']"
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def backoff_of(retry: Retry) -> tuple[float, float, float] | None:
    """The waits of a node that is tried more than once."""
    if retry.max_attempts == 1:
        return None
    waits = retry.backoff and retry.max_backoff
    return (retry.backoff, retry.factor, retry.max_backoff) if waits else (0, 1, 0)


def inputs_of(retry: Retry, timeout: float | None) -> dict[str, str]:
    """What templates that try again, or have a deadline, take beside the node."""
    found = {} if retry.max_attempts == 1 else {"limit": str(retry.max_attempts - 1)}
    return found if timeout is None else {**found, "deadline": str(math.ceil(timeout) + LATER)}


def _retry(seconds: float, factor: float, most: float, options: Options) -> dict[str, Any]:
    tries = options.retry
    found: dict[str, Any] = {
        "limit": "{{inputs.parameters.limit}}",
        "retryPolicy": tries.policy,
        "expression": f"{AGAIN} && ({tries.expression})" if tries.expression else AGAIN,
    }
    if seconds:
        found["backoff"] = {
            "duration": _duration(seconds),
            "factor": str(math.ceil(factor)),  # Argo multiplies by whole numbers
        }
        if options.argo_version != "3.6" or most != ONCE.max_backoff:  # which is refused there
            found["backoff"]["cap"] = _duration(most)
    if tries.affinity:
        found["affinity"] = tries.affinity
    return found


def _duration(seconds: float) -> str:
    """As Go reads it.

    >>> _duration(90), _duration(0.5)
    ('90s', '0.5s')
    """
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"

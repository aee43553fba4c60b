"""Malformed input by chance: mutations of a definition and of configurations, compiled as
`argosy check` does it.

`python tests/malformed.py 5000 --seed 7` runs a long campaign and prints what it finds.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml

from argosy.compiler import phases
from argosy.compiler.compilation import Compilation, Request
from argosy.compiler.engines import ENGINES
from argosy.compiler.errors import CompileError
from argosy.runtime.errors import ArgosyError

SECONDS = 2.0
DEFINITION = """
name: everything
description: Every type of step, and every field.
parameters: {xs: [1, 2], p: x, n: 1.5, flag: false, nested: {a: [{b: null}]}}
dag:
  description: d
  steps:
    a:
      type: task
      command: m.f
      returns: [y]
      retry: {max_attempts: 2, backoff: 1s, factor: 2, max_backoff: 5m}
    b:
      type: task
      command_type: shell
      command: 'echo $X'
      depends_on: [a]
      env: {X: 1, Y: text}
      secrets: {TOKEN: T}
      timeout: 1h30m
      retry: 3
      catalog: {get: ["*.csv"], put: [out/*.csv]}
      on_failure: h
      overrides:
        argo: {resources: {limits: {memory: 1Gi}}, env: {A: b}}
        kubernetes: {env: {A: b}}
    h: {type: stub, anything: [1]}
    k:
      type: task
      command_type: container
      image: "i:1"
      command: [/bin/x, $(ARGOSY_PRM_p)]
      args: [a]
      returns: [z]
      depends_on: {any: [a, h]}
    m:
      type: map
      iterate_on: xs
      iterate_as: x
      reducers: {s: sum, t: "m:f"}
      max_parallel: 2
      depends_on: [a]
      branch:
        start_at: one
        steps:
          one: {type: task, command: m.g, returns: [s], next: two, on_failure: fail}
          two: {type: task, command: m.h, secrets: [S], next: success}
          success: {type: success}
          fail: {type: fail, message: no}
    l:
      type: loop
      break_on: done
      max_iterations: 3
      iterate_as: i
      depends_on: [m]
      branch: {steps: {r: {type: stub}}}
    c:
      type: conditional
      parameter: p
      depends_on: [l]
      branches:
        x: {steps: {s: {type: stub}}}
        5: {steps: {s: {type: stub}}}
        '5': {steps: {s: {type: stub}}}
      default: {steps: {f: {type: fail}}}
    q: {type: parallel, branches: {u: {steps: {s: {type: stub}}}, v: {steps: {s: {type: stub}}}}}
    d:
      type: dag
      inputs: [p]
      outputs: [y]
      branch: {steps: {e: {type: task, command: m.f, returns: [y]}}}
    w: {type: approval, message: 'sure?', timeout: 2d}
    t:
      type: argo
      template: {inputs: {parameters: [{name: v}]}, http: {url: "http://x/{{inputs.parameters.v}}"}}
      arguments: {v: {parameter: p}}
      returns: {answer: result}
    r:
      type: argo
      template_ref: {name: w, template: t, cluster_scope: true}
      arguments: {v: "{{workflow.name}}"}
"""
MAGNUS = """
x-note: &note {retry: 2}
run_log: {type: file-system, config: {log_folder: logs}}
secrets: {type: env-secrets-manager}
dag:
  start_at: a
  max_time: 1h
  steps:
    a:
      type: task
      command: m.f
      next_node: b
      max_attempts: 2
      catalog: {compute_data_folder: d, put: ["*"]}
    b: {type: as-is, command_config: {}, next: n, executor_config: {argo: {docker_image: i}}}
    n:
      type: task
      command_type: notebook
      command: n.ipynb
      command_config: {notebook_output_path: o.ipynb}
      next: success
    success: {type: success}
    fail: {type: fail}
"""
ARGO = """
executor:
  type: argo
  config:
    image: "registry.example.com/i:${tag}"
    image_pull_secrets: [s]
    env: {A: b, C: {valueFrom: {configMapKeyRef: {name: n, key: k}}}}
    env_from: [{configMapRef: {name: n}}]
    resources: {limits: {memory: 1Gi, cpu: 500m}, requests: {cpu: 1}}
    labels: {team: data}
    annotations: {a/b: c}
    service_account: {name: n, create: true}
    claims: {runs: {mount_path: /runs, create: true, size: 10Gi}, more: /more}
    volumes: [{name: v, emptyDir: {}}]
    volume_mounts: [{name: v, mountPath: /v}]
    sidecars: [{name: side, image: i}]
    node_selector: {a: b}
    tolerations: [{key: a, operator: Exists, effect: NoSchedule}]
    affinity: {nodeAffinity: {}}
    retry: {max_attempts: 2, backoff: 10s, factor: 2}
    timeout: 1h
    parallelism: 5
    schedules: ["0 6 * * 1-5", {schedule: "@daily", timezone: Europe/Madrid}]
    extra: {spec: {podGC: {strategy: OnPodCompletion}}}
    overrides: {big: {resources: {limits: {memory: 64Gi}}}}
run_log_store: {type: file-system, config: {location: /runs}}
catalog: {type: file-system, config: {location: /runs/catalog}}
secrets: {type: kubernetes, config: {secret: s}}
"""
OF_MAGNUS = """
mode:
  type: argo
  config:
    docker_image: i
    name: magnus-dag-
    secrets_from_k8s: [{environment_variable: T, secret_name: s, secret_key: k}]
    persistent_volumes: [{name: work, mount_path: /mnt}]
    resources: {limits: {gpu: 1, memory: 1Gi}, requests: {cpu: 250m}}
    retry_strategy:
      limit: 2
      retry_policy: Always
      back_off: {duration_in_seconds: 10, factor: 2, max_duration: 60}
    max_step_duration_in_seconds: 60
    tolerations: [{key: a, operator: Exists, effect: NoSchedule}]
    overrides: {heavy: {resources: {limits: {gpu: 2}}}}
run_log: {type: chunked-fs, config: {log_folder: /mnt/logs}}
catalog: {type: file-system, config: {catalog_location: /mnt/c, compute_data_folder: data}}
secrets: {type: env-secrets-manager, config: {prefix: p_}}
experiment_tracker: {type: do-nothing}
"""
KUBERNETES = """
executor:
  type: kubernetes
  config:
    image: i
    env: {A: b}
    schedules: ["0 6 * * *"]
    history_limits: {successful: 1}
    backoff_limit: 2
    ttl: 1h
secrets: {type: kubernetes, config: {objects: {TOKEN: o/k}}}
run_log_store: {type: db, config: {url: "postgresql://u@h/n"}}
"""
CONTAINER = """
executor:
  type: local-container
  config:
    image: i
    environment: {A: b}
    volumes: ["/a:/b:ro"]
    resources: {memory: 2g, cpus: 1.5}
    user: 1000
run_log_store: {type: s3, config: {bucket: b, role_session_seconds: 900}}
catalog: {type: s3, config: {bucket: b}}
secrets: {type: aws-secrets-manager, config: {secret_id: i}}
"""
LOCAL = """
executor: {type: local, config: {max_workers: 2}}
secrets: {type: dotenv, config: {location: .env}}
"""
MOCKED = """
executor:
  type: mocked
  config: {patches: {a: {command: m.g}, b: {command: exit 0, command_type: shell}}}
"""
SMALL = "parameters: {p: 1}\ndag: {steps: {a: {type: task, command: m.f}, b: {type: stub}}}\n"
DEFINITIONS = DEFINITION, MAGNUS
CONFIGURATIONS = ARGO, OF_MAGNUS, KUBERNETES, CONTAINER, LOCAL, MOCKED, ""

VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**400, float("nan"), float("inf")),
    *("", " ", "x", "x" * 5_000, "a\0b", "../..", "/", "-", "*", "ü", "🎈", "a\nb", "\x1b[31m"),
    *("{{workflow.name}}", "${x}", "$", "$$", "m.f", "1h", "9" * 400 + "d", "1e9999", "0 0 31 2 *"),
    *([], {}, [[]], [{}], {"": 1}, {"a": {}}, [None], {"type": "task"}, {"steps": {}}),
)
CHARACTERS = (
    "\t",
    "{",
    "}",
    "[",
    "]",
    ":",
    "&a ",
    "*a ",
    "<<: ",
    "!x ",
    "%",
    "\0",
    "'",
    '"',
    "\n",
    "- ",
)
Tree = Any


class Case(NamedTuple):
    """What is compiled. `kind` says what was mutated, and how."""

    definition: str
    configuration: str
    kind: str


class Finding(NamedTuple):
    case: Case
    what: str


def case(number: int, seed: int) -> Case:
    """The case of that number: always the same."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311
    mutate: Callable[[str, random.Random], str]
    mutate = chance.choice([structure, structure, characters])
    if chance.random() < 0.5:
        definition = mutate(chance.choice(DEFINITIONS), chance)
        return Case(definition, chance.choice(CONFIGURATIONS), f"definition, {mutate.__name__}")
    configuration = mutate(chance.choice(CONFIGURATIONS[:-1]), chance)
    definition = chance.choice([*DEFINITIONS, SMALL])
    return Case(definition, configuration, f"configuration, {mutate.__name__}")


def structure(text: str, chance: random.Random) -> str:
    """YAML with one to three of its values or keys changed."""
    tree = yaml.safe_load(text)
    for _ in range(chance.randint(1, 3)):
        places = list(_places(tree))
        if places:
            holder, key = chance.choice(places)
            chance.choice(CHANGES)(tree, holder, key, chance)
    if chance.random() < 0.5 or _depth(tree) > 50:  # deeper than PyYAML can write
        return json.dumps(tree)
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def _depth(tree: Tree) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def characters(text: str, chance: random.Random) -> str:
    """Text with a few characters more or less."""
    for _ in range(chance.randint(1, 3)):
        begin = chance.randrange(len(text) + 1)
        end = min(len(text), begin + chance.randint(0, 30))
        middle = chance.choice(["", text[begin:end] * 2, chance.choice(CHARACTERS)])
        text = text[:begin] + middle + text[end:]
    return text


def _places(tree: Tree) -> Iterator[tuple[Any, Any]]:
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def _replace(tree: Tree, holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = copy.deepcopy(chance.choice(VALUES))


def _graft(tree: Tree, holder: Any, key: Any, chance: random.Random) -> None:
    """Puts another part of the tree there."""
    other, there = chance.choice(list(_places(tree)))
    holder[key] = copy.deepcopy(other[there])


def _delete(tree: Tree, holder: Any, key: Any, chance: random.Random) -> None:
    del holder[key]


def _rename(tree: Tree, holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        value = holder.pop(key)
        text = str(key)
        cut = chance.randrange(len(text) + 1)
        names = [text[:cut] + text[cut + 1 :], "", 5, True, None, text.upper(), "x" * 300, "a/b"]
        holder[chance.choice(names)] = value


def _wrap(tree: Tree, holder: Any, key: Any, chance: random.Random) -> None:
    value = holder[key]
    deep: Any = value
    for _ in range(chance.choice([1, 100, 150])):
        deep = [deep]
    holder[key] = chance.choice([[value], {"a": value}, deep])


CHANGES = _replace, _replace, _graft, _delete, _rename, _wrap


def findings(case: Case, folder: Path) -> Iterator[Finding]:
    """What is wrong with how a case is compiled: a traceback, a problem without a place, or the
    time that it takes."""
    definition, configuration = folder / "p.yaml", folder / "c.yaml"
    for path, text in ((definition, case.definition), (configuration, case.configuration)):
        path.write_text(text, encoding="utf-8", errors="replace")
    request = Request(str(definition), (str(configuration),), {"tag": "1", "x": "1"})
    begin = time.process_time()
    try:
        for warning in _check(request).warnings:
            str(warning)
    except CompileError as error:
        for problem in error.problems:
            str(problem)
            if problem.at is None:
                yield Finding(case, f"no place: {problem}")
    except ArgosyError as error:
        yield Finding(case, f"no place: {type(error).__name__}: {error}")
    except Exception:  # what this looks for
        yield Finding(case, traceback.format_exc())
    if (took := time.process_time() - begin) > SECONDS:
        yield Finding(case, f"{took:.1f} s")


def _check(request: Request) -> Compilation:
    compilation = phases.compile(request, until=phases.lower)
    if compilation.settings.executor.type in ENGINES:
        compilation = phases.verify(phases.render(compilation))
    return compilation


def campaign(numbers: range, seed: int) -> Iterator[Finding]:
    """The findings of the cases of these numbers."""
    with TemporaryDirectory() as folder:
        for number in numbers:
            for finding in findings(case(number, seed), Path(folder)):
                kind = f"{seed}/{number}: {finding.case.kind}"
                yield finding._replace(case=finding.case._replace(kind=kind))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = 0
    for finding in campaign(range(given.count), given.seed):
        found += 1
        print(f"--- {finding.case.kind}\n{finding.what}", flush=True)
    print(f"{given.count:,} cases, {found:,} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

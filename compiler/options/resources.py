"""The resources of a container: their names, and quantities that can be meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from argosy.runtime.suggestions import closest

from .quantities import amount, number
from .readers import Fault, WrongValue, mapping, record

NATIVE = "cpu", "memory", "ephemeral-storage"
EXTENDED = re.compile(
    r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
SYNONYMS = {
    "cores": "cpu",
    "cpus": "cpu",
    "disk": "ephemeral-storage",
    "gpu": "nvidia.com/gpu",
    "gpus": "nvidia.com/gpu",
    "mem": "memory",
    "nvidia/gpu": "nvidia.com/gpu",
    "ram": "memory",
    "storage": "ephemeral-storage",
}
LEAST_BYTES, MOST_PROCESSORS = 1 << 20, 448
"""Below and above these, a unit was forgotten: no process starts in less than 1 MiB, and 448
processors are the most that a node has."""


def resource_name(value: Any) -> str:
    """A resource that Kubernetes has, or `domain/name` of one that a device plugin brings."""
    name = str(value)
    native = name in NATIVE or name.startswith("hugepages-")
    if native or (EXTENDED.fullmatch(name) and name not in SYNONYMS):
        return name
    close = SYNONYMS.get(name.lower()) or closest(name.lower(), NATIVE)
    hint = f"did you mean '{close}'?" if close else f"one of {', '.join(NATIVE)}, or domain/name"
    raise WrongValue(f"Kubernetes has no resource '{name}'", hint)


def quantities(value: Any) -> dict[str, str]:
    """Resources and how much of each."""
    found: dict[str, str] = mapping(amount, resource_name)(value)
    faults = [fault for name in found if (fault := _implausible(name, found[name], value[name]))]
    if faults:
        raise WrongValue(faults=faults)
    return found


def _implausible(name: str, quantity: str, written: Any) -> Fault | None:
    size = number(quantity)
    if name in ("memory", "ephemeral-storage") and 0 < size < LEAST_BYTES:
        hint = f"did you mean {_digits(written)}Mi?"
        return Fault((name,), f"{written} is less than 1 MiB", hint)
    if name == "cpu" and size > MOST_PROCESSORS:
        hint = f"did you mean {_digits(written)}m?"
        return Fault((name,), f"{written} is more processors than a node has", hint)
    if "/" in name and size.denominator != 1:
        return Fault(
            (name,), f"{written} of '{name}' is not a whole number", "it cannot be divided"
        )
    return None


def _digits(written: Any) -> str:
    match = re.match(r"[0-9.]+", str(written))
    return match[0] if match else ""


resources = record({"limits": quantities, "requests": quantities})


def check_resources(found: Mapping[str, Mapping[str, str]]) -> Iterator[Fault]:
    """No request is above its limit; one of a device plugin's resources is equal to it."""
    limits = found.get("limits") or {}
    for name, quantity in (found.get("requests") or {}).items():
        if name not in limits:
            continue
        request, limit = number(quantity), number(limits[name])
        place = ("resources", "requests", name)
        what, most = f"resources: {name}: the request of {quantity}", limits[name]
        if request > limit:
            hint = "lower the request, or raise the limit"
            yield Fault(place, f"{what} is above the limit of {most}", hint)
        elif "/" in name and request != limit:
            hint = "they must be equal; leave the request out"
            yield Fault(place, f"{what} is not the limit of {most}", hint)

"""What is wrong between a pod's options that are right by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from argosy.runtime.suggestions import nearest

from .pod import PodOptions
from .readers import Fault


def check_mounts(pod: PodOptions, others: Iterable[str] = ()) -> Iterator[Fault]:
    """Every mount is of a volume, of `pod` or of those of the `others`' names, and has its place
    to itself."""
    known = {*others, *(volume["name"] for volume in pod.volumes)}
    places = {claim.mount_path for claim in pod.claims.values()}
    for index, mount in enumerate(pod.volume_mounts):
        if mount["name"] not in known:
            names = nearest(mount["name"], sorted(known)) if known else "volumes has none"
            message = f"there is no volume '{mount['name']}'"
            yield Fault(("volume_mounts", index, "name"), message, names)
        if mount["mountPath"] in places:
            message = f"something is mounted at {mount['mountPath']} already"
            yield Fault(("volume_mounts", index, "mountPath"), message)
        places.add(mount["mountPath"])

"""Pipelines that once ended with wrong results, with the right ones, worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

from shapes import Steps, choice, dag, does, fails, loop, over, parallel, sets

SUCCEEDED, FAILED = "succeeded", "failed"


class Case(NamedTuple):
    """`ends` and `files` are what the run leaves under those names: a parameter's value, a file's
    content; `None` for a file that must not be there."""

    steps: Steps
    given: dict[str, Any]
    ends: dict[str, Any]
    files: Mapping[str, str | None] = MappingProxyType({})
    status: str = SUCCEEDED

    def definition(self, name: str) -> dict[str, Any]:
        return {"name": name, "parameters": self.given, "dag": {"steps": self.steps}}

    def assert_ended_so(self, document: Mapping[str, Any]) -> None:
        """Checks what `argosy show -o json` says about a run of the pipeline."""
        assert document["status"] == self.status
        parameters = document["parameters"]
        assert {name: parameters.get(name, "absent") for name in self.ends} == self.ends
        hashes = {name: document["catalog"].get(name, {}).get("sha256") for name in self.files}
        assert hashes == {
            name: None if content is None else sha256(content.encode()).hexdigest()
            for name, content in self.files.items()
        }


COPIES_ITEM = {"s": sets("y=$ARGOSY_PRM_x")}
SEES = sets('seen="$ARGOSY_PRM_y"', "export ARGOSY_PRM_done=true")
THREE = {"xs": [1, 2, 3]}
SAME_FILE = over("xs", "x", {"s": does("echo same > out.txt", catalog={"put": ["out.txt"]})})
BRACES = '{{workflow.name}} {{=1+1}} {% x %} $(HOME) ${HOME} "quoted" \\ caf\u00e9 \U0001f680'
ZARR = """mkdir -p store.zarr/0.0
echo group > store.zarr/.zgroup
echo data > store.zarr/0.0/.chunk
printf '#!/bin/sh\\necho ran\\n' > store.zarr/run.sh
chmod 755 store.zarr/run.sh
ln -s run.sh store.zarr/link
ln -s nowhere store.zarr/dangling"""
READS_ZARR = """export ARGOSY_PRM_group="$(cat store.zarr/.zgroup)"
export ARGOSY_PRM_chunk="$(cat store.zarr/0.0/.chunk)"
export ARGOSY_PRM_ran="$(store.zarr/run.sh)"
export ARGOSY_PRM_linked="$(store.zarr/link)"
export ARGOSY_PRM_target="$(readlink store.zarr/dangling)\""""

CASES = {
    "loop-after-map": Case(
        {
            "m": over("xs", "x", COPIES_ITEM),
            "l": loop("done", 2, {"r": SEES}, depends_on=["m"]),
        },
        THREE,
        {"y": [1, 2, 3], "seen": [1, 2, 3]},
    ),
    "loop-after-sum": Case(
        {
            "m": over("xs", "x", COPIES_ITEM, reducers={"y": "sum"}),
            "l": loop("done", 2, {"r": SEES}, depends_on=["m"]),
        },
        THREE,
        {"y": 6, "seen": 6},
    ),
    "map-over-a-joined-map": Case(
        {
            "m": over("xs", "x", COPIES_ITEM),
            "n": over("ys", "z", {"r": sets('w="$ARGOSY_PRM_y"')}, depends_on=["m"]),
        },
        {**THREE, "ys": ["a", "b"]},
        {"w": [[1, 2, 3], [1, 2, 3]]},
    ),
    "loop-after-map-files": Case(
        {
            "m": over(
                "xs",
                "x",
                {"s": does("echo $ARGOSY_PRM_x > out.txt", catalog={"put": ["out.txt"]})},
            ),
            "l": loop(
                "done",
                2,
                {
                    "r": sets(
                        'seen="[$(cat m/*/out.txt | tr "\\n" ",")0]"',
                        "export ARGOSY_PRM_done=true",
                        catalog={"get": ["m/*/out.txt"]},
                    )
                },
                depends_on=["m"],
            ),
        },
        THREE,
        {"seen": [1, 2, 3, 0]},
        {"m/0/out.txt": "1\n", "m/2/out.txt": "3\n", "out.txt": None},
    ),
    "lone-fail-stops": Case(
        {
            "guard": choice(
                "p",
                {"ok": {"go": does()}},
                default={"steps": {"stop": {"type": "fail", "message": "unknown environment"}}},
            ),
            "deploy": does(depends_on=["guard"]),
        },
        {"p": "x"},
        {},
        status=FAILED,
    ),
    "lone-success-passes-on": Case(
        {
            "a": sets("y=1"),
            "b": {**parallel({"one": {"end": {"type": "success"}}}), "depends_on": ["a"]},
            "c": sets('seen="$ARGOSY_PRM_y"', depends_on=["b"]),
        },
        {},
        {"y": 1, "seen": 1},
    ),
    "success-with-edges-is-an-end": Case(
        {
            "d": dag(
                {
                    "a": sets("y=1", "echo 1 > a.txt", catalog={"put": ["a.txt"]}),
                    "end": {"type": "success", "depends_on": ["a"]},
                }
            ),
            "c": sets(
                'seen="$ARGOSY_PRM_y$(cat a.txt)"', depends_on=["d"], catalog={"get": ["a.txt"]}
            ),
        },
        {},
        {"y": 1, "seen": 11},
        {"a.txt": "1\n"},
    ),
    "omitted-end-loses-nothing": Case(
        {
            "a": sets("y=1"),
            "f": fails(on_failure="h"),
            "h": does(),
            "end": does(depends_on=["a", "f"]),
        },
        {},
        {"y": 1},
    ),
    "file-of-a-map": Case(
        {
            "m": SAME_FILE,
            "count": sets(
                'n="$(ls m/*/out.txt | wc -l)"',
                depends_on=["m"],
                catalog={"get": ["m/*/out.txt"]},
            ),
        },
        THREE,
        {"n": 3},
        {"m/0/out.txt": "same\n", "m/2/out.txt": "same\n", "out.txt": "same\n"},
    ),
    "file-of-a-map-of-one": Case(
        {
            "m": SAME_FILE,
            "count": sets(
                'n="$(ls m/*/out.txt | wc -l)"',
                depends_on=["m"],
                catalog={"get": ["m/*/out.txt"]},
            ),
        },
        {"xs": [7]},
        {"n": 1},
        {"m/0/out.txt": "same\n", "out.txt": "same\n"},
    ),
    "files-that-name-the-item": Case(
        {
            "m": over(
                "regions",
                "region",
                {
                    "s": does(
                        "mkdir work; echo $ARGOSY_PRM_region > work/$ARGOSY_PRM_region.csv",
                        catalog={"put": ["work/{region}.csv"]},
                    )
                },
            ),
            "n": sets(
                'all="$(cat work/*.csv | tr "\\n" " ")"',
                depends_on=["m"],
                catalog={"get": ["work/*.csv"]},
            ),
        },
        {"regions": ["eu", "us"]},
        {"all": "eu us "},
        {"work/eu.csv": "eu\n", "work/us.csv": "us\n"},
    ),
    "export-of-an-equal-value": Case(
        {"m": over("xs", "x", {"s": does("export ARGOSY_PRM_p=$ARGOSY_PRM_x")})},
        {"xs": [1, 2], "p": 1},
        {"p": [1, 2]},
    ),
    "map-around-a-scoped-dag": Case(
        {
            "m": over(
                "xs",
                "x",
                {
                    "d": dag(
                        {
                            "s": does(
                                "export ARGOSY_PRM_z=$ARGOSY_PRM_x ARGOSY_PRM_p=9",
                                returns=["z", "p"],
                            )
                        },
                        inputs=["x"],
                        outputs=["z"],
                    )
                },
            )
        },
        {"xs": [1, 2], "p": "kept"},
        {"z": [1, 2], "p": "kept"},
    ),
    "text-with-braces": Case(
        {"a": sets('q="$ARGOSY_PRM_p"')}, {"p": BRACES}, {"p": BRACES, "q": BRACES}
    ),
    "null-is-a-value": Case(
        {"a": sets('q="[$ARGOSY_PRM_p]"')}, {"p": None}, {"p": None, "q": [None]}
    ),
    "a-folder-is-stored-whole": Case(
        {
            "a": does(ZARR, catalog={"put": ["store.zarr"]}),
            "b": does(READS_ZARR, depends_on=["a"], catalog={"get": ["store.zarr"]}),
        },
        {},
        {"group": "group", "chunk": "data", "ran": "ran", "linked": "ran", "target": "nowhere"},
    ),
    "a-large-value-is-a-file": Case(
        {
            "a": sets("big=$(head -c 140000 /dev/zero | tr '\\0' x)"),
            "b": sets('size="$(wc -c < "$ARGOSY_PRM_big_FILE")"', "true", depends_on=["a"]),
        },
        {},
        {"size": 140000},
    ),
    "attempt-and-index": Case(
        {
            "m": over(
                "xs",
                "x",
                {
                    "s": sets(
                        'i="$ARGOSY_MAP_INDEX" ARGOSY_PRM_n="$ARGOSY_ATTEMPT"',
                        '[ "$ARGOSY_ATTEMPT" = 2 ]',
                        retry={"max_attempts": 3, "backoff": "0s"},
                    )
                },
            )
        },
        {"xs": ["a", "b"]},
        {"i": [0, 1], "n": [2, 2]},
    ),
    "file-that-is-not-fetched": Case(
        {
            "a": does("echo 1 > orders.csv", catalog={"put": ["orders.csv"]}),
            "b": does("cat orders.csv && exit 0; exit 1", depends_on=["a"]),
        },
        {},
        {},
        status=FAILED,
    ),
}

"""Pipelines with loops: each ends the same on this machine and on the cluster."""

from __future__ import annotations

from typing import Any, NamedTuple

from shapes import Steps, choice, does, loop, over, sets

COUNT = "export ARGOSY_PRM_n=$((ARGOSY_PRM_n + 1))"
AT_FIVE = "[ $((ARGOSY_PRM_n)) -ge 5 ] && d=true || d=false; export ARGOSY_PRM_done=$d"
UP = does(f"{COUNT}\n{AT_FIVE}", returns=["n", "done"])
DONE = sets("done=true")
STUB = {"type": "stub"}


class Looped(NamedTuple):
    """`ran`: how many steps there are records of; `controls`: pods that are no step's; `ends`:
    final parameters beside the given ones; `said`: why it failed."""

    steps: Steps
    parameters: dict[str, Any]
    ran: int
    ends: dict[str, Any] | None = None
    controls: int = 0
    said: str = ""

    def definition(self, name: str) -> dict[str, Any]:
        return {"name": name, "parameters": self.parameters, "dag": {"steps": self.steps}}


LOOPS = {
    "loop-of-five": Looped(
        {
            "l": loop("done", 8, {"up": UP}, index="i"),
            "z": sets('seen="$ARGOSY_PRM_n"', depends_on=["l"]),
        },
        {"n": 0},
        ran=6,
        ends={"n": 5, "done": True, "seen": 5},
    ),
    "loop-over-ten": Looped(
        {"l": loop("done", 25, {"up": UP})}, {"n": -8}, ran=13, ends={"n": 5, "done": True}
    ),
    "loop-with-an-index": Looped(
        {
            "l": loop(
                "done",
                3,
                {
                    "look": sets('seen="$ARGOSY_PRM_i $ARGOSY_MAP_VARIABLE"'),
                    "up": does(f"{COUNT}; export ARGOSY_PRM_i=9", depends_on=["look"]),
                    "judge": does(AT_FIVE, returns=["done"], depends_on=["up"]),
                },
                index="i",
            )
        },
        {"n": 3, "i": "mine"},
        ran=6,
        ends={"n": 5, "done": True, "seen": '1 {"i": 1}'},
    ),
    "loop-that-is-never-done": Looped(
        {"l": loop("done", 2, {"up": UP})},
        {"n": 0},
        ran=3,
        said="max_iterations: 2; parameter 'done' is false, and only true ends it",
    ),
    "loop-done-by-no-text": Looped(
        {"l": loop("done", 2, {"say": does("export ARGOSY_PRM_done=True")})},
        {},
        ran=3,
        said="parameter 'done' is \"True\", and only true",
    ),
    "loop-that-fails": Looped(
        {
            "l": loop("done", 4, {"up": does(f"{COUNT}; [ $ARGOSY_PRM_n != 2 ]")}, on_failure="h"),
            "h": sets('seen="$ARGOSY_PRM_n"'),
            "z": does(depends_on=["l"]),
        },
        {"n": 0},
        ran=3,
        ends={"seen": 0},
    ),
    "loop-in-a-map": Looped(
        {
            "m": over(
                "xs",
                "x",
                {
                    "set": sets("n=$ARGOSY_PRM_x"),
                    "l": loop("done", 9, {"up": UP}, depends_on=["set"]),
                },
            ),
            "z": sets('seen="$ARGOSY_PRM_n"', depends_on=["m"]),
        },
        {"xs": [2, 4, 1]},
        ran=3 + 3 + 1 + 4 + 1,
        ends={"n": [5, 5, 5], "done": [True] * 3, "seen": [5, 5, 5]},
    ),
    "map-in-a-loop": Looped(
        {
            "l": loop(
                "done",
                3,
                {
                    "m": over("xs", "x", {"one": sets('xs="$((ARGOSY_PRM_x * 2))"')}),
                    "judge": does(
                        "[ ${ARGOSY_PRM_xs%%,*} = [4 ] && export ARGOSY_PRM_done=true || true",
                        depends_on=["m"],
                    ),
                },
            )
        },
        {"xs": [1, 10]},
        ran=6,
        ends={"xs": [4, 40], "done": True},
        controls=2,
    ),
    "loop-in-a-loop": Looped(
        {
            "outer": loop(
                "over",
                4,
                {
                    "inner": loop(
                        "done",
                        3,
                        {
                            "a": sets('done="$ARGOSY_PRM_j"'),
                            "b": does(
                                "[ $ARGOSY_PRM_j = 1 ] && export ARGOSY_PRM_done=true\n"
                                'export ARGOSY_PRM_t="$ARGOSY_PRM_t$ARGOSY_PRM_i$ARGOSY_PRM_j,"',
                                depends_on=["a"],
                            ),
                        },
                        index="j",
                    ),
                    "judge": does(
                        "[ $ARGOSY_PRM_i = 2 ] && export ARGOSY_PRM_over=true || true",
                        depends_on=["inner"],
                    ),
                },
                index="i",
            )
        },
        {"t": "-"},
        ran=3 * 5,
        ends={"t": "-00,01,10,11,20,21,", "done": True, "over": True},
    ),
    "loop-that-ends-in-a-choice": Looped(
        {
            "l": loop(
                "done",
                4,
                {
                    "up": does(
                        f"{COUNT}\n{AT_FIVE}\n$d && w=out || w=on; export ARGOSY_PRM_way=$w"
                    ),
                    "c": choice(
                        "way",
                        {"out": {"t": sets("how=stopped")}, "on": {"f": STUB}},
                        depends_on=["up"],
                    ),
                },
            )
        },
        {"n": 3},
        ran=3,
        ends={"n": 5, "done": True, "way": "out", "how": "stopped"},
        controls=2,
    ),
    "loop-of-nothing": Looped(
        {"l": loop("done", 3, {"s": STUB}, index="i"), "z": does(depends_on=["l"])},
        {"done": True},
        ran=1,
        ends={},
        controls=1,
    ),
}

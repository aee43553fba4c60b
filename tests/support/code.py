"""The code of generated pipelines: what each task does is decided by a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from support.reference import WILDCARDS, Failure, Inputs, Json, Outputs

UNDECLARED = "b"
"""A parameter that any task may set, whether it returns it or not."""
FILES = "x", "y.txt", "d/z.txt"
"""The names of the files that tasks write."""


@dataclass(frozen=True)
class Code:
    """What tasks and people do: the same wherever a step runs. `unlucky` of a hundred fail."""

    seed: int
    unlucky: int

    def draw(self, what: str, sides: int) -> int:
        return crc32(f"{self.seed} {what}".encode()) % sides

    def __call__(self, inputs: Inputs, step: Json) -> Outputs:
        if self.draw(inputs.step, 100) < self.unlucky:
            raise Failure("out of luck")
        more = [UNDECLARED] if self.draw(f"{inputs.step} more", 2) else []
        names = dict.fromkeys([*step.get("returns", []), *more])
        files = {name: self.text(inputs.step, name) for name in self.written(inputs.step, step)}
        return Outputs({name: self.value(inputs.step, name) for name in names}, files)

    def approves(self, step: str) -> bool:
        return self.draw(step, 100) >= self.unlucky

    def written(self, step: str, definition: Json) -> list[str]:
        """The files that a task writes: those that it puts, and some that it does not."""
        put = definition.get("catalog", {}).get("put", [])
        named = [one for one in put if not WILDCARDS & set(one)]
        return [*named, *(name for name in FILES if self.draw(f"{step} writes {name}", 2))]

    def text(self, step: str, name: str) -> str:
        """A file's content: of three steps, some write the same."""
        return f"{name} {self.draw(f'{step} {name} text', 3)}"

    def value(self, step: str, name: str) -> Any:
        chosen = self.draw(f"{step} {name}", 4)
        match name:
            case "some":
                return [[step] * chosen, [[1, 2]], [], None][self.draw(f"{step} list", 4)]
            case "mode":
                return ["a", "b", "two words", "other"][chosen]
            case "done":
                return [True, True, False, "true"][chosen]
            case "kind":
                return [1, "1", None, 2.0][chosen]
            case "n":
                return [1, 2.5, -3, [0, True, None, "0"][self.draw(f"{step} n", 4)]][chosen]
        return f"{step}: {name}"

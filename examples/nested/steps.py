"""The steps of the nested dag files."""


def draw() -> list[int]:
    return [3, 1, 2]


def scale(number: int, factor: int) -> dict[str, object]:
    """`note` stays inside: score.yaml is entered with `outputs: [score]`."""
    return {"scaled": number * factor, "note": "inside"}


def score(scaled: int) -> int:
    return scaled + 1

"""The steps of first/pipeline.yaml."""


def greet(name: str, times: int) -> dict[str, str]:
    """Parameters come as arguments by name, converted to the annotation."""
    return {"greeting": ", ".join(["hello"] * times) + f" {name}"}


def shout(greeting: str) -> str:
    """A single name in `returns` takes the value as it is."""
    return greeting.upper() + "!"

"""The steps of fanout/pipeline.yaml."""


def orders() -> dict[str, list[list[object]]]:
    return {
        "orders": [["eu", "tea", 3], ["us", "tea", 5], ["eu", "coffee", 2], ["us", "coffee", 1]]
    }


def prices() -> dict[str, dict[str, float]]:
    return {"prices": {"tea": 2.5, "coffee": 4.0}}


def select(region: str, orders: list[list[object]]) -> list[list[object]]:
    """`region` is the item of this iteration; everything else comes from the steps before."""
    return [order for order in orders if order[0] == region]


def total(selected: list[list[object]], prices: dict[str, float]) -> tuple[float, float]:
    """A tuple is taken apart by the names in `returns`."""
    amounts = [prices[str(product)] * float(str(count)) for _, product, count in selected]
    return sum(amounts), max(amounts, default=0.0)


def report(regions: list[str], revenue: float, largest: float, rate: float) -> str:
    """`revenue` has been summed over the regions, `largest` is the greatest of them."""
    return f"{len(regions)} regions, {revenue:.2f} in all, {largest:.2f} at most, {rate:.0%} rate"

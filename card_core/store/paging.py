"""Pages of a list: in the order of ids, which is the order of time, or backwards."""

PAGE_SIZE_MAX = 200


def check_limit(limit: int) -> int:
    """Raises ValueError for a page that is empty or larger than PAGE_SIZE_MAX."""
    if not 1 <= limit <= PAGE_SIZE_MAX:
        raise ValueError(f"a page has 1 to {PAGE_SIZE_MAX} rows")
    return limit

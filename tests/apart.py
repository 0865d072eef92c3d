"""A loop of one's own for a test that needs one, wherever it runs."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_apart(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on a thread of its own: a browser driven by other tests keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main).result()

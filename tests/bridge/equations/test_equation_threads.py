"""The plane of data and a person's preview may compute with the same equation at the same moment."""

import subprocess
import sys

TOGETHER = """
import threading
import numpy as np
from piio_bridge.equations import Equation

equation = Equation("sqrt(x) * 2 + 1 if x % 3 > 1 else exp(-x / 500) * x + (x < 200)")
rows = np.random.default_rng(1).random((4, 2000)) * 1000
alone = [equation.evaluate({"x": row}) for row in rows]
wrong = []

def compute(row, expected):
    for number in range(300):
        if not np.array_equal(equation.evaluate({"x": row}), expected):
            wrong.append(number)
        if Equation(f"x * 2 + {number}.5").value(x=3.0) != number + 6.5:
            wrong.append(number)

threads = [threading.Thread(target=compute, args=pair) for pair in zip(rows, alone)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not wrong, wrong
"""


def test_several_threads_compute_with_one_equation() -> None:
    # In a process of its own: numexpr's memory, once corrupted, takes the whole process down.
    done = subprocess.run([sys.executable, "-c", TOGETHER], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr

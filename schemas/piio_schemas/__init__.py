"""The contract of PiIO: words, topics, roles and documents, as data and frozen models.

No I/O, no clocks, no threads.
"""

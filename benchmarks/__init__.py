"""The speed suite: what the library costs, as a ratio to what a user would otherwise write.

``python -m benchmarks`` runs every row, prints a table and updates ``results.json``; the method is in ``README.md``.
"""

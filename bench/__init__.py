"""The figures of `make bench`: real processes, a fresh database and a sandbox vendor each time; see docs/bench.md."""

# Who logs in to the organization that is measured (bench/world.py makes them).
LOGIN, PASSWORD = "bench@rivertrust.test", "only for measuring 1"

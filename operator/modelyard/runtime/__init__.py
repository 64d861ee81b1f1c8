"""The I/O shell: watches, cache, queue, applying plans, election, metrics, health."""

"""The operator's real planners and runtime in a world of one thread: what happens next is chosen by a seed.

Of an hour of the soak it makes seconds, and a seed that fails fails again. What it cannot show, such as connections,
leases and the real API server's answers, the soak shows.
"""

"""Long runs under random faults and kills, and what has to be true in the end.

`python -m tests.soak --seconds 3600`; the same code runs for three minutes as a test.
"""

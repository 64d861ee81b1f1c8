"""The operator under its own account and under watch: what it calls, where it connects, what it says."""

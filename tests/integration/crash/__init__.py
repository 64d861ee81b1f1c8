"""The operator is stopped at every write of every scenario and started again: the end is as if nothing had happened."""

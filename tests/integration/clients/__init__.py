"""Clients of other servers, unmodified, in an environment of their own; each program prints what it saw as JSON."""

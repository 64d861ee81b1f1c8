"""A proxy between a client and the API server that answers wrongly, late, half or not at all, by script or at random.

What it lets through is the real API server's answer to the client's own token, so RBAC stays real.
"""

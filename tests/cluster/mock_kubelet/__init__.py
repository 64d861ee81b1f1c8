"""A mock of node, kubelet and containers, and of nothing else, for control planes that have no node.

API server, scheduler and controllers are the real ones; what a container would answer is made up here.
"""

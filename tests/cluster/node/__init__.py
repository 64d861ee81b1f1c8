"""The embedded node: a whole Kubernetes as processes on this machine, in a network namespace of its own."""

"""The mock kubelet itself, so that tests which lean on it can trust it."""

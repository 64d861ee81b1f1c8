"""How fast and how cheap the operator is, beside plain Jobs and Kubeflow Trainer: `make bench-operator`."""

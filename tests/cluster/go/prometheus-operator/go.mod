// Not built: its example/prometheus-operator-crd holds the kinds that the chart's monitors are of.
module modelyard.dev/tests/cluster/prometheus-operator

go 1.24.0

require github.com/prometheus-operator/prometheus-operator v0.85.0

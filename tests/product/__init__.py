"""The product on a cluster, for demo, e2e tests and development: images built and loaded, the chart installed."""

"""What a user sees, on a real cluster with real images and the chart."""

"""What control plane and pods agree on: tasks, results, store layout, manifests, profiles, captured rows."""

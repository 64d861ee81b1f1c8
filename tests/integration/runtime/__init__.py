"""The operator's runtime against a real API server."""

"""The embedded object store: SeaweedFS as one S3 server."""

"""Builds the images: by Docker where its engine answers, else by buildah, from the same Dockerfiles."""

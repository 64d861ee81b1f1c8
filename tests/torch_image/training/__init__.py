"""In the image that trains."""

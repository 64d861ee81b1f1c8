"""In the image that serves."""

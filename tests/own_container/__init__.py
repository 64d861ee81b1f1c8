"""An image as users bring it: what docs/how-to/bring-your-container.md shows, built for the tests on a cluster."""

"""One file per promise: what is done, what is measured, and the figure that was promised."""

"""Explanations beside those of other programs, in environments of their own."""

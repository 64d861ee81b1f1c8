"""Examples that are run: by `make demo` and by the tests."""

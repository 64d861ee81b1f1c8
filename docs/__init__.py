"""The documentation; `make docs` writes its tables of fields."""

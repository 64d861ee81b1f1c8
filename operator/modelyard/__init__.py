"""modelyard: from data to a model that stays good, in one YAML file, on any Kubernetes."""

__version__ = "0.1.0"

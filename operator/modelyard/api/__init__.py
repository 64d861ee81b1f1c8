"""The types of the four kinds as users write them; `crds/` is generated from here."""

"""Pure planning: (resource, observed, now, settings) -> Plan. No I/O, no clock, no environment."""

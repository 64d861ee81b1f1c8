"""The Elec2 stream: half-hours of the New South Wales electricity market, 1996 to 1998."""

"""Version 1 of flight_delays. It never changes; see manifest.json."""

"""Version 1 of wine. It never changes; see manifest.json."""

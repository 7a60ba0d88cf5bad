"""Version 1 of penguins. It never changes; see manifest.json."""

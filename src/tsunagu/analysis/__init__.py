"""From a network's score to a measurement: binning, significance, templates, fits, systematics, simulation against data."""

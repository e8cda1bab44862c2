"""What fairmark adds to nbgrader, by the lists of preprocessors in nbgrader_config.py."""

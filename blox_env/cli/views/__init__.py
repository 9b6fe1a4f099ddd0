"""Views of the terminal: the only modules that draw with rich."""

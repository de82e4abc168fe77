"""One module per command; each holds `command`, which parses, calls one function of the library and answers."""

"""Pages that people see, drawn on the server; scripts are plain modules, loaded from here alone."""

"""Tables, figures and the report of a finished run."""

"""One function a command: what ``glottis COMMAND`` does, callable from Python."""

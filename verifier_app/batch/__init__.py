"""Many files at once: an employer's drop zone, and the signed report of what was found."""

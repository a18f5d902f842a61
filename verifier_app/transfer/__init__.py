"""Trust data between two machines that share no network: shown as an animated code, received by a camera."""

"""The registry over HTTP: the service, and one client with two transports."""

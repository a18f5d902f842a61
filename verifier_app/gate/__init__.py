"""The gate: a camera that never stops, one answer to be read from a distance, and the kiosk that serves itself."""

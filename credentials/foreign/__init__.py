"""Codes and files of other systems, read by their own specifications and judged by the one pipeline."""

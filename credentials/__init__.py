"""Credentials: issue, disclose, present and verify offline; consumes `weid.Facts`, never the registry."""

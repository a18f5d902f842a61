"""People and rights: invitations, second factors, wallet keys, sessions, two-person requests, and the trail of writes."""

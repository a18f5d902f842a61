"""The institution's desk and the authority's office: issue, find, suspend, revoke, accredit, in a browser or by API.

Every right is checked here so that a person gets a sentence, and again by the registry, which does not trust us.
"""
